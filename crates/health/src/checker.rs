//! One checker at work: it probes what is due, forms its opinions, and seals them in a table each
//! second. It reads which checks there are and knows of no query; where tables go, and who counts
//! them, is decided elsewhere.
//!
//! Whatever endpoints do, it has one entry for each check and one task for each probe under way.

mod desk;

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use meridian_model::{HealthCheckId, HealthSlot, ProbeRights, Seq, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::key::CheckerKey;
use crate::opinion::{Finding, Opinion};
use crate::places::{Difference, Places};
use crate::probe::{Observation, Prober, Target, Unable};
use crate::register::{CheckerName, Register};
use crate::schedule::{Punctuality, Schedule};
use crate::table::{Counter, Issue, Table, Vote};

pub use desk::{Desk, Seen, Sight, Workload};

/// How often it seals its table.
const ISSUE_EVERY: Duration = Duration::from_secs(1);
/// How soon after that again when it has changed its mind: many minds may change one after another.
const ISSUE_PAUSE: Duration = Duration::from_millis(200);
/// How soon it looks again for room that other checkers take.
const ROOM_PAUSE: Duration = Duration::from_millis(20);
/// How late its loop may be before it does not stand by what it finds: half of the least time that
/// an endpoint has.
const LATE: Duration = Duration::from_secs(1);
/// For how long it does not, then.
const LATE_GRACE: Duration = Duration::from_secs(5);
/// The most answers that are taken before it looks at anything else.
const ANSWERS: usize = 256;

/// A check that is to be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its place.
    pub slot: HealthSlot,
    /// What its account may have probed.
    pub rights: ProbeRights,
    /// What is probed.
    pub target: Target,
}

/// What is to be done about a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// It is to be probed, by whichever checkers.
    Probe(Arc<Assignment>),
    /// Nobody probes it: it is disabled, calculated or the like. Checkers have to know of it all
    /// the same, as each line of a table is about all checks that have places there.
    Know(HealthSlot, HealthCheckId),
}

impl Duty {
    /// The place of the check.
    fn slot(&self) -> HealthSlot {
        match self {
            Self::Probe(assignment) => assignment.slot,
            Self::Know(slot, _) => *slot,
        }
    }
}

/// All checks that there are.
#[derive(Debug, Clone, Default)]
pub struct Assigned {
    /// By place. What is a copy of the one before costs nothing where it is the same.
    pub checks: Places<Duty>,
    /// The last entry of the journal that they are known from.
    pub known_through: Seq,
}

/// What a checker cannot know by itself.
pub trait Surroundings: Send {
    /// What a clock on the wall shows.
    fn now(&mut self) -> Timestamp;

    /// What nobody can guess.
    fn entropy(&mut self) -> u64;

    /// Keeps this number on the disk for [`Counter::resume`], and says whether it is there. Without
    /// it no more tables are sealed.
    fn keep(&mut self, number: u64) -> bool;
}

/// Who a checker is.
#[derive(Debug)]
pub struct Identity {
    /// Its name in the register.
    pub name: CheckerName,
    /// What it signs with.
    pub key: CheckerKey,
    /// How its tables are numbered.
    pub counter: Counter,
}

/// A checker at work.
pub struct Worker<S> {
    identity: Identity,
    register: Arc<Register>,
    prober: Arc<Prober>,
    surroundings: S,
    desk: Arc<Desk>,
    /// What it was told last.
    assigned: Arc<Assigned>,
    probed: HashMap<u32, Probed>,
    schedule: Schedule,
    punctuality: Punctuality,
    table: Table,
    under_way: JoinSet<Answer>,
    began: Instant,
    issued: Option<Instant>,
    /// Its mind has changed since.
    is_news: bool,
    workload: Workload,
}

/// A check that this checker probes.
struct Probed {
    assignment: Arc<Assignment>,
    opinion: Opinion,
}

/// What came of a probe.
struct Answer {
    assignment: Arc<Assignment>,
    outcome: Result<Observation, Unable>,
    /// How long it waited for its turn.
    delay: Duration,
}

