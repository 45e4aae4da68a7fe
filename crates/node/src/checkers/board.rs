//! Where the feed says which checks there are and how they stand, and checkers say what they found:
//! each side leaves the newest and takes the other's when it is ready, and neither waits.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use meridian_health::Desk;
use meridian_model::{
    AccountId, CheckerRegion, Health, HealthCheck, HealthCheckId, HealthSlot, ProbeRights, Seq,
    Standing, Timestamp,
};
use tokio::sync::broadcast;

use super::count::Tally;
use super::marks::Marks;

/// How many batches of flips a listener may lag behind. One that lags further is told that it
/// missed some.
const FLIPS_KEPT: usize = 64;

/// The newest of both sides. It outlives a control plane that is closed and opened again.
pub(crate) struct Board {
    state: Mutex<Arc<State>>,
    findings: Mutex<Arc<Findings>>,
    /// What alarms say, which is in the findings too.
    alarms: Mutex<HashMap<HealthSlot, Health>>,
    flips: broadcast::Sender<Arc<Flips>>,
    tally: Mutex<Tally>,
    members: Mutex<Vec<Member>>,
}

/// A checker of this process.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) desk: Arc<Desk>,
    pub(crate) region: CheckerRegion,
    /// Where its probes come from, as far as that is known.
    pub(crate) address: IpAddr,
}

/// How all checks stand in the answers that are given.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By id. The same as long as none is made, changed or deleted.
    pub(crate) checks: Arc<Vec<HealthCheck>>,
    /// In the same order.
    pub(crate) standings: Vec<Standing>,
    /// What those said who switched checks.
    pub(crate) said: HashMap<HealthCheckId, String>,
    /// What accounts may have probed, those that may more than anybody.
    pub(crate) rights: Arc<HashMap<AccountId, ProbeRights>>,
    /// What tags say of checks.
    pub(crate) marks: Arc<Marks>,
    /// The last entry of the journal that the checks are known from.
    pub(crate) known_through: Seq,
}

/// What was found of the checks that are probed.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Another one whenever the votes are others.
    pub(crate) revision: u64,
    /// What the checkers together say of the checks in these places.
    pub(crate) votes: HashMap<HealthSlot, Health>,
}

/// Checks whose states became the other ones, all at the same time.
#[derive(Debug)]
pub(crate) struct Flips {
    pub(crate) at: Timestamp,
    /// How all stand since.
    pub(crate) state: Arc<State>,
    /// The places of those that flipped.
    flipped: Vec<usize>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            findings: Mutex::default(),
            alarms: Mutex::default(),
            flips: broadcast::Sender::new(FLIPS_KEPT),
            tally: Mutex::default(),
            members: Mutex::default(),
        }
    }
}

impl Board {
    /// This is answered by from now on. What flipped by it is told to those who listen; checks that
    /// were not there before did not.
    pub(crate) fn post_state(&self, state: State, at: Timestamp) {
        let state = Arc::new(state);
        let before = mem::replace(&mut *lock(&self.state), Arc::clone(&state));
        let flipped = state.flipped_since(&before);
        if !flipped.is_empty() {
            let flips = Flips { at, state, flipped };
            // Nobody may be listening.
            let _ = self.flips.send(Arc::new(flips));
        }
    }

