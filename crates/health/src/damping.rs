//! Guardrails between what the votes say and what answers go by: slower up than down, not too many
//! taken out at once, everything in when too little is left. All of them are off unless asked for,
//! which is Route 53's behaviour. How votes decide is in `votes.rs`.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use meridian_model::{AccountId, Health, HealthCheck, HealthSlot};

use crate::bits::{Healths, PLACES, Word, place, places};
use crate::layout::{Layout, OutOfPlaces};
use crate::steady::Steady;

/// The window of [`Guardrails::out_per_minute`].
const MINUTE: Duration = Duration::from_secs(60);
/// A panic ends when this many percent more are healthy than would begin it, so that it does not
/// come and go.
const PANIC_MARGIN_PERCENT: u64 = 10;

/// What holds outcomes back. Each account has guardrails for itself: nobody's failures use up what
/// another one may take out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guardrails {
    /// An endpoint that is back counts when the votes have said so for this long without a break.
    pub up_after: Duration,
    /// At most so many endpoints of an account are taken out within a minute, those that are down
    /// longest first. None is no limit; zero takes nothing out.
    pub out_per_minute: Option<u32>,
    /// When too few of an account's endpoints are in, all count as in.
    pub panic: Option<Panic>,
}

/// When everything counts as in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panic {
    /// When less than this part of what is known of enabled checks is in, in percent. It ends at ten
    /// percent more.
    pub below_percent: u8,
    /// Only where so many are known: the one check of a failover pair must not undo itself.
    pub least_checks: u32,
}

impl Guardrails {
    /// Nothing is held back.
    pub const OFF: Self = Self {
        up_after: Duration::ZERO,
        out_per_minute: None,
        panic: None,
    };
}

/// Why an outcome is not what the votes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBack {
    /// The endpoint is back, and counts when it has been for long enough.
    UpSoon {
        /// How long that will take.
        left: Duration,
    },
    /// The endpoint is to be taken out, and too many of the account were within the last minute.
    TooManyOut {
        /// For how long it has been waiting.
        waiting: Duration,
    },
    /// Too few endpoints of the account are in: all count as in.
    Panic {
        /// So many are, without this rule.
        healthy: u32,
        /// Of so many of which anything is known.
        known: u32,
    },
}

/// An outcome that answers go by, and is another one than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub slot: HealthSlot,
    /// What it was; unknown, which counts as healthy, if there is none.
    pub before: Option<Health>,
    /// What it is.
    pub health: Health,
    /// The guardrail that made it so against the votes.
    pub held_back: Option<HeldBack>,
}

/// The guardrails at work, and the outcomes behind them.
///
/// *In* and *out* are about answers: an inverted check that is healthy by the votes takes its
/// endpoint out. Outcomes are those of the votes all the same, not turned round.
#[derive(Debug, Default)]
pub struct Damping {
    rails: Guardrails,
    layout: Layout,
    places: Vec<Place>,
    accounts: HashMap<AccountId, u32>,
    standings: Vec<Account>,
    /// What the votes say, delayed and limited.
    limited: Healths,
    /// The same with panics: what answers go by.
    published: Healths,
    before: Healths,
    steady: Steady,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    account: u32,
    inverted: bool,
    /// Answers do not go by its outcome, which nobody looks after: it is left as it was.
    disabled: bool,
    /// Since when the votes say something else than what counts.
    waiting: Option<Duration>,
}

/// What is known of an account.
#[derive(Debug, Default)]
struct Account {
    /// When endpoints were taken out within the last minute.
    taken_out: VecDeque<Duration>,
    known: u32,
    inside: u32,
    panics: bool,
}

impl Damping {
    /// No checks yet, behind these guardrails.
    pub fn new(rails: Guardrails) -> Self {
        Self {
            rails,
            ..Self::default()
        }
    }

    /// Other guardrails from the next step on. What was waiting begins to wait again.
    pub fn set_rails(&mut self, rails: Guardrails) {
        if self.rails != rails {
            self.rails = rails;
            for place in &mut self.places {
                place.waiting = None;
            }
        }
    }

