//! Start, wire, stop.
//!
//! DNS has a runtime and threads of its own: nothing the control plane does can starve it. How a
//! running server is replaced is in `house` and `replace`, what is left of it without a journal in
//! `dns_alone`.

mod collector;
mod control_plane;
mod dns;
mod dns_alone;
mod doors;
mod house;
mod last_used;
mod measuring;
mod signals;

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use meridian_answer::HashKey;
use meridian_control::{Control, Environment, FirstStart, SystemEnvironment};
use meridian_log::{Journal, Tables};
use meridian_model::{AccountId, Seq};
use meridian_server::Live;
use tokio::runtime::{Builder, Runtime};

use crate::alarms;
use crate::audit::AuditLog;
use crate::break_glass::BreakGlassFile;
use crate::certificate::Keeper;
use crate::checkers::{self, EventLog};
use crate::condition::Condition;
use crate::config::Config;
use crate::credentials;
use crate::descriptors;
use crate::feed::Feed;
use crate::geo;
use crate::identity;
use crate::latency;
use crate::logging;
use crate::metrics::Metrics;
use crate::monitor::Monitor;
use crate::panics;
use crate::replace::Predecessor;
use crate::store::{self, Files};
use crate::taps::Taps;
use crate::targets;
use crate::webhooks::Webhooks;

use control_plane::ControlPlane;
use dns::Dns;
use doors::Doors;
use house::House;
use measuring::Measuring;
use signals::{HangUp, Signals};

/// How long the files may stay locked after the process that had them is gone.
const FREE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often it is tried to open them.
const FREE_PAUSE: Duration = Duration::from_millis(20);
/// How long the first entry may take until it is served.
const SERVED_TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is looked whether it is.
const SERVED_PAUSE: Duration = Duration::from_millis(2);

/// Runs the server until it is told to stop or replaced.
pub(crate) fn run(config: &Config, predecessor: Option<&Predecessor>) -> Result<()> {
    logging::start();
    panics::tell_at_once();
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    descriptors::take();
    let runtimes = Runtimes::new(config)?;
    let hang_up = runtimes.control.block_on(async { HangUp::listen() })?;
    if let Some(predecessor) = predecessor {
        return succeed(config, runtimes, predecessor, hang_up);
    }
    store::prepare(&config.data_dir)?;
    let tables = store::open_tables(&config.data_dir, config.storage.cache_mib)?;
    match Files::open_beside(Arc::clone(&tables), &config.data_dir) {
        Ok(files) => {
            drop(tables);
            begin(config, runtimes, files, hang_up)
        }
        Err(error) if tables.head().seq > Seq(0) => {
            tracing::error!(
                %error,
                "answering DNS only, from the tables; no API and no changes until this is mended \
                 and the server started again: {error:#}"
            );
            let why = format!("{error:#}");
            dns_alone::run(config, &runtimes, &tables, (&why, hang_up))
        }
        Err(error) => Err(error),
    }
}

/// Where tasks run.
struct Runtimes {
    /// The API, the admin socket, health.
    control: Runtime,
    /// DNS over connections.
    dns: Runtime,
    /// The same where it is encrypted.
    keeper: Option<Keeper>,
}

impl Runtimes {
    fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            control: runtime("control", 2)?,
            dns: runtime("dns-tcp", 1)?,
            keeper: config.dns.tls.as_ref().map(Keeper::start).transpose()?,
        })
    }
}

/// Both planes, in a directory where no other server is at work.
fn begin(config: &Config, runtimes: Runtimes, files: Files, hang_up: HangUp) -> Result<()> {
    let started = Instant::now();
    let condition = Arc::<Condition>::default();
    let places = geo::start(&config.geo, &condition)?;
    let map = latency::start(&config.data_dir, &condition)?;
    let mut feed = load(config, &files, &condition)?;
    places.wait()?;
    map.wait()?;
    feed.take_atlas();
    let live = Arc::new(Live::new(feed.world()));
    // Ports are taken before anything is written down: a second server here changes nothing.
    let doors = runtimes.control.block_on(Doors::open(config, Vec::new()))?;
    let taps = Taps::start(config, &condition)?;
    let audit = AuditLog::start(config, &condition)?;
    let events = EventLog::start(config, &condition)?;
    let webhooks = Webhooks::start(config, &condition)?;
    let config_of_dns = server_config(config, &runtimes, &feed, &taps)?;
    let known = (live, condition, taps);
    let mut dns = Dns::start(config_of_dns, Vec::new(), known, &runtimes.dns)?;
    dns.begin_quic()?;
    let control_plane =
        ControlPlane::start(config, files, feed, (dns.live(), runtimes.control.handle()))?;
    let first = first_start(control_plane.control(), config)?;
    if first.is_some() {
        wait_for_first_entry(dns.condition());
    }
    say_started(config, &dns, started);
    if first.is_some() {
        welcome(config);
    }
    warn_of_idle_addresses(control_plane.control(), config)?;
    let told = Arc::clone(dns.condition());
    let signals = runtimes
        .control
        .block_on(async { Signals::listen(told, hang_up) })?;
    House {
        config,
        runtimes,
        doors,
        dns,
        signals,
        audit,
        _events: events,
        _webhooks: webhooks,
    }
    .run(control_plane)
}