    /// What is answered by.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&lock(&self.state))
    }

    /// This was found last. Says whether the votes are others than before.
    pub(crate) fn post_findings(&self, mut findings: Findings) -> bool {
        let alarms = lock(&self.alarms);
        let said = alarms.iter().map(|(slot, health)| (*slot, *health));
        findings.votes.extend(said);
        self.publish(findings)
    }

    /// This is what alarms say of the checks that go by them; no other check is in it.
    pub(crate) fn post_alarms(&self, votes: HashMap<HealthSlot, Health>) {
        let mut alarms = lock(&self.alarms);
        let before = mem::replace(&mut *alarms, votes);
        if before == *alarms {
            return;
        }
        let mut votes = self.findings().votes.clone();
        votes.retain(|slot, _| !before.contains_key(slot));
        votes.extend(alarms.iter().map(|(slot, health)| (*slot, *health)));
        self.publish(Findings { revision: 0, votes });
    }

    /// Whoever calls it holds the lock of the alarms, so that nobody does it at the same time.
    fn publish(&self, mut findings: Findings) -> bool {
        let before = self.findings();
        let differs = before.votes != findings.votes;
        findings.revision = before.revision + u64::from(differs);
        let before = mem::replace(&mut *lock(&self.findings), Arc::new(findings));
        // It may be large, and nobody should wait for it to be freed.
        drop(before);
        differs
    }

    /// What was found last.
    pub(crate) fn findings(&self) -> Arc<Findings> {
        Arc::clone(&lock(&self.findings))
    }

    /// The votes and guardrails themselves. Nobody holds on to them for long.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    /// These checkers are at work.
    pub(super) fn set_members(&self, members: Vec<Member>) {
        *lock(&self.members) = members;
    }

    /// The checkers that are at work.
    pub(crate) fn members(&self) -> Vec<Member> {
        lock(&self.members).clone()
    }

    /// What flips from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Flips>> {
        self.flips.subscribe()
    }
}

impl State {
    /// Each check and how it stands.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&HealthCheck, &Standing)> {
        self.checks.iter().zip(&self.standings)
    }

    /// The check of this id, and how it stands.
    pub(crate) fn of(&self, id: &str) -> Option<(&HealthCheck, &Standing)> {
        let found = self
            .checks
            .binary_search_by(|check| check.id.as_str().cmp(id));
        let index = found.ok()?;
        Some((self.checks.get(index)?, self.standings.get(index)?))
    }

    /// What an account may have probed.
    pub(super) fn rights(&self, account: &AccountId) -> ProbeRights {
        let known = self.rights.get(account).copied();
        known.unwrap_or(ProbeRights::Public)
    }

    /// The places of checks that were there before and stood otherwise.
    fn flipped_since(&self, before: &Self) -> Vec<usize> {
        let places = self.standings.iter().enumerate();
        if Arc::ptr_eq(&self.checks, &before.checks) {
            let pairs = places.zip(&before.standings);
            return pairs
                .filter(|((_, now), was)| now.health != was.health)
                .map(|((place, _), _)| place)
                .collect();
        }
        let was = before.standings.iter();
        let was: HashMap<_, _> = was.map(|was| (was.slot, was.health)).collect();
        places
            .filter(|(_, now)| was.get(&now.slot).is_some_and(|was| *was != now.health))
            .map(|(place, _)| place)
            .collect()
    }
}

impl Flips {
    /// How many flipped.
    pub(crate) fn len(&self) -> usize {
        self.flipped.len()
    }

    /// Each check that flipped, and how it stands since.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&HealthCheck, &Standing)> {
        let (checks, standings) = (&self.state.checks, &self.state.standings);
        let places = self.flipped.iter();
        places.filter_map(|place| Some((checks.get(*place)?, standings.get(*place)?)))
    }
}

/// The checks of `before` that are gone or others, and those of `after` that are new or others.
/// Both are sorted by id.
pub(super) fn differences<'c>(
    before: &'c [HealthCheck],
    after: &'c [HealthCheck],
) -> (Vec<&'c HealthCheck>, Vec<&'c HealthCheck>) {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    let mut before = before.iter().peekable();
    for check in after {
        while let Some(other) = before.next_if(|other| other.id < check.id) {
            gone.push(other);
        }
        match before.next_if(|other| other.id == check.id) {
            Some(same) if same.slot == check.slot && same.version == check.version => {}
            Some(other) => {
                if other.slot != check.slot {
                    gone.push(other);
                }
                new.push(check);
            }
            None => new.push(check),
        }
    }
    gone.extend(before);
    (gone, new)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