impl<S: Surroundings> Worker<S> {
    /// One that has nothing to do yet, and where to see what it does.
    pub fn new(
        identity: Identity,
        register: Arc<Register>,
        prober: Arc<Prober>,
        surroundings: S,
    ) -> (Self, Arc<Desk>) {
        let desk = Arc::new(Desk::new(identity.name.clone()));
        let worker = Self {
            schedule: Schedule::new(&identity.name),
            identity,
            register,
            prober,
            surroundings,
            desk: Arc::clone(&desk),
            assigned: Arc::default(),
            probed: HashMap::new(),
            punctuality: Punctuality::new(LATE, LATE_GRACE),
            table: Table::new(),
            under_way: JoinSet::new(),
            began: Instant::now(),
            issued: None,
            is_news: false,
            workload: Workload::default(),
        };
        (worker, desk)
    }

    /// Probes what is assigned until nobody assigns any more. Probes under way are broken off then.
    pub async fn run(mut self, mut assigned: watch::Receiver<Arc<Assigned>>) {
        let first = Arc::clone(&assigned.borrow_and_update());
        self.follow(&first);
        loop {
            self.begin();
            self.issue();
            let next = self.next_turn();
            tokio::select! {
                changed = assigned.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let newest = Arc::clone(&assigned.borrow_and_update());
                    self.follow(&newest);
                }
                Some(answer) = self.under_way.join_next() => {
                    let more = (1..ANSWERS).map_while(|_| self.under_way.try_join_next());
                    // A probe that panicked is made again when it counts as lost.
                    let answers: Vec<Answer> = [answer].into_iter().chain(more).flatten().collect();
                    for answer in answers {
                        self.learn(&answer);
                    }
                }
                () = sleep_until(next) => {
                    let now = self.lived();
                    self.punctuality.note(next.elapsed(), now);
                }
            }
        }
    }

    fn lived(&self) -> Duration {
        self.began.elapsed()
    }

    /// When there is something to do, if nothing happens before.
    fn next_turn(&mut self) -> Instant {
        let lived = self.lived();
        let issue = self
            .issued
            .map_or_else(Instant::now, |issued| issued + self.pause());
        let idle = self.schedule.idle(lived);
        let probe = match self.prober.caps.room() {
            0 => Some(ROOM_PAUSE),
            _ => idle,
        };
        let probe = probe.map(|idle| Instant::now() + idle);
        probe.map_or(issue, |probe| probe.min(issue))
    }

    /// Takes up what has changed of the checks.
    fn follow(&mut self, assigned: &Arc<Assigned>) {
        let before = mem::replace(&mut self.assigned, Arc::clone(assigned));
        for Difference { before, now, .. } in assigned.checks.differences(&before.checks) {
            if before == now {
                continue;
            }
            let former = before.map(Duty::slot);
            if let Some(gone) = former.filter(|former| now.map(Duty::slot) != Some(*former)) {
                self.leave(gone);
                self.table.remove(gone);
            }
            match now {
                Some(Duty::Probe(assignment)) => self.take_up(assignment),
                Some(Duty::Know(slot, check)) => self.know(*slot, check),
                None => {}
            }
        }
    }

    fn take_up(&mut self, assignment: &Arc<Assignment>) {
        let slot = assignment.slot;
        let regions = &assignment.target.endpoint.regions;
        if !self.register.may_vote(&self.identity.name, regions) {
            self.know(slot, &assignment.target.id);
            return;
        }
        // Of one beyond the places of tables nothing could be said.
        if self.table.put(slot, &assignment.target.id).is_err() {
            return;
        }
        let interval = assignment.target.endpoint.request_interval_s;
        let interval = Duration::from_secs(interval.into());
        self.schedule.put(slot, interval, self.began.elapsed());
        // What was found of it until now stands, what is being found does not.
        let known = self.probed.remove(&slot.slot);
        let known = known.filter(|known| known.assignment.slot == slot);
        let probed = Probed {
            assignment: Arc::clone(assignment),
            opinion: known.map(|known| known.opinion).unwrap_or_default(),
        };
        self.probed.insert(slot.slot, probed);
    }

    /// Knows of a check that others probe or nobody does, and says nothing of it.
    fn know(&mut self, slot: HealthSlot, check: &HealthCheckId) {
        self.leave(slot);
        // Beyond the places of tables nobody votes.
        let _ = self.table.put(slot, check);
    }

    /// Probes a check no more.
    fn leave(&mut self, slot: HealthSlot) {
        let probed = self.probed.get(&slot.slot);
        if probed.is_some_and(|probed| probed.assignment.slot == slot) {
            self.probed.remove(&slot.slot);
            self.schedule.remove(slot);
            self.table.set(slot, Vote::Nothing);
            self.desk.forget(slot);
        }
    }

    /// Begins what is due, as far as there is room.
    fn begin(&mut self) {
        let now = self.lived();
        let room = self.prober.caps.room();
        let due = self.schedule.take(now, room);
        if due.checks.len() < room {
            self.punctuality.note(due.lateness, now);
        }
        // Without room it is not the loop that is late: there is too much to be done.
        self.workload.overdue = due.lateness;
        for slot in due.checks {
            let probed = self.probed.get(&slot.slot);
            match probed.filter(|probed| probed.assignment.slot == slot) {
                Some(probed) => self.spawn(Arc::clone(&probed.assignment)),
                None => {
                    self.schedule.remove(slot);
                }
            }
        }
    }

    fn spawn(&mut self, assignment: Arc<Assignment>) {
        let caps = &self.prober.caps;
        let places = caps.any().and_then(|place| {
            let account = caps.account(&assignment.target.account)?;
            Ok((place, account))
        });
        let prober = Arc::clone(&self.prober);
        let seed = self.surroundings.entropy();
        let spawned = Instant::now();
        self.under_way.spawn(async move {
            let delay = spawned.elapsed();
            let Assignment { target, rights, .. } = &*assignment;
            let outcome = match places {
                Ok(_places) => prober.probe(target, *rights, seed).await,
                Err(busy) => Err(Unable::from(busy)),
            };
            Answer {
                assignment,
                outcome,
                delay,
            }
        });
    }

    /// One more result.
    fn learn(&mut self, answer: &Answer) {
        let now = self.lived();
        let slot = answer.assignment.slot;
        self.punctuality.note(answer.delay, now);
        if !self.schedule.answered(slot, now) {
            return;
        }
        let Some(probed) = self.probed.get_mut(&slot.slot) else {
            return;
        };
        // It was asked what the check is no more.
        if !Arc::ptr_eq(&probed.assignment, &answer.assignment) {
            return;
        }
        let observation = match answer.outcome {
            Ok(observation) => observation,
            Err(Unable::Busy(_)) => {
                self.workload.put_off += 1;
                return;
            }
            Err(unable) => {
                self.workload.unable += 1;
                self.workload.last_unable = Some(unable);
                if probed.opinion.held().is_some() {
                    self.table.set(slot, Vote::Withheld);
                }
                return;
            }
        };
        self.workload.probed += 1;
        let finding = if observation.found.is_healthy() {
            Finding::Success
        } else {
            Finding::Failure
        };
        let threshold = probed.assignment.target.endpoint.failure_threshold;
        self.is_news |= probed.opinion.learn(finding, threshold).is_some();
        self.table.set(slot, Vote::from(probed.opinion.held()));
        let at = self.surroundings.now();
        self.desk.note(slot, Sight { observation, at });
    }

    const fn pause(&self) -> Duration {
        if self.is_news {
            ISSUE_PAUSE
        } else {
            ISSUE_EVERY
        }
    }

    /// Seals a new table, if it is time.
    fn issue(&mut self) {
        let pause = self.pause();
        if self.issued.is_some_and(|issued| issued.elapsed() < pause) {
            return;
        }
        self.issued = Some(Instant::now());
        let (conduct, lateness) = self.punctuality.judge(self.began.elapsed());
        self.workload.conduct = conduct;
        self.workload.lateness = lateness;
        self.workload.under_way = self.under_way.len();
        self.workload.checks = self.probed.len();
        let counter = &mut self.identity.counter;
        if let Some(number) = counter.to_store()
            && self.surroundings.keep(number)
        {
            counter.stored(number);
        }
        let table = counter.take().map(|counter| {
            let issue = Issue {
                checker: self.identity.name.clone(),
                counter,
                known_through: self.assigned.known_through,
                lateness,
            };
            self.is_news = false;
            self.table.seal(&issue, conduct, &self.identity.key)
        });
        self.workload.is_silent = table.is_none();
        self.desk.issue(table, &self.workload);
    }
}
