//! The votes of all checkers, as one name server has them, and what follows from them for each
//! check. Each name server counts for itself, from the tables that reached it (DESIGN section 7);
//! what a table is has its place in `table.rs`, and what else holds outcomes back in `damping.rs`.

mod ballot;
mod former;
mod poll;
mod show;

use std::collections::HashMap;
use std::time::Duration;

use meridian_model::{CheckerRegion, Health, HealthCheck, HealthSlot, HealthSubject, Seq};

use crate::bits::{Healths, PLACES, Word, place, places};
use crate::layout::{Layout, OutOfPlaces};
use crate::register::{CheckerName, Register};
use crate::steady::Steady;
use crate::table::{Known, Received, Refused};
use ballot::Ballot;
use former::Former;
use poll::{Poll, Ruling};

pub use poll::{Rules, Tally};
pub use show::{Basis, Cast, CheckerShown, Flip, Shown, Voter};

/// The votes, and the outcomes that followed from them at the last judgement.
///
/// Times are those of any one clock; it may jump, see [`Steady`].
#[derive(Debug)]
pub struct Votes {
    rules: Rules,
    register: Register,
    /// In the order of the register.
    seats: Vec<Seat>,
    layout: Layout,
    former: Former,
    /// The regions of those checks that name any, by place.
    regions: HashMap<u32, Vec<CheckerRegion>>,
    histories: Vec<History>,
    healths: Healths,
    /// What was known before the last judgement.
    before: Healths,
    steady: Steady,
}

/// What reached us from one checker.
#[derive(Debug, Default)]
struct Seat {
    /// That of its last table, possibly before a restart.
    counter: Option<u64>,
    last: Option<Last>,
    ballots: Vec<Ballot>,
}

/// A checker's last table.
#[derive(Debug, Clone, Copy)]
struct Last {
    /// When it came, in time lived.
    came: Duration,
    known_through: Seq,
    lateness: Duration,
}

/// What happened to a check, in time lived.
#[derive(Debug, Clone, Copy, Default)]
struct History {
    /// When any checker's word last turned to *down*.
    turned_down: Duration,
    /// Since when the outcome is what it is; since before the start if there is none.
    since: Option<Duration>,
    /// When the votes last decided it; not since the start if there is none.
    decided: Option<Duration>,
}

impl Votes {
    /// Nothing is known of any check, and these may vote.
    pub fn new(rules: Rules, register: Register) -> Self {
        let mut votes = Self {
            rules,
            register: Register::default(),
            seats: Vec::new(),
            layout: Layout::default(),
            former: Former::default(),
            regions: HashMap::new(),
            histories: Vec::new(),
            healths: Healths::default(),
            before: Healths::default(),
            steady: Steady::default(),
        };
        votes.register(register);
        votes
    }

    /// These may vote from now on. What was heard from those who could before stays, unless their
    /// key is another one. Outcomes stay until the next judgement.
    pub fn register(&mut self, register: Register) {
        let mut former = std::mem::take(&mut self.seats);
        let known = self.register.checkers();
        let words = self.layout.sums().len();
        let seats = register.checkers().iter().map(|checker| {
            let same = known
                .iter()
                .position(|known| known.name == checker.name && known.key == checker.key);
            let seat = same.and_then(|index| former.get_mut(index));
            let mut seat = seat.map(std::mem::take).unwrap_or_default();
            seat.ballots.resize(words, Ballot::default());
            seat
        });
        self.seats = seats.collect();
        self.register = register;
        let all: Vec<u32> = self.layout.iter().map(|at| at.slot).collect();
        for slot in all {
            self.seat_electorate(slot);
        }
    }