/// Both planes, taken over from a running server.
fn succeed(
    config: &Config,
    runtimes: Runtimes,
    predecessor: &Predecessor,
    hang_up: HangUp,
) -> Result<()> {
    let mut inheritance = runtimes
        .control
        .block_on(predecessor.inherit(&config.data_dir))?;
    let (of_dns, others) = dns::separate(inheritance.take_sockets());
    let doors = runtimes.control.block_on(Doors::open(config, others))?;
    let condition = Arc::<Condition>::default();
    // While the other process still takes changes.
    let places = geo::start(&config.geo, &condition)?;
    let map = latency::start(&config.data_dir, &condition)?;
    runtimes.control.block_on(inheritance.wait_for_files())?;
    let started = Instant::now();
    let files = open_when_free(config)?;
    let mut feed = load(config, &files, &condition)?;
    places.wait()?;
    map.wait()?;
    feed.take_atlas();
    let live = Arc::new(Live::new(feed.world()));
    let taps = Taps::start(config, &condition)?;
    let audit = AuditLog::start(config, &condition)?;
    let events = EventLog::start(config, &condition)?;
    let webhooks = Webhooks::start(config, &condition)?;
    let config_of_dns = server_config(config, &runtimes, &feed, &taps)?;
    let known = (live, condition, taps);
    let mut dns = Dns::start(config_of_dns, of_dns, known, &runtimes.dns)?;
    let control_plane =
        ControlPlane::start(config, files, feed, (dns.live(), runtimes.control.handle()))?;
    let told = Arc::clone(dns.condition());
    let signals = runtimes
        .control
        .block_on(async { Signals::listen(told, hang_up) })?;
    say_started(config, &dns, started);
    runtimes.control.block_on(inheritance.wait_for_quiet())?;
    dns.begin_quic()?;
    warn_of_idle_addresses(control_plane.control(), config)?;
    let house = House {
        config,
        runtimes,
        doors,
        dns,
        signals,
        audit,
        _events: events,
        _webhooks: webhooks,
    };
    house.runtimes.control.block_on(inheritance.finish());
    house.run(control_plane)
}

/// Opens the files, which a process that died a moment ago may still be losing.
fn open_when_free(config: &Config) -> Result<Files> {
    let give_up = Instant::now() + FREE_TIMEOUT;
    loop {
        match Files::open(config) {
            Err(_) if Instant::now() < give_up => thread::sleep(FREE_PAUSE),
            outcome => return outcome,
        }
    }
}

/// A feed that has read all there is and built a World of it.
fn load(config: &Config, files: &Files, condition: &Arc<Condition>) -> Result<Feed> {
    let journal: Arc<dyn Journal> = Arc::clone(&files.journal) as _;
    let tables = Arc::clone(&files.tables);
    let views = config.views();
    let feed = Feed::new(journal, tables, Arc::clone(condition), views, hash_key());
    let mut feed = feed.heeding(Arc::new(BreakGlassFile::open(&config.data_dir)));
    feed.catch_up()?;
    restore(config, &files.tables, condition)?;
    feed.load()?;
    Ok(feed)
}

/// Has known from the first answer on what was known of checks and targets last.
fn restore(config: &Config, tables: &Tables, condition: &Condition) -> Result<()> {
    let snapshot = tables.read()?;
    checkers::restore(config, &snapshot, condition.board())?;
    alarms::restore(config, &snapshot, condition.board())?;
    targets::restore(config, condition.targets());
    Ok(())
}