    /// A check as it is from now on; a new one in its place has no outcome.
    ///
    /// # Errors
    /// Its place is too high; nothing is changed.
    pub fn put(&mut self, check: &HealthCheck) -> Result<(), OutOfPlaces> {
        let slot = check.slot.slot;
        if self.layout.put(check.slot, &check.id)? {
            self.make_room();
            self.clear(slot);
        }
        let account = self.account(&check.account);
        if let Some(place) = self.places.get_mut(slot as usize) {
            place.account = account;
            place.inverted = check.config.inverted;
            place.disabled = check.config.disabled;
        }
        Ok(())
    }

    /// A check is gone. Says whether it was there.
    pub fn remove(&mut self, at: HealthSlot) -> bool {
        let was_there = self.layout.remove(at);
        if was_there {
            self.clear(at.slot);
        }
        was_there
    }

    /// What answers go by, when the votes say this.
    pub fn step(&mut self, judged: &Healths, now: Duration) -> &Healths {
        let now = self.steady.at(now);
        self.before.clone_from(&self.published);
        if self.rails == Guardrails::OFF {
            self.limited.clone_from(judged);
        } else {
            let out = self.let_in(judged, now);
            self.take_out(out, now);
        }
        self.make_room();
        self.published.clone_from(&self.limited);
        self.panic();
        &self.published
    }

    /// What answers go by since the last step.
    pub const fn healths(&self) -> &Healths {
        &self.published
    }

    /// The guardrail that keeps a check's outcome from being what the votes say, at the last step.
    pub fn held_back(&self, at: HealthSlot) -> Option<HeldBack> {
        let place = self.places.get(at.slot as usize);
        let place = place.filter(|_| self.layout.has(at))?;
        let limited = self.limited.get(at.slot);
        let account = self.standings.get(place.account as usize)?;
        if limited != self.published.get(at.slot) {
            return Some(HeldBack::Panic {
                healthy: account.inside,
                known: account.known,
            });
        }
        let waiting = self.steady.lived().saturating_sub(place.waiting?);
        if place.is_in(limited) {
            return Some(HeldBack::TooManyOut { waiting });
        }
        let left = self.rails.up_after.saturating_sub(waiting);
        Some(HeldBack::UpSoon { left })
    }

    /// What turned at the last step, from the lowest place.
    pub fn turns(&self) -> impl Iterator<Item = Turn> {
        let words = self.published.words.iter().enumerate();
        words.flat_map(move |(index, word)| {
            let before = self.before.words.get(index).copied().unwrap_or_default();
            let changed = (word.known ^ before.known) | (word.healthy ^ before.healthy);
            places(index, changed).filter_map(move |slot| {
                let at = self.layout.at(slot)?;
                Some(Turn {
                    slot: at,
                    before: before.get(place(slot).1),
                    health: word.get(place(slot).1)?,
                    held_back: self.held_back(at),
                })
            })
        })
    }

    /// Lets in what has been back for long enough, and lists what is to be taken out with the
    /// time since when it is down.
    fn let_in(&mut self, judged: &Healths, now: Duration) -> Vec<(Duration, u32, Health)> {
        let mut out = Vec::new();
        for (slot, health) in judged.iter() {
            let Some(place) = self.places.get_mut(slot as usize) else {
                continue;
            };
            if place.disabled {
                // It takes nothing of what others may be taken out by.
                place.waiting = None;
                continue;
            }
            let was_in = place.is_in(self.limited.get(slot));
            let is_in = place.is_in(Some(health));
            if was_in == is_in {
                place.waiting = None;
                self.limited.set(slot, Some(health));
                continue;
            }
            let since = *place.waiting.get_or_insert(now);
            if was_in {
                out.push((since, slot, health));
            } else if now.saturating_sub(since) >= self.rails.up_after {
                place.waiting = None;
                self.limited.set(slot, Some(health));
            }
        }
        out
    }

    /// Takes out as many as may be, those that are down longest first.
    fn take_out(&mut self, mut out: Vec<(Duration, u32, Health)>, now: Duration) {
        if self.rails.out_per_minute.is_some() {
            out.sort_unstable_by_key(|(since, slot, _)| (*since, *slot));
        }
        for (_, slot, health) in out {
            let Some(place) = self.places.get_mut(slot as usize) else {
                continue;
            };
            let account = self.standings.get_mut(place.account as usize);
            let limit = self.rails.out_per_minute;
            if account.is_some_and(|account| account.may_take_out(limit, now)) {
                place.waiting = None;
                self.limited.set(slot, Some(health));
            }
        }
    }