    /// Other rules from the next judgement on.
    pub const fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// A check as it is from now on, whatever its type. One that is new in its place has no votes
    /// and no outcome.
    ///
    /// # Errors
    /// Its place is too high; nothing is changed, and it is not voted on.
    pub fn put(&mut self, check: &HealthCheck) -> Result<(), OutOfPlaces> {
        let slot = check.slot.slot;
        let sum = self.sum(slot);
        let is_new = self.layout.put(check.slot, &check.id)?;
        if is_new {
            self.note(slot, sum);
            self.make_room();
            self.clear(slot);
        }
        let regions = match &check.config.subject {
            HealthSubject::Endpoint(endpoint) => endpoint.regions.as_slice(),
            _ => &[],
        };
        let known = self.regions.get(&slot).map_or(&[][..], Vec::as_slice);
        if is_new || known != regions {
            if regions.is_empty() {
                self.regions.remove(&slot);
            } else {
                self.regions.insert(slot, regions.to_vec());
            }
            self.seat_electorate(slot);
        }
        Ok(())
    }

    /// A check is gone. Says whether it was there.
    pub fn remove(&mut self, at: HealthSlot) -> bool {
        let sum = self.sum(at.slot);
        let was_there = self.layout.remove(at);
        if was_there {
            self.note(at.slot, sum);
            self.regions.remove(&at.slot);
            self.clear(at.slot);
        }
        was_there
    }

    /// Takes a table as it was sent.
    ///
    /// # Errors
    /// It is none that is to be counted. What its sender said before stays.
    pub fn take(&mut self, bytes: &[u8], now: Duration) -> Result<Received, Refused> {
        let now = self.steady.at(now);
        let mut sender = None;
        let received = Received::open(bytes, |name| {
            let checkers = self.register.checkers();
            let index = checkers.iter().position(|known| known.name == *name)?;
            sender = Some(index);
            Some(Known {
                key: checkers.get(index)?.key,
                counter: self.seats.get(index)?.counter,
            })
        })?;
        if let Some(index) = sender {
            self.count(index, &received, now);
        }
        Ok(received)
    }

    /// What follows from the votes by now. It takes the same time whether nothing flipped or
    /// everything did.
    pub fn judge(&mut self, now: Duration) -> &Healths {
        let now = self.steady.at(now);
        self.former.forget(now, self.rules.fresh);
        self.before.clone_from(&self.healths);
        for index in 0..self.layout.taken().len() {
            self.judge_word(index, now);
        }
        &self.healths
    }

    /// The outcomes at the last judgement; none for checks of which too little was heard so far,
    /// which count as healthy.
    pub const fn healths(&self) -> &Healths {
        &self.healths
    }

