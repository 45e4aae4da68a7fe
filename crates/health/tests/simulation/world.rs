//! Checkers, name servers, endpoints and a journal in one process, by a hand-moved clock: what each
//! of them runs is the crate's own code, all that is between them is played.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use meridian_health::{
    Conduct, Damping, Finding, Guardrails, Opinion, Punctuality, Register, Rules, Schedule, State,
    Vote, Votes,
};
use meridian_model::{Health, HealthCheck, HealthSlot, Timestamp};

use crate::common::{Station, stations};

/// How long a step is, in milliseconds.
pub(crate) const STEP_MS: u64 = 100;
pub(crate) const INTERVAL_S: u64 = 10;
pub(crate) const THRESHOLD: u8 = 3;
/// Within which time an outcome has to follow its endpoint.
pub(crate) const FAILOVER_MS: u64 = INTERVAL_S * 1000 * THRESHOLD as u64 + 1000;
/// For how long a vote counts, and what clocks may make of it.
const COUNTS_MS: u64 = 5000 + 2 * STEP_MS;

/// Numbers that look random and are the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Below `end`.
    pub(crate) fn roll(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

/// How a checker behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// Its loop does not run, and nothing is sent.
    Stalled,
    /// It sends what it found last, and probes nothing any more.
    Frozen,
    /// It reaches no endpoint.
    CutOff,
    SaysDown,
    SaysUp,
    /// Each second the opposite of before.
    Flaps,
}

/// What becomes of checks, in the order of the journal.
enum Entry {
    Made(Box<HealthCheck>),
    Gone(HealthSlot),
}

/// A clock that somebody may set wrong.
#[derive(Default)]
pub(crate) struct Clock {
    pub(crate) ahead_ms: i64,
}

impl Clock {
    fn at(&self, now_ms: u64) -> Duration {
        let origin = 1_000_000_000;
        let shown = origin + i64::try_from(now_ms).unwrap() + self.ahead_ms;
        Duration::from_millis(shown.try_into().unwrap())
    }
}

pub(crate) struct CheckerNode {
    pub(crate) station: Station,
    pub(crate) manner: Manner,
    pub(crate) clock: Clock,
    /// How far it has read the journal, and whether it does.
    applied: usize,
    pub(crate) reads_journal: bool,
    schedule: Schedule,
    punctuality: Punctuality,
    opinions: HashMap<HealthSlot, Opinion>,
}

/// What stood in a table.
type Cast = Rc<HashMap<HealthSlot, Vote>>;

/// A table that was sent: when, and what stood in it.
struct Sent {
    at_ms: u64,
    votes: Cast,
}

pub(crate) struct NameServer {
    pub(crate) votes: Votes,
    pub(crate) damping: Damping,
    pub(crate) clock: Clock,
    applied: usize,
    pub(crate) reads_journal: bool,
    /// Of which checkers nothing arrives.
    pub(crate) cut_off_from: HashSet<usize>,
    arrived: Vec<VecDeque<Sent>>,
    /// All flips: when, whose, to what.
    pub(crate) flips: Vec<(u64, HealthSlot, Health)>,
}

pub(crate) struct World {
    pub(crate) now_ms: u64,
    pub(crate) rules: Rules,
    pub(crate) checkers: Vec<CheckerNode>,
    pub(crate) servers: Vec<NameServer>,
    pub(crate) up: HashMap<HealthSlot, bool>,
    journal: Vec<Entry>,
}

impl World {
    pub(crate) fn new(checkers: u8, servers: usize, rules: Rules) -> Self {
        let checkers: Vec<_> = stations(checkers)
            .into_iter()
            .map(CheckerNode::new)
            .collect();
        let mut world = Self {
            now_ms: 0,
            rules,
            checkers,
            servers: Vec::new(),
            up: HashMap::new(),
            journal: Vec::new(),
        };
        world.servers = (0..servers).map(|_| world.new_server()).collect();
        world
    }