    /// Lets everything in where an account has too little left.
    fn panic(&mut self) {
        for account in &mut self.standings {
            (account.known, account.inside) = (0, 0);
        }
        if self.rails.panic.is_none() {
            return;
        }
        for (slot, health) in self.limited.iter() {
            let place = self.places.get(slot as usize);
            let Some(place) = place.filter(|place| !place.disabled) else {
                continue;
            };
            if let Some(account) = self.standings.get_mut(place.account as usize) {
                account.known += 1;
                account.inside += u32::from(place.is_in(Some(health)));
            }
        }
        let rails = self.rails.panic;
        for account in &mut self.standings {
            account.panics = rails.is_some_and(|rails| account.is_to_panic(rails));
        }
        if !self.standings.iter().any(|account| account.panics) {
            return;
        }
        for (slot, _) in self.limited.iter() {
            let Some(place) = self.places.get(slot as usize) else {
                continue;
            };
            let account = self.standings.get(place.account as usize);
            if account.is_some_and(|account| account.panics) {
                self.published.set(slot, Some(place.health_when_in()));
            }
        }
    }

    /// Which checks there are.
    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What counts, panics aside: they follow from it.
    pub(crate) const fn limited(&self) -> &Healths {
        &self.limited
    }

    /// Whether all of the account that has the check in this place count as in.
    pub(crate) fn panics(&self, slot: u32) -> bool {
        let place = self.places.get(slot as usize);
        let account = place.and_then(|place| self.standings.get(place.account as usize));
        account.is_some_and(|account| account.panics)
    }

    /// Takes up what counted before a restart, and whose accounts were in a panic, by the guardrails
    /// that there are.
    pub(crate) fn take_up(&mut self, known: &[(u32, Health)], panicking: &[u32]) {
        for slot in panicking {
            let place = self.places.get(*slot as usize);
            let account = place.and_then(|place| self.standings.get_mut(place.account as usize));
            if let Some(account) = account {
                account.panics = true;
            }
        }
        self.limited.set_all(known);
        self.published.clone_from(&self.limited);
        self.panic();
        self.before.clone_from(&self.published);
    }

    fn account(&mut self, id: &AccountId) -> u32 {
        if let Some(known) = self.accounts.get(id) {
            return *known;
        }
        // There are at most as many accounts as places.
        let index = u32::try_from(self.standings.len()).unwrap_or(u32::MAX);
        self.standings.push(Account::default());
        self.accounts.insert(id.clone(), index);
        index
    }

    fn make_room(&mut self) {
        let words = self.layout.sums().len();
        self.places
            .resize(words * PLACES as usize, Place::default());
        for healths in [&mut self.limited, &mut self.published, &mut self.before] {
            healths.words.resize(words, Word::default());
        }
    }

    fn clear(&mut self, slot: u32) {
        for healths in [&mut self.limited, &mut self.published, &mut self.before] {
            healths.set(slot, None);
        }
        if let Some(place) = self.places.get_mut(slot as usize) {
            place.waiting = None;
        }
    }
}

impl Place {
    /// Whether an endpoint of this outcome is in; unknown counts as healthy.
    const fn is_in(self, health: Option<Health>) -> bool {
        match health {
            Some(Health::Unhealthy) => self.inverted,
            Some(Health::Healthy) | None => !self.inverted,
        }
    }

    const fn health_when_in(self) -> Health {
        if self.inverted {
            Health::Unhealthy
        } else {
            Health::Healthy
        }
    }
}

impl Account {
    /// Whether one more may be taken out now; if so, it counts.
    fn may_take_out(&mut self, limit: Option<u32>, now: Duration) -> bool {
        let Some(limit) = limit else {
            return true;
        };
        let is_over = |at: &Duration| now.saturating_sub(*at) >= MINUTE;
        while self.taken_out.front().is_some_and(is_over) {
            self.taken_out.pop_front();
        }
        let may = self.taken_out.len() < limit as usize;
        if may {
            self.taken_out.push_back(now);
        }
        may
    }

    fn is_to_panic(&self, rails: Panic) -> bool {
        let margin = if self.panics { PANIC_MARGIN_PERCENT } else { 0 };
        let percent = (u64::from(rails.below_percent) + margin).min(100);
        self.known >= rails.least_checks.max(1)
            && u64::from(self.inside) * 100 < percent * u64::from(self.known)
    }
}
