//! What probing costs: one checker with many checks of local endpoints, first all well, then all
//! gone at once. The endpoints are another process, so the figures are the checker's own: its CPU
//! time, memory and sockets.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{self, Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use meridian_health::{
    Assigned, Assignment, CapLimits, Caps, Certificate, Checker, CheckerKey, CheckerName, Counter,
    Desk, Guard, Identity, Prober, Register, Resolver, Surroundings, Target, Timeouts, Tls, Worker,
};
use meridian_model::{
    AccountId, CheckerRegion, Endpoint, HealthCheckId, HealthSlot, ProbeRights, Protocol, Seq,
    Timestamp,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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
    #[arg(long, default_value_t = 4000)]
    room: usize,
    /// Be the endpoints instead, until the standard input ends.
    #[arg(long, hide = true)]
    serve: bool,
}

/// Addresses that the checks are spread over: one listener has all of 127.0.0.0/8.
const ADDRESSES: u32 = 60_000;
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 1);
/// How often sockets are counted.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The kernel tells CPU time in these.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    if arguments.serve {
        runtime.block_on(serve())
    } else {
        runtime.block_on(measure(&arguments))
    }
}

/// Answers everybody, and tells the port.
async fn serve() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    // Whoever started this may be gone before it says so.
    thread::spawn(|| {
        let _ = io::stdin().read_line(&mut String::new());
        process::exit(0);
    });
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    loop {
        let (stream, _) = listener.accept().await?;
        // One that breaks off is none of our business.
        tokio::spawn(async move { answer(stream).await.ok() });
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; 1024];
    let mut len = 0;
    while !request[..len].ends_with(b"\r\n\r\n") {
        match stream.read(&mut request[len..]).await? {
            0 => return Ok(()),
            more => len += more,
        }
    }
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nall is well\n";
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// The endpoints, in a process of their own.
fn endpoints() -> Result<(Child, u16)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().context("it was asked for")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok((child, line.trim().parse()?))
}

/// Neither the disk nor the clock is measured.
struct Still(u64);

impl Surroundings for Still {
    fn now(&mut self) -> Timestamp {
        Timestamp(0)
    }

    fn entropy(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0
    }

    fn keep(&mut self, _number: u64) -> bool {
        true
    }
}

async fn measure(arguments: &Arguments) -> Result<()> {
    let (mut child, port) = endpoints()?;
    let before = resident()?;
    let (assigned, desk) = checker(arguments, port)?;
    let interval = Duration::from_secs(arguments.interval.into());
    let phase = Duration::from_secs(arguments.secs);
    let mut out = io::stdout().lock();
    let checks = f64::from(arguments.checks);
    writeln!(
        out,
        "{checks} checks every {} s: at least {:.0} probes a second",
        arguments.interval,
        checks / interval.as_secs_f64()
    )?;
    sleep(interval).await;
    writeln!(out, "all well    {}", figures(&desk, phase).await?)?;
    child.kill()?;
    child.wait()?;
    writeln!(out, "all fail    {}", figures(&desk, phase).await?)?;
    let grown = resident()?.saturating_sub(before);
    let per_check = grown as f64 / checks;
    writeln!(out, "memory      {per_check:.0} bytes a check at most")?;
    let table = desk.tables().borrow().len();
    writeln!(out, "table       {table} bytes, a second")?;
    drop(assigned);
    Ok(())
}

/// A checker at work on checks of this port.
fn checker(arguments: &Arguments, port: u16) -> Result<(watch::Sender<Arc<Assigned>>, Arc<Desk>)> {
    let key = CheckerKey::from_seed(&[7; 32])?;
    let name = CheckerName::new("bench")?;
    let register = Register::new(vec![Checker {
        name: name.clone(),
        region: CheckerRegion::stored("us-east-1"),
        key: key.public(),
    }])?;
    let prober = Prober {
        guard: Guard::default(),
        caps: Caps::new(CapLimits {
            in_all: arguments.room,
            per_address: arguments.room,
            per_account: arguments.room,
        }),
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
    let checks = (0..arguments.checks).map(|slot| assignment(slot, arguments.interval, port));
    let checks = Assigned {
        checks: checks.collect::<Result<_>>()?,
        known_through: Seq(1),
    };
    let (assigned, given) = watch::channel(Arc::new(checks));
    tokio::spawn(worker.run(given));
    Ok((assigned, desk))
}

/// Of ten checks one is of TCP, one looks for a string, the others want a status.
fn assignment(slot: u32, interval_s: u8, port: u16) -> Result<(u32, Arc<Assignment>)> {
    let id = format!("{slot:08x}-0000-4000-8000-000000000000");
    let protocol = if slot.is_multiple_of(10) {
        Protocol::Tcp
    } else {
        Protocol::Http
    };
    let address = u32::from(FIRST_ADDRESS) + slot % ADDRESSES;
    let assignment = Assignment {
        slot: HealthSlot {
            slot,
            incarnation: 1,
        },
        account: AccountId::new("123456789012").map_err(|_| anyhow!("no account"))?,
        rights: ProbeRights::Everything,
        target: Target {
            id: HealthCheckId::new(&id).map_err(|_| anyhow!("no id"))?,
            endpoint: Endpoint {
                protocol,
                ip_address: Some(IpAddr::from(Ipv4Addr::from(address))),
                domain_name: None,
                port,
                path: None,
                search_string: (slot % 10 == 1).then(|| "well".to_owned()),
                request_interval_s: interval_s,
                failure_threshold: 3,
                measure_latency: false,
                enable_sni: false,
                regions: Vec::new(),
            },
            certificate: Certificate::Any,
        },
    };
    Ok((slot, Arc::new(assignment)))
}

/// What a phase costs.
async fn figures(desk: &Desk, phase: Duration) -> Result<String> {
    let (began, cpu, probed) = (Instant::now(), cpu_s()?, desk.workload().probed);
    let mut sockets = 0;
    let mut lateness = Duration::ZERO;
    let mut overdue = Duration::ZERO;
    while began.elapsed() < phase {
        sleep(LOOK_EVERY).await;
        sockets = sockets.max(fs::read_dir("/proc/self/fd")?.count());
        let workload = desk.workload();
        lateness = lateness.max(workload.lateness);
        overdue = overdue.max(workload.overdue);
    }
    let workload = desk.workload();
    let secs = began.elapsed().as_secs_f64();
    let probes = (workload.probed - probed) as f64;
    let cpu = cpu_s()? - cpu;
    Ok(format!(
        "{:.0} probes a second, CPU {:.0} % of a core ({:.0} us a probe), {:.0} MB, {sockets} \
         descriptors at most, loop late by {} ms, checks by {} ms at most, {} not made",
        probes / secs,
        100.0 * cpu / secs,
        1e6 * cpu / probes.max(1.0),
        mega(resident()?),
        lateness.as_millis(),
        overdue.as_millis(),
        workload.unable + workload.put_off,
    ))
}

/// CPU time of this process, in seconds.
fn cpu_s() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name before may hold anything but this.
    let (_, fields) = stat.rsplit_once(") ").context("no fields")?;
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// Resident memory, in bytes.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(1024 * kilobytes.context("no VmRSS")?.parse::<u64>()?)
}

fn mega(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