    fn new_server(&self) -> NameServer {
        let stations: Vec<_> = self
            .checkers
            .iter()
            .map(|c| c.station.checker.clone())
            .collect();
        NameServer {
            votes: Votes::new(self.rules, Register::new(stations).unwrap()),
            damping: Damping::new(Guardrails::OFF),
            clock: Clock::default(),
            applied: 0,
            reads_journal: true,
            cut_off_from: HashSet::new(),
            arrived: self.checkers.iter().map(|_| VecDeque::new()).collect(),
            flips: Vec::new(),
        }
    }

    pub(crate) fn make(&mut self, check: HealthCheck, up: bool) {
        self.up.insert(check.slot, up);
        self.journal.push(Entry::Made(Box::new(check)));
    }

    pub(crate) fn delete(&mut self, at: HealthSlot) {
        self.journal.push(Entry::Gone(at));
    }

    /// Lets so many seconds pass.
    pub(crate) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 1000 / STEP_MS {
            self.step();
        }
    }

    fn step(&mut self) {
        self.now_ms += STEP_MS;
        for server in &mut self.servers {
            server.follow(&self.journal);
        }
        let is_second = self.now_ms.is_multiple_of(1000);
        for (index, checker) in self.checkers.iter_mut().enumerate() {
            checker.follow(&self.journal, self.now_ms);
            checker.probe(self.now_ms, &self.up);
            if let Some((bytes, votes)) = checker.send(self.now_ms).filter(|_| is_second) {
                for server in &mut self.servers {
                    server.receive(index, &bytes, &votes, self.now_ms);
                }
            }
        }
        if is_second {
            for server in &mut self.servers {
                server.judge(self.now_ms, &self.rules);
            }
        }
    }

    /// The outcome at a name server.
    pub(crate) fn health(&self, server: usize, at: HealthSlot) -> Option<Health> {
        let votes = &self.servers[server].votes;
        votes
            .layout()
            .has(at)
            .then(|| votes.healths().get(at.slot))?
    }

    /// Kills a name server and starts it from what it wrote down.
    pub(crate) fn restart(&mut self, server: usize) {
        let mut new = self.new_server();
        let old = &mut self.servers[server];
        let state = State::of(&old.votes, &old.damping, Timestamp(1));
        let state = State::from_bytes(&state.to_bytes()).unwrap();
        new.follow(&self.journal[..old.applied]);
        new.votes.restore(&state);
        new.damping.restore(&state);
        assert_eq!(new.votes.healths(), old.votes.healths());
        assert_eq!(new.damping.healths(), old.damping.healths());
        new.reads_journal = old.reads_journal;
        new.cut_off_from = std::mem::take(&mut old.cut_off_from);
        new.flips = std::mem::take(&mut old.flips);
        new.arrived = std::mem::take(&mut old.arrived);
        *old = new;
    }
}

impl CheckerNode {
    fn new(station: Station) -> Self {
        Self {
            schedule: Schedule::new(&station.checker.name),
            station,
            manner: Manner::Honest,
            clock: Clock::default(),
            applied: 0,
            reads_journal: true,
            punctuality: Punctuality::new(Duration::from_secs(1), Duration::from_secs(10)),
            opinions: HashMap::new(),
        }
    }

    fn follow(&mut self, journal: &[Entry], now_ms: u64) {
        if !self.reads_journal || self.manner == Manner::Stalled {
            return;
        }
        let now = self.clock.at(now_ms);
        for entry in &journal[self.applied..] {
            match entry {
                Entry::Made(check) => {
                    self.station.table.put(check.slot, &check.id).unwrap();
                    let interval = Duration::from_secs(INTERVAL_S);
                    self.schedule.put(check.slot, interval, now);
                }
                Entry::Gone(at) => {
                    self.station.table.remove(*at);
                    self.schedule.remove(*at);
                    self.opinions.remove(at);
                }
            }
        }
        self.applied = journal.len();
    }

    fn probe(&mut self, now_ms: u64, up: &HashMap<HealthSlot, bool>) {
        if matches!(self.manner, Manner::Stalled | Manner::Frozen) {
            return;
        }
        let now = self.clock.at(now_ms);
        let due = self.schedule.take(now, usize::MAX);
        self.punctuality.note(due.lateness, now);
        for at in due.checks {
            let says_up = match self.manner {
                Manner::SaysUp => true,
                Manner::SaysDown | Manner::CutOff => false,
                _ => up.get(&at).copied().unwrap_or(false),
            };
            let finding = if says_up {
                Finding::Success
            } else {
                Finding::Failure
            };
            let opinion = self.opinions.entry(at).or_default();
            opinion.learn(finding, THRESHOLD);
            self.station.table.set(at, opinion.held().into());
            assert!(self.schedule.answered(at, now));
        }
    }

