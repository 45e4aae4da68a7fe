//! Asking at work: a thread of its own that looks which targets answers need, asks resolvers for
//! those whose time it is, and keeps what was heard.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use meridian_answer::NeededTargets;
use meridian_control::{Environment, SystemEnvironment};
use meridian_model::Network;
use meridian_server::Live;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time::{self, Instant};

use super::Targets;
use super::ask::{Failure, Stub, Told};
use super::book::{Entry, Job, Key};
use super::file::TargetsFile;
use super::judge::{ForNetwork, Heard};
use super::places::Places;
use super::reply::{Fault, MAX_DATA, Said, bytes};
use super::resolvers::Resolvers;
use crate::checkers;
use crate::condition::Condition;
use crate::config;

/// How often it is looked which targets are needed, and whose time it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What was heard is answered by after so long at the latest, and longer where there are many
/// targets: making the table takes time, which changes of zones must not wait for.
const POST_EVERY: Duration = Duration::from_millis(100);
const POST_PER_TARGET: Duration = Duration::from_micros(10);
/// What is left of TTLs is told anew as often, where nothing was heard.
const AGE_EVERY: Duration = Duration::from_secs(1);
const AGE_PER_TARGET: Duration = Duration::from_micros(200);
/// How often a file is written at most, and what it may take of all time.
const WRITE_EVERY: Duration = Duration::from_secs(1);
const WRITE_SHARE: u32 = 20;
/// How often it is looked who the system's resolvers are.
const RESOLVERS_EVERY: Duration = Duration::from_secs(10);
/// For how long a target's networks are asked for; what is known of the others stays as it is.
const NETWORKS_PATIENCE: Duration = Duration::from_secs(20);
/// What data for a target's networks may have together; networks beyond get what everybody does.
const NETWORKS_DATA: usize = 4 * MAX_DATA;

/// Asks until it is dropped; then what is known is on the disk.
pub(crate) struct Resolution {
    ended: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl Resolution {
    /// Starts it. What was known last is restored already.
    pub(crate) fn start(
        config: &config::Config,
        condition: &Arc<Condition>,
        live: &Arc<Live>,
    ) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("targets")
            .enable_all()
            .build()?;
        let (end, ended) = watch::channel(());
        let resolvers = Resolvers::new(&config.targets.resolvers, checkers::guard(config));
        let patience = config.targets.patience();
        let shop = Shop {
            condition: Arc::clone(condition),
            live: Arc::clone(live),
            stub: Arc::new(Stub::new(&resolvers.list(), patience)),
            resolvers,
            patience,
            networks: config.targets.client_subnets.as_slice().into(),
            places: Places::new(config.targets.max_queries),
            file: TargetsFile::of(&config.data_dir),
            needed: None,
            asking: JoinSet::new(),
            jobs: HashMap::new(),
            is_new: false,
            is_unwritten: false,
        };
        let handle = runtime.handle().clone();
        let thread = thread::Builder::new().name("targets".to_owned());
        let thread = thread.spawn(move || handle.block_on(shop.work(ended)))?;
        Ok(Self {
            ended: Some(end),
            thread: Some(thread),
            runtime: Some(runtime),
        })
    }
}

impl Drop for Resolution {
    fn drop(&mut self) {
        drop(self.ended.take());
        let worked = self.thread.take().map(JoinHandle::join);
        if worked.is_some_and(|worked| worked.is_err()) {
            tracing::error!("asking for external alias targets ended by a panic");
        }
        if let Some(runtime) = self.runtime.take() {
            // Questions under way are given up.
            runtime.shutdown_background();
        }
    }
}

/// All that asking needs.
struct Shop {
    condition: Arc<Condition>,
    live: Arc<Live>,
    resolvers: Resolvers,
    stub: Arc<Stub>,
    patience: Duration,
    /// Whose clients are asked for, where a target makes a difference.
    networks: Arc<[Network]>,
    /// For questions under way.
    places: Places,
    file: TargetsFile,
    /// What answers needed at the last look.
    needed: Option<NeededTargets>,
    asking: JoinSet<Result<Heard, Failure>>,
    jobs: HashMap<task::Id, Job>,
    /// Something was heard that is not answered by yet.
    is_new: bool,
    /// Or is not on the disk yet.
    is_unwritten: bool,
}