/// What the monitor shows of this process.
fn monitor(
    config: &Config,
    dns: &Dns,
    keeper: Option<&Keeper>,
    doors: Option<&Doors>,
    measuring: Option<&Measuring>,
) -> Monitor {
    let (live, condition) = (Arc::clone(dns.live()), Arc::clone(dns.condition()));
    let metrics = Metrics::new(live, Arc::clone(&condition), config.metrics.top_zones)
        .with_checks(config.metrics.top_health_checks)
        .with_certificate("dns.tls", keeper.map(Keeper::certificate))
        .with_certificate("api.tls", doors.and_then(Doors::certificate))
        .with_certificate("beacon.tls", doors.and_then(Doors::beacon_certificate))
        .with_beacon(measuring.map(Measuring::counts))
        .with_clients(doors.map(Doors::clients).cloned().unwrap_or_default());
    Monitor::new(condition, metrics)
}

fn runtime(name: &str, threads: usize) -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()?)
}
/// What the server that answers DNS is told.
fn server_config(
    config: &Config,
    runtimes: &Runtimes,
    feed: &Feed,
    taps: &Taps,
) -> Result<meridian_server::Config> {
    let identity = Arc::new(identity::load(config)?);
    Ok(meridian_server::Config {
        encryption: runtimes.keeper.as_ref().map(Keeper::encryption),
        taps: taps.server(),
        ..config.server(feed.views(), identity)
    })
}

fn hash_key() -> HashKey {
    let entropy = SystemEnvironment::new().entropy();
    let (words, _) = entropy.as_chunks::<8>();
    HashKey([u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])])
}

fn first_start(control: &Control, config: &Config) -> Result<Option<AccountId>> {
    let first = FirstStart {
        domain: config.pool_domain()?,
        addresses: config.pool_addresses(),
    };
    let keep =
        |key: &_| credentials::write(&config.data_dir, key).map_err(|error| format!("{error:#}"));
    Ok(control.first_start(&first, keep)?)
}

/// Waits until the pool is answered: whoever hears that this server is ready may ask for it. A feed
/// that takes longer is told of by its readiness.
fn wait_for_first_entry(condition: &Condition) {
    let give_up = Instant::now() + SERVED_TIMEOUT;
    while condition.progress().applied < Some(Seq(1)) && Instant::now() < give_up {
        thread::sleep(SERVED_PAUSE);
    }
}

/// An address that no name of the pool is at looks open and refuses everything.
fn warn_of_idle_addresses(control: &Control, config: &Config) -> Result<()> {
    let pool = control.name_servers()?;
    for address in config.dns_addresses() {
        if !address.is_unspecified() && !pool.iter().any(|name| name.addresses.contains(&address)) {
            tracing::warn!(
                %address,
                "no name server of the pool is at {address}, so every query there is refused: \
                 move one there with `meridian nameserver set`, or add one"
            );
        }
    }
    Ok(())
}

/// What to type next, for the one time that nobody knows it yet.
fn welcome(config: &Config) {
    let path = credentials::path(&config.data_dir);
    let path = fs::canonicalize(&path).unwrap_or(path);
    let Some(dns) = config.dns.listen.first() else {
        return;
    };
    let console = match config.api.console {
        true => format!(
            "\n  or sign in with it at http://{}/console/\n",
            config.api.listen
        ),
        false => String::new(),
    };
    tracing::info!(
        "first start: the operator's access key is in {path}. To try it:\n\n  \
         export AWS_SHARED_CREDENTIALS_FILE='{path}' AWS_DEFAULT_REGION=us-east-1\n  \
         aws --profile default --endpoint-url http://{api} route53 create-hosted-zone \\\n         \
         --name example.test --caller-reference first\n  \
         dig @{address} -p {port} example.test SOA\n{console}",
        path = path.display(),
        api = config.api.listen,
        address = config
            .pool_addresses()
            .first()
            .copied()
            .unwrap_or_else(|| dns.ip()),
        port = dns.port(),
    );
}

fn say_started(config: &Config, dns: &Dns, started: Instant) {
    let addresses: Vec<String> = dns.addresses().iter().map(SocketAddr::to_string).collect();
    tracing::info!(
        data_dir = %config.data_dir.display(),
        took_ms = started.elapsed().as_millis(),
        "answering DNS on {}",
        addresses.join(", "),
    );
    for (role, address) in dns.encrypted_addresses() {
        tracing::info!(%address, "answering encrypted DNS on {address}: {}", role.name());
    }
}
