//! What probing costs: one checker with many checks of local endpoints, some of them over TLS,
//! refused, silent or slow; then all of them silent, back, and gone. The endpoints are another
//! process, so the figures are the checker's own: its CPU time, memory and descriptors, and by how
//! much checks are overdue. Each probe under way has a socket: `ulimit -n` has to let so many be.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use clap::Parser;
use meridian_bench::data;
use meridian_bench::endpoints::{self, Alive, Endpoints, Ports};
use meridian_bench::process::{cpu_s, descriptors, resident};
use meridian_health::{
    Assigned, Assignment, CapLimits, Caps, Certificate, Checker, CheckerKey, CheckerName, Counter,
    Desk, Duty, Guard, Identity, Prober, Register, Resolver, Surroundings, Target, Timeouts, Tls,
    Worker,
};
use meridian_model::{
    AccountId, CheckerRegion, Endpoint, HealthCheckId, HealthSlot, ProbeRights, Protocol, Seq,
    Timestamp,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Probe many local endpoints, and print what it costs.
#[derive(Parser)]
struct Arguments {
    /// How many checks.
    #[arg(long, default_value_t = 100_000)]
    checks: u32,
    /// Seconds between two probes of one.
    #[arg(long, default_value_t = 30)]
    interval: u8,
    /// Seconds of each phase, after as long as an interval to get going.
    #[arg(long, default_value_t = 30)]
    secs: u64,
    /// The most probes under way.
    #[arg(long, default_value_t = 16_000)]
    room: usize,
    /// The most probes under way for one account; three of four, unless told.
    #[arg(long)]
    account_room: Option<usize>,
    /// How many accounts the checks are of.
    #[arg(long, default_value_t = 1)]
    accounts: u32,
    /// So many of 100 checks are by HTTPS.
    #[arg(long, default_value_t = 20)]
    https: u32,
    /// So many of 100 are of endpoints that refuse.
    #[arg(long, default_value_t = 2)]
    refused: u32,
    /// So many of 100 are of endpoints that say nothing.
    #[arg(long, default_value_t = 1)]
    silent: u32,
    /// So many of 100 are of endpoints that take their time.
    #[arg(long, default_value_t = 1)]
    slow: u32,
    /// Be the endpoints instead, until the standard input ends.
    #[arg(long, hide = true)]
    serve: bool,
}

/// How often it is looked how the checker fares.
const LOOK_EVERY: Duration = Duration::from_millis(100);

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.serve {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        return { runtime }
            .enable_all()
            .build()?
            .block_on(endpoints::serve());
    }
    // As `meridian serve` has it for its checkers.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(measure(&arguments))
}

/// Neither the disk nor the clock is measured.
struct Still(u64);

impl Surroundings for Still {
    fn now(&mut self) -> Timestamp {
        Timestamp(0)
    }

    fn entropy(&mut self) -> u64 {
        self.0 = data::mix(self.0);
        self.0
    }

    fn keep(&mut self, _number: u64) -> bool {
        true
    }
}

async fn measure(arguments: &Arguments) -> Result<()> {
    let Arguments {
        https,
        refused,
        silent,
        slow,
        ..
    } = *arguments;
    ensure!(
        https + refused + silent + slow <= 100,
        "there are 100 of 100 checks"
    );
    let endpoints = Endpoints::start("--serve")?;
    let before = resident()?;
    let (assigned, desk) = checker(arguments, endpoints.ports)?;
    let interval = Duration::from_secs(arguments.interval.into());
    let phase = Duration::from_secs(arguments.secs);
    let mut out = io::stdout().lock();
    let checks = f64::from(arguments.checks);
    writeln!(
        out,
        "{checks} checks every {} s, at least {:.0} probes a second; of 100 are {https} by HTTPS, \
         {refused} refused, {silent} silent, {slow} slow; at most {} under way",
        arguments.interval,
        checks / interval.as_secs_f64(),
        arguments.room,
    )?;
    writeln!(out, "beginning   {}", figures(&desk, interval).await?)?;
    writeln!(out, "as told     {}", figures(&desk, phase).await?)?;
    endpoints.set(Alive::Stopped)?;
    writeln!(out, "all silent  {}", figures(&desk, phase).await?)?;
    endpoints.set(Alive::Running)?;
    writeln!(out, "coming back {}", figures(&desk, interval).await?)?;
    writeln!(out, "back        {}", figures(&desk, phase).await?)?;
    endpoints.end()?;
    writeln!(out, "all gone    {}", figures(&desk, phase).await?)?;
    let grown = resident()?.saturating_sub(before);
    let per_check = grown as f64 / checks;
    writeln!(out, "memory      {per_check:.0} bytes a check at most")?;
    let table = desk.tables().borrow().len();
    writeln!(out, "table       {table} bytes, a second")?;
    drop(assigned);
    Ok(())
}