impl Shop {
    async fn work(mut self, mut ended: watch::Receiver<()>) {
        let now = Instant::now();
        let (mut posted, mut resolved) = (now, now);
        let mut next_write = now;
        let mut writing: Option<task::JoinHandle<Instant>> = None;
        loop {
            self.follow_world();
            if resolved.elapsed() >= RESOLVERS_EVERY {
                resolved = Instant::now();
                self.follow_resolvers();
            }
            self.begin();
            tokio::select! {
                _ = ended.changed() => break,
                Some(asked) = self.asking.join_next_with_id(), if !self.asking.is_empty() => {
                    self.end(asked);
                    // Whatever else is there already.
                    while let Some(asked) = self.asking.try_join_next_with_id() {
                        self.end(asked);
                    }
                }
                () = time::sleep(LOOK_EVERY) => {}
            }
            if posted.elapsed() >= self.post_every() {
                posted = Instant::now();
                self.is_new = false;
                self.condition.targets().changed();
            }
            if let Some(done) = writing.take_if(|writing| writing.is_finished()) {
                next_write = done.await.unwrap_or_else(|_| Instant::now() + WRITE_EVERY);
            }
            if self.is_unwritten && writing.is_none() && Instant::now() >= next_write {
                self.is_unwritten = false;
                let (file, entries) = (self.file.clone(), self.entries());
                writing = Some(task::spawn_blocking(move || write(&file, &entries)));
            }
        }
        if let Some(writing) = writing {
            // The next one would write to the same place.
            let _ = writing.await;
        }
        if self.is_unwritten {
            write(&self.file, &self.entries());
        }
    }

    /// How long after a table is made the next one may be.
    fn post_every(&self) -> Duration {
        let count = self.condition.targets().book().len();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match (self.is_new, count) {
            (true, count) => POST_EVERY + POST_PER_TARGET * count,
            (false, 0) => Duration::MAX,
            (false, count) => AGE_EVERY + AGE_PER_TARGET * count,
        }
    }

    /// Copies of all targets, so that nobody waits for the disk.
    fn entries(&self) -> Vec<Entry> {
        self.condition.targets().book().entries().cloned().collect()
    }

    /// Looks which targets answers need.
    fn follow_world(&mut self) {
        let needed = self.live.load().external_targets().clone();
        if self
            .needed
            .as_ref()
            .is_some_and(|known| known.is_same(&needed))
        {
            return;
        }
        let keys = needed.targets();
        let targets = self.condition.targets();
        targets.book().need(&keys, targets.now());
        self.needed = Some(needed);
        (self.is_new, self.is_unwritten) = (true, true);
    }

    /// Looks who the resolvers are.
    fn follow_resolvers(&mut self) {
        let resolvers = self.resolvers.list();
        if resolvers != self.stub.servers() {
            tracing::info!("external alias targets are asked of {resolvers:?}");
            self.stub = Arc::new(Stub::new(&resolvers, self.patience));
        }
    }

    /// Begins to ask for those whose time it is.
    fn begin(&mut self) {
        let targets = Arc::clone(self.condition.targets());
        let now = targets.now();
        let nobody = self.stub.servers().is_empty() && targets.book().len() > 0;
        targets.nobody_to_ask.store(nobody, Ordering::Relaxed);
        let next = |lane| targets.book().next(lane, now);
        while let Some(job) = self.places.open().find_map(next) {
            let known = targets.book().networks_of(job.id);
            let (stub, networks) = (Arc::clone(&self.stub), Arc::clone(&self.networks));
            let key = job.key.clone();
            let clock = Arc::clone(&targets);
            let asking = async move { ask(&stub, &key, (&networks, known), &clock).await };
            let task = self.asking.spawn(asking).id();
            self.places.begin(job.lane);
            self.jobs.insert(task, job);
        }
    }