    /// Which checks there are.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The last counter of each checker that is known.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (CheckerName, u64)> {
        let seats = self.register.checkers().iter().zip(&self.seats);
        seats.filter_map(|(checker, seat)| Some((checker.name.clone(), seat.counter?)))
    }

    /// Takes up outcomes and counters of the time before a restart.
    pub(crate) fn take_up(
        &mut self,
        counters: &HashMap<&CheckerName, u64>,
        decided: &[(u32, Health)],
    ) {
        self.healths.set_all(decided);
        self.before.clone_from(&self.healths);
        for (checker, seat) in self.register.checkers().iter().zip(&mut self.seats) {
            let known = counters.get(&checker.name).copied();
            seat.counter = seat.counter.max(known);
        }
    }

    fn count(&mut self, index: usize, received: &Received, now: Duration) {
        let Some(seat) = self.seats.get_mut(index) else {
            return;
        };
        seat.counter = Some(received.issue.counter);
        seat.last = Some(Last {
            came: now,
            known_through: received.issue.known_through,
            lateness: received.issue.lateness,
        });
        let words = self.layout.sums().len();
        for (word, line) in received.lines.iter().take(words).enumerate() {
            // Of checks that are not there any more nothing is heard. Where it is about none of
            // those that are, what was said about these ages.
            let unchanged = self.former.unchanged(&self.layout, word, line.sum);
            if unchanged == 0 {
                continue;
            }
            let said = line.planes.only(unchanged);
            let seat = self.seats.get_mut(index);
            let Some(ballot) = seat.and_then(|seat| seat.ballots.get_mut(word)) else {
                continue;
            };
            let contests = contests(&self.histories, word);
            let turned = ballot.replace(said, now, contests);
            for other in &mut self.seats {
                if let Some(ballot) = other.ballots.get_mut(word) {
                    ballot.forget_words(turned);
                }
            }
            for slot in places(word, turned) {
                if let Some(history) = self.histories.get_mut(slot as usize) {
                    history.turned_down = now;
                }
            }
        }
    }

    fn judge_word(&mut self, index: usize, now: Duration) {
        let taken = self.layout.taken().get(index).copied().unwrap_or(0);
        let poll = self.poll(index, now);
        let Some(word) = self.healths.words.get_mut(index) else {
            return;
        };
        for slot in places(index, taken) {
            let Some(history) = self.histories.get_mut(slot as usize) else {
                continue;
            };
            let bit = place(slot).1;
            let settling = history.settling(word.get(bit), now, &self.rules);
            let Ruling::Decided(health) = poll.rule(slot, &self.rules, settling) else {
                continue;
            };
            if word.get(bit) != Some(health) {
                word.set(bit, Some(health));
                history.since = Some(now);
            }
            history.decided = Some(now);
        }
    }

    /// Who says what of the checks of a word.
    fn poll(&self, index: usize, now: Duration) -> Poll {
        let mut poll = Poll::default();
        let checkers = self.register.checkers();
        for (checker, seat) in checkers.iter().zip(&self.seats) {
            let Some(ballot) = seat.ballots.get(index) else {
                continue;
            };
            let contests = contests(&self.histories, index);
            poll.add(
                &checker.region,
                ballot.heard(now, self.rules.fresh, contests),
            );
        }
        poll.count_regions(&self.rules);
        poll
    }

    /// Room for the words that the layout has.
    fn make_room(&mut self) {
        let words = self.layout.sums().len();
        self.healths.words.resize(words, Word::default());
        self.histories
            .resize(words * PLACES as usize, History::default());
        for seat in &mut self.seats {
            seat.ballots.resize(words, Ballot::default());
        }
    }

    /// The sum of those who have the places beside this one, and this.
    fn sum(&self, slot: u32) -> u64 {
        let (word, _) = place(slot);
        self.layout.sums().get(word).copied().unwrap_or(0)
    }

    /// Somebody else has this place, or nobody; the sum was that.
    fn note(&mut self, slot: u32, sum: u64) {
        let (word, bit) = place(slot);
        self.former.note(word, sum, bit);
    }

    /// Nothing is known of who has this place now.
    fn clear(&mut self, slot: u32) {
        let (word, bit) = place(slot);
        self.healths.set(slot, None);
        self.before.set(slot, None);
        if let Some(history) = self.histories.get_mut(slot as usize) {
            *history = History::default();
        }
        for seat in &mut self.seats {
            if let Some(ballot) = seat.ballots.get_mut(word) {
                ballot.clear(bit);
            }
        }
    }

    /// Says to everyone whether they may vote on the check in this place.
    fn seat_electorate(&mut self, slot: u32) {
        let (word, bit) = place(slot);
        let regions = self.regions.get(&slot).map_or(&[][..], Vec::as_slice);
        let electorate = self.register.electorate(regions);
        for (seat, may_vote) in self.seats.iter_mut().zip(electorate) {
            if let Some(ballot) = seat.ballots.get_mut(word) {
                ballot.seat(bit, may_vote);
            }
        }
    }

    /// The outcome of a check at the last judgement.
    fn health(&self, at: HealthSlot) -> Option<Health> {
        self.layout.has(at).then(|| self.healths.get(at.slot))?
    }
}

impl History {
    /// The outcome, if it is a new one.
    fn settling(&self, health: Option<Health>, now: Duration, rules: &Rules) -> Option<Health> {
        let is_new = |since: Duration| now.saturating_sub(since) < rules.settle;
        health.filter(|_| self.since.is_some_and(is_new))
    }
}

/// Whether nobody's word on a place of this word turned to *down* after some moment.
fn contests(histories: &[History], word: usize) -> impl Fn(u32, Duration) -> bool {
    let places = histories.get(word * PLACES as usize..).unwrap_or(&[]);
    move |bit, at| {
        let history = places.get(bit as usize);
        history.is_some_and(|history| history.turned_down <= at)
    }
}
