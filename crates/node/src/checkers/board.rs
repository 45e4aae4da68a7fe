//! Where the feed says which checks there are and how they stand, and checkers say what they found:
//! each side leaves the newest and takes the other's when it is ready, and neither waits.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use meridian_health::{Desk, Difference, Healths, Places};
use meridian_model::{
    AccountId, CheckerRegion, Health, HealthCheck, HealthCheckId, HealthSlot, ProbeRights, Seq,
    Standing, Timestamp,
};
use tokio::sync::broadcast;

use super::checks::Checks;
use super::count::Tally;
use super::marks::Marks;
use super::reports::Former;

/// How many batches of flips a listener may lag behind. One that lags further is told that it
/// missed some.
const FLIPS_KEPT: usize = 64;
/// How long it is waited for a state that is new enough, and how often it is looked.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The newest of both sides. It outlives a control plane that is closed and opened again.
pub(crate) struct Board {
    state: Mutex<Arc<State>>,
    findings: Mutex<Arc<Findings>>,
    /// The last entry of the journal that answers go by.
    answered_through: AtomicU64,
    flips: broadcast::Sender<Arc<Flips>>,
    tally: Mutex<Tally>,
    members: Mutex<Vec<Member>>,
    /// What checkers said before this process.
    former: Mutex<Arc<Former>>,
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
    /// A copy of the one before, where none was made, changed or deleted.
    pub(crate) checks: Checks,
    /// By the places of checks.
    pub(crate) standings: Places<Standing>,
    /// What those said who switched checks.
    pub(crate) said: Arc<HashMap<HealthCheckId, String>>,
    /// What accounts may have probed, those that may more than anybody.
    pub(crate) rights: Arc<HashMap<AccountId, ProbeRights>>,
    /// What tags say of checks.
    pub(crate) marks: Marks,
    /// The last entry of the journal that the checks are known from.
    pub(crate) known_through: Seq,
    /// The revision of the documents that this node was handed, where it may be handed any.
    pub(crate) documents: Option<u64>,
}

/// What was found of the checks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// Another one whenever anything else is found.
    pub(crate) revision: u64,
    /// What the checkers together say, by place.
    healths: Healths,
    /// Of which checks they say it.
    about: Checks,
    /// What alarms say of the checks that go by them.
    alarms: Arc<HashMap<HealthSlot, Health>>,
}

/// Checks whose states became the other ones, all at the same time.
#[derive(Debug)]
pub(crate) struct Flips {
    pub(crate) at: Timestamp,
    /// How all stand since.
    pub(crate) state: Arc<State>,
    /// The places of those that flipped.
    flipped: Vec<u32>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            findings: Mutex::default(),
            answered_through: AtomicU64::new(0),
            flips: broadcast::Sender::new(FLIPS_KEPT),
            tally: Mutex::default(),
            members: Mutex::default(),
            former: Mutex::default(),
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

    /// Answers go by the journal up to this entry.
    pub(crate) fn answer_through(&self, seq: Seq) {
        self.answered_through.store(seq.0, Ordering::Release);
    }

    /// What is answered by, once that is the journal up to this entry and what this node was handed
    /// up to this revision; as it is, where that takes too long. Blocks for as long.
    pub(crate) fn state_since(&self, seq: Seq, documents: u64) -> Arc<State> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let through = self.answered_through.load(Ordering::Acquire);
            let state = self.state();
            let is_newest = through >= seq.0 && state.documents.is_none_or(|it| it >= documents);
            if is_newest || Instant::now() >= give_up {
                return state;
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// What is answered by.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&lock(&self.state))
    }

    /// This was found last of these checks by those who probe them.
    pub(crate) fn post_votes(&self, about: &Checks, healths: &Healths) {
        self.find(|found| Findings {
            healths: healths.clone(),
            about: about.clone(),
            ..found.clone()
        });
    }

    /// This is what alarms say of the checks that go by them; no other check is in it.
    pub(crate) fn post_alarms(&self, alarms: HashMap<HealthSlot, Health>) {
        let alarms = Arc::new(alarms);
        self.find(|found| Findings {
            alarms,
            ..found.clone()
        });
    }

    /// Leaves what was found, with another revision if it is something else.
    fn find(&self, find: impl FnOnce(&Findings) -> Findings) {
        let mut last = lock(&self.findings);
        let mut found = find(&last);
        if !found.says_the_same(&last) {
            found.revision = last.revision + 1;
            *last = Arc::new(found);
        }
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

    /// Checkers said this before this process.
    pub(super) fn set_former(&self, former: Former) {
        *lock(&self.former) = Arc::new(former);
    }

    /// What checkers said before this process.
    pub(super) fn former(&self) -> Arc<Former> {
        Arc::clone(&lock(&self.former))
    }

    /// What flips from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Flips>> {
        self.flips.subscribe()
    }
}

impl Findings {
    /// What was found of a check, if anything was.
    pub(crate) fn of(&self, slot: HealthSlot) -> Option<Health> {
        let voted = || {
            self.about.at(slot)?;
            self.healths.get(slot.slot)
        };
        voted().or_else(|| self.alarms.get(&slot).copied())
    }

    /// The places of checks of which something else may have been found than before. Some may be
    /// told twice.
    pub(crate) fn differences(&self, before: &Self) -> Vec<u32> {
        let mut places: Vec<u32> = self.healths.differences(&before.healths).collect();
        let others = self.about.differences(&before.about);
        let others = others.filter_map(|(before, now)| Some(now.or(before)?.slot.slot));
        places.extend(others);
        for slot in before.alarms.keys().chain(self.alarms.keys()) {
            if before.alarms.get(slot) != self.alarms.get(slot) {
                places.push(slot.slot);
            }
        }
        places
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.healths == other.healths
            && self.about.is_copy(&other.about)
            && self.alarms == other.alarms
    }
}

impl State {
    /// Each check and how it stands.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&HealthCheck, &Standing)> {
        let checks = self.checks.iter();
        checks.filter_map(|check| Some((&**check, self.standings.get(check.slot.slot)?)))
    }

    /// The check of this id, and how it stands.
    pub(crate) fn of(&self, id: &str) -> Option<(&HealthCheck, &Standing)> {
        let check = self.checks.of(id)?;
        Some((check, self.standings.get(check.slot.slot)?))
    }

    /// What an account may have probed.
    pub(super) fn rights(&self, account: &AccountId) -> ProbeRights {
        let known = self.rights.get(account).copied();
        known.unwrap_or(ProbeRights::Public)
    }

    /// The places of checks that were there before and stood otherwise.
    fn flipped_since(&self, before: &Self) -> Vec<u32> {
        let places = self.standings.differences(&before.standings);
        let flipped = places.filter(|Difference { before, now, .. }| {
            let (Some(before), Some(now)) = (before, now) else {
                return false;
            };
            before.slot == now.slot && before.health != now.health
        });
        flipped.map(|place| place.slot).collect()
    }
}

impl Flips {
    /// How many flipped.
    pub(crate) fn len(&self) -> usize {
        self.flipped.len()
    }

    /// Each check that flipped, and how it stands since.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&HealthCheck, &Standing)> {
        let places = self.flipped.iter();
        places.filter_map(|place| {
            let now = self.state.standings.get(*place)?;
            Some((&**self.state.checks.at(now.slot)?, now))
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