    fn send(&mut self, now_ms: u64) -> Option<(Vec<u8>, Cast)> {
        if self.manner == Manner::Stalled || !now_ms.is_multiple_of(1000) {
            return None;
        }
        if self.manner == Manner::Flaps {
            let vote = if (now_ms / 1000).is_multiple_of(2) {
                Vote::Up
            } else {
                Vote::Down
            };
            let all: Vec<_> = self.station.table.layout().iter().collect();
            for at in all {
                self.station.table.set(at, vote);
            }
        }
        self.station.conduct = self.punctuality.judge(self.clock.at(now_ms)).0;
        let withholds = self.station.conduct == Conduct::Withholds;
        let table = &self.station.table;
        let votes = table
            .layout()
            .iter()
            .filter_map(|at| Some((at, table.get(at)?)));
        let votes = votes.filter(|_| !withholds).collect();
        Some((self.station.seal(), Rc::new(votes)))
    }
}

impl NameServer {
    fn follow(&mut self, journal: &[Entry]) {
        if !self.reads_journal {
            return;
        }
        for entry in &journal[self.applied..] {
            match entry {
                Entry::Made(check) => {
                    self.votes.put(check).unwrap();
                    self.damping.put(check).unwrap();
                }
                Entry::Gone(at) => {
                    assert!(self.votes.remove(*at));
                    assert!(self.damping.remove(*at));
                }
            }
        }
        self.applied = journal.len();
    }

    fn receive(&mut self, from: usize, bytes: &[u8], votes: &Cast, now_ms: u64) {
        if self.cut_off_from.contains(&from) {
            return;
        }
        self.votes.take(bytes, self.clock.at(now_ms)).unwrap();
        let arrived = &mut self.arrived[from];
        arrived.push_back(Sent {
            at_ms: now_ms,
            votes: Rc::clone(votes),
        });
        arrived.retain(|sent| sent.at_ms + COUNTS_MS >= now_ms);
    }

    /// Judges, and makes sure that no vote was counted that was not cast on this very check within
    /// the last seconds, and that nothing flipped without enough of them.
    fn judge(&mut self, now_ms: u64, rules: &Rules) {
        let now = self.clock.at(now_ms);
        self.votes.judge(now);
        self.damping.step(self.votes.healths(), now);
        assert_eq!(self.damping.healths(), self.votes.healths());
        for flip in self.votes.flips() {
            let cast = |vote: Vote| {
                let said = |sent: &Sent| {
                    sent.at_ms + COUNTS_MS >= now_ms && sent.votes.get(&flip.slot) == Some(&vote)
                };
                self.arrived
                    .iter()
                    .filter(|sent| sent.iter().any(said))
                    .count()
            };
            let tally = flip.tally;
            assert!(usize::from(tally.up) <= cast(Vote::Up), "{now_ms} {flip:?}");
            assert!(
                usize::from(tally.down) <= cast(Vote::Down),
                "{now_ms} {flip:?}"
            );
            let (up, heard) = (u32::from(tally.up), u32::from(tally.up + tally.down));
            let registered = u32::from(tally.registered);
            assert!(heard * 100 > u32::from(rules.quorum_percent) * registered);
            let enough = up * 100 > u32::from(rules.share_percent) * registered;
            assert_eq!(flip.health.is_healthy(), enough, "{flip:?}");
            assert_ne!(flip.before, Some(flip.health));
        }
        let flips = self.votes.flips();
        self.flips
            .extend(flips.map(|flip| (now_ms, flip.slot, flip.health)));
    }

    /// Flips of what was known before, since this moment.
    pub(crate) fn flips_since(&self, at_ms: u64) -> Vec<(u64, HealthSlot, Health)> {
        let flips = self.flips.iter().filter(|(when, _, _)| *when > at_ms);
        flips.copied().collect()
    }
}