/// A checker at work on checks of these ports.
fn checker(
    arguments: &Arguments,
    ports: Ports,
) -> Result<(watch::Sender<Arc<Assigned>>, Arc<Desk>)> {
    let key = CheckerKey::from_seed(&[7; 32])?;
    let name = CheckerName::new("bench")?;
    let register = Register::new(vec![Checker {
        name: name.clone(),
        region: CheckerRegion::stored("us-east-1"),
        key: key.public(),
    }])?;
    let mut limits = CapLimits::of(arguments.room);
    if let Some(room) = arguments.account_room {
        limits.per_account = room;
    }
    let prober = Prober {
        guard: Guard::default(),
        caps: Caps::new(limits),
        resolver: Resolver::new(&[], Duration::from_secs(1)),
        tls: Tls::trusting_nobody()?,
        timeouts: Timeouts::default(),
        contact: None,
    };
    let identity = Identity {
        name,
        key,
        counter: Counter::resume(0, 1),
    };
    let (worker, desk) = Worker::new(identity, Arc::new(register), Arc::new(prober), Still(1));
    let checks = (0..arguments.checks).map(|slot| assignment(slot, arguments, ports));
    let checks = Assigned {
        checks: checks.collect::<Result<_>>()?,
        known_through: Seq(1),
    };
    let (assigned, given) = watch::channel(Arc::new(checks));
    tokio::spawn(worker.run(given));
    Ok((assigned, desk))
}

/// What the check with this number is of. Of ten that are nothing else one is of TCP, one looks for
/// a string, the others want a status.
fn endpoint(number: u32, arguments: &Arguments, ports: Ports) -> Endpoint {
    let kinds = [
        (arguments.https, Protocol::Https, ports.tls),
        (arguments.refused, Protocol::Http, ports.nobody),
        (arguments.silent, Protocol::Http, ports.silent),
        (arguments.slow, Protocol::Http, ports.slow),
    ];
    let mut left = number % 100;
    let kind = kinds.into_iter().find(|(share, ..)| {
        let is_it = left < *share;
        left = left.saturating_sub(*share);
        is_it
    });
    let tenth = number / 100 % 10;
    let (protocol, port) = match kind {
        Some((_, protocol, port)) => (protocol, port),
        None if tenth == 0 => (Protocol::Tcp, ports.plain),
        None => (Protocol::Http, ports.plain),
    };
    Endpoint {
        protocol,
        search_string: (tenth == 1).then(|| "well".to_owned()),
        request_interval_s: arguments.interval,
        ..data::endpoint(number, port)
    }
}

fn assignment(slot: u32, arguments: &Arguments, ports: Ports) -> Result<(u32, Duty)> {
    let account = format!("{:012}", 1 + slot % arguments.accounts.max(1));
    let assignment = Assignment {
        slot: HealthSlot {
            slot,
            incarnation: 1,
        },
        rights: ProbeRights::Everything,
        target: Target {
            account: AccountId::new(&account).map_err(|_| anyhow!("no account"))?,
            id: HealthCheckId::new(&data::check_id(slot.into())).map_err(|_| anyhow!("no id"))?,
            endpoint: endpoint(slot, arguments, ports),
            certificate: Certificate::Any,
        },
    };
    Ok((slot, Duty::Probe(Arc::new(assignment))))
}

/// What a phase costs.
async fn figures(desk: &Desk, phase: Duration) -> Result<String> {
    let (began, cpu, before) = (Instant::now(), cpu_s()?, desk.workload());
    let (mut sockets, mut under_way) = (0, 0);
    let (mut late, mut overdue) = (Vec::new(), Vec::new());
    while began.elapsed() < phase {
        sleep(LOOK_EVERY).await;
        let workload = desk.workload();
        sockets = sockets.max(descriptors()?);
        under_way = under_way.max(workload.under_way);
        late.push(workload.lateness);
        overdue.push(workload.overdue);
    }
    let after = desk.workload();
    let secs = began.elapsed().as_secs_f64();
    let probes = (after.probed - before.probed) as f64;
    let cpu = cpu_s()? - cpu;
    Ok(format!(
        "{:.0} probes/s, CPU {:.0} % of a core ({:.0} us a probe), {:.0} MB, {sockets} \
         descriptors and {under_way} probes at most; most overdue check, p50/p99/max: {}; loop late: \
         {}; put off {}, unable {}",
        probes / secs,
        100.0 * cpu / secs,
        1e6 * cpu / probes.max(1.0),
        resident()? as f64 / (1024.0 * 1024.0),
        spread(overdue),
        spread(late),
        after.put_off - before.put_off,
        after.unable - before.unable,
    ))
}

/// The median, the 99th of a hundred, and the most, in milliseconds.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(place).map_or(0, Duration::as_millis)
    };
    format!("{}/{}/{} ms", at(50), at(99), at(100))
}
