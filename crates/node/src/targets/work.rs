//! Asking at work: a thread of its own that looks which targets answers need, asks resolvers for
//! those whose time it is, and keeps what was heard.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use meridian_answer::NeedCounts;
use meridian_control::{Environment, SystemEnvironment};
use meridian_model::Network;
use meridian_server::Live;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio::time::{self, Instant};

use super::Targets;
use super::ask::{Failure, Stub, Told};
use super::book::{Entry, Job, Key, Unkept};
use super::file::TargetsFile;
use super::judge::{ForNetwork, Heard};
use super::pace::rest;
use super::places::Places;
use super::reply::{Fault, MAX_DATA, Said, bytes};
use super::resolvers::Resolvers;
use super::table::Made;
use crate::checkers;
use crate::condition::Condition;
use crate::config;

/// How often it is looked which targets are needed, and whose time it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What was heard is answered by after so long at the latest, and longer where it takes long to make
/// the table.
const POST_EVERY: Duration = Duration::from_millis(100);
/// What is left of TTLs is told anew as often, where nothing was heard.
const AGE_EVERY: Duration = Duration::from_secs(1);
/// How often a file is written at most, and what it may take of all time.
const WRITE_EVERY: Duration = Duration::from_secs(1);
const WRITE_SHARE: u32 = 20;
/// After that long it is tried again where that has failed.
const WRITE_AGAIN: Duration = Duration::from_secs(10);
/// When answers were confirmed is written no later, and where they are kept for a short time, after
/// so much of that.
const TIMES_EVERY: Duration = Duration::from_secs(10 * 60);
const TIMES_SHARE: u32 = 10;
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
            times_every: TIMES_EVERY.min(config.targets.rules().keep / TIMES_SHARE),
            needed: NeedCounts::default(),
            is_followed: false,
            look_at: Instant::now(),
            asking: JoinSet::new(),
            jobs: HashMap::new(),
            is_new: false,
            made: Made::default(),
            write_by: None,
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
    /// When answers were confirmed is written after so long.
    times_every: Duration,
    /// What answers needed at the last look, if there was one, and when the next one may be.
    needed: NeedCounts,
    is_followed: bool,
    look_at: Instant,
    asking: JoinSet<Result<Heard, Failure>>,
    jobs: HashMap<task::Id, Job>,
    /// Something was heard that is not answered by yet.
    is_new: bool,
    made: Made,
    /// When what is not on the disk yet is to be there.
    write_by: Option<Instant>,
}

/// What came of writing a file: when the next one may be, and whether it is there.
type Written = (Instant, bool);

impl Shop {
    async fn work(mut self, mut ended: watch::Receiver<()>) {
        let now = Instant::now();
        let (mut resolved, mut post_at, mut age_at) = (now, now, now + AGE_EVERY);
        let mut next_write = now;
        let mut writing: Option<task::JoinHandle<Written>> = None;
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
            let now = Instant::now();
            let is_due = if self.is_new {
                now >= post_at
            } else {
                now >= age_at
            };
            if is_due {
                let took = self.post();
                let done = Instant::now();
                (post_at, age_at) = (done + rest(took, POST_EVERY), done + rest(took, AGE_EVERY));
            }
            self.made.free();
            if let Some(done) = writing.take_if(|writing| writing.is_finished()) {
                next_write = self.wrote(done.await.ok());
            }
            let is_due = self.write_by.is_some_and(|by| now >= by.max(next_write));
            if is_due && writing.is_none() {
                self.write_by = None;
                let (began, file, entries) = (now, self.file.clone(), self.entries());
                let write = move || write(&file, &entries, began);
                writing = Some(task::spawn_blocking(write));
            }
        }
        if let Some(writing) = writing {
            // The next one would write to the same place.
            self.wrote(writing.await.ok());
        }
        if self.write_by.is_some() {
            write(&self.file, &self.entries(), Instant::now());
        }
    }

    /// Makes a new table for answers, if there are targets; returns how long that took.
    fn post(&mut self) -> Duration {
        let is_new = std::mem::take(&mut self.is_new);
        let targets = self.condition.targets();
        if !is_new && targets.book().len() == 0 {
            return Duration::ZERO;
        }
        let key = self.live.load().key();
        self.made.keep(targets.post_table(key));
        targets.table_took()
    }

    /// A file was written, or could not be.
    fn wrote(&mut self, written: Option<Written>) -> Instant {
        let (next, is_there) = written.unwrap_or_else(|| (Instant::now() + WRITE_AGAIN, false));
        if !is_there {
            self.write_by = Some(next);
        }
        next
    }

    /// Copies of all targets, so that nobody waits for the disk.
    fn entries(&self) -> Vec<Entry> {
        self.condition.targets().book().entries().cloned().collect()
    }

    /// Looks which targets answers need.
    fn follow_world(&mut self) {
        let began = Instant::now();
        let needed = self.live.load().external_targets().clone();
        if began < self.look_at || self.needed.is_of(&needed) {
            return;
        }
        let changes = self.needed.follow(&needed);
        let targets = self.condition.targets();
        let now = targets.now();
        if self.is_followed {
            targets.book().follow(changes.new, &changes.gone, now);
        } else {
            // What the file knows may be needed no more.
            targets.book().need(self.needed.needs(), now);
            self.is_followed = true;
        }
        self.is_new = true;
        if !changes.gone.is_empty() {
            self.keep(Unkept::Times);
        }
        self.look_at = Instant::now() + rest(began.elapsed(), LOOK_EVERY);
    }

    /// Something is not on the disk yet.
    fn keep(&mut self, unkept: Unkept) {
        let by = match unkept {
            Unkept::Nothing => return,
            Unkept::Times => Instant::now() + self.times_every,
            Unkept::Answers => Instant::now(),
        };
        self.write_by = Some(self.write_by.map_or(by, |known| known.min(by)));
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
        let next = |places: &Places| {
            let mut lanes = places.open().map(|lane| (lane, places.free(lane)));
            lanes.find_map(|lane| targets.book().next(lane, now))
        };
        while let Some(job) = next(&self.places) {
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
        let now = targets.now();
        let unkept = targets.book().take(job.id, outcome, (now, chance));
        self.is_new = true;
        self.keep(unkept);
    }
}

/// Writes what was put together since then.
fn write(file: &TargetsFile, entries: &[Entry], began: Instant) -> Written {
    let written = file.write(entries);
    let rest = match &written {
        Ok(()) => WRITE_EVERY.max(began.elapsed() * WRITE_SHARE),
        Err(error) => {
            tracing::error!(%error, "what is known of alias targets is not kept: {error:#}");
            WRITE_AGAIN
        }
    };
    (Instant::now() + rest, written.is_ok())
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