    /// Takes up what came of asking.
    fn end(&mut self, asked: Result<(task::Id, Result<Heard, Failure>), task::JoinError>) {
        let (task, outcome) = match asked {
            Ok(asked) => asked,
            Err(error) => {
                let fault = Failure::Fault(Fault::Unreadable);
                tracing::error!(%error, "a question for an alias target ended by a panic");
                (error.id(), Err(fault))
            }
        };
        let Some(job) = self.jobs.remove(&task) else {
            return;
        };
        self.places.end(job.lane);
        let targets = self.condition.targets();
        let said = outcome.as_ref().map(|heard| &heard.said);
        targets.lookups.count(said.map_err(|failure| *failure));
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = SystemEnvironment::new().entropy();
        let chance = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        targets
            .book()
            .take(job.id, outcome, (targets.now(), chance));
        (self.is_new, self.is_unwritten) = (true, true);
    }
}

/// Writes; returns when that may be done again.
fn write(file: &TargetsFile, entries: &[Entry]) -> Instant {
    let began = Instant::now();
    if let Err(error) = file.write(entries) {
        tracing::error!(%error, "what is known of alias targets is not kept: {error:#}");
    }
    Instant::now() + WRITE_EVERY.max(began.elapsed() * WRITE_SHARE)
}

/// Asks for a target, and for clients of each network where it makes a difference. What was known of
/// networks stays where nobody can say.
async fn ask(
    stub: &Stub,
    (name, rtype): &Key,
    (networks, known): (&[Network], Vec<ForNetwork>),
    clock: &Targets,
) -> Result<Heard, Failure> {
    let asked = (name, *rtype);
    let Told { said, source, .. } = stub.resolve(asked, None).await?;
    let Said::Records { data, mut ttl_s } = said else {
        return Ok(Heard {
            said,
            for_networks: Vec::new(),
            source,
        });
    };
    let mut for_networks = Vec::new();
    let heard = Instant::now();
    // Any may be the first where not all may be asked for in time, so that all of them come.
    let start = match known.is_empty() {
        true => 0,
        false => usize::from(SystemEnvironment::new().entropy()[0]) % networks.len().max(1),
    };
    let places = networks.iter().enumerate();
    for (place, network) in places.cycle().skip(start).take(networks.len()) {
        let told = match heard.elapsed() < NETWORKS_PATIENCE {
            true => stub.resolve(asked, Some(*network)).await,
            false => Err(Failure::NoReply),
        };
        match told {
            Ok(told) => {
                let scope = told.scope.unwrap_or(0).min(network.prefix_len());
                if let Said::Records { data, ttl_s: own_s } = told.said
                    && scope > 0
                    && let Some(network) = Network::new(network.address(), scope)
                {
                    ttl_s = ttl_s.min(own_s);
                    for_networks.push(ForNetwork {
                        network,
                        heard_at: clock.now(),
                        data,
                    });
                }
                // Who made none yet, and makes no difference for the first, makes none.
                if scope == 0 && place == 0 && known.is_empty() {
                    break;
                }
            }
            Err(_) if known.is_empty() && place == 0 => break,
            Err(_) => {
                let same = known.iter().filter(|known| known.network.overlaps(network));
                for_networks.extend(same.cloned());
            }
        }
    }
    // Of the same network what was heard last.
    for_networks.sort_unstable_by_key(|own| (own.network, Reverse(own.heard_at)));
    for_networks.dedup_by(|a, b| a.network == b.network);
    let mut room = NETWORKS_DATA;
    for_networks.retain(|own| {
        let left = room.checked_sub(bytes(&own.data));
        room = left.unwrap_or(room);
        left.is_some()
    });
    // The time that this took is over for what was heard first.
    let took_s = u32::try_from(heard.elapsed().as_secs()).unwrap_or(u32::MAX);
    let ttl_s = ttl_s.saturating_sub(took_s);
    Ok(Heard {
        said: Said::Records { data, ttl_s },
        for_networks,
        source,
    })
}
