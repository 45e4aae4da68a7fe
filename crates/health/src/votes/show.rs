//! How outcomes came about, for people and for the log of events.

use std::time::Duration;

use meridian_model::{Health, HealthSlot, Seq};

use super::poll::Ruling;
use super::{Tally, Votes};
use crate::bits::{place, places};
use crate::register::Checker;

/// Why an outcome is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The votes say so.
    Votes,
    /// Too few were heard: the last outcome holds.
    BelowQuorum,
    /// Enough said *up* before some of them fell silent, and nobody's word turned to *down* since:
    /// the last outcome holds.
    Contested,
    /// It flipped a moment ago, and one vote alone would flip it back: it holds for a while.
    Settling,
}

/// What a checker says of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cast {
    /// Its vote.
    Voted(Health),
    /// It was heard, and has no opinion yet.
    Undecided,
    /// It was heard, and does not stand by its opinion.
    Withheld,
    /// It was not heard, or knows of another check in this place.
    Silent,
}

/// One who may vote on a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voter<'a> {
    /// Who.
    pub checker: &'a Checker,
    /// What it says now.
    pub cast: Cast,
    /// Its last word, if it says none now.
    pub last_word: Option<Health>,
}

/// What is known of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Its outcome; too little was heard so far if there is none.
    pub health: Option<Health>,
    /// Why.
    pub basis: Basis,
    /// For how long it has been that, as far as this process knows.
    pub unchanged_for: Duration,
    /// How long ago votes last decided it; not since the start if there is none.
    pub age: Option<Duration>,
    /// The votes counted.
    pub tally: Tally,
    /// The votes.
    pub voters: Vec<Voter<'a>>,
}

/// An outcome that is another one than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {
    /// Whose.
    pub slot: HealthSlot,
    /// What it was; unknown, which counts as healthy, if there is none.
    pub before: Option<Health>,
    /// What it is.
    pub health: Health,
    /// The votes counted.
    pub tally: Tally,
}

/// What is known of a checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckerShown<'a> {
    /// Who.
    pub checker: &'a Checker,
    /// How long ago its last table came; none came if there is none.
    pub age: Option<Duration>,
    /// Whether that is fresh enough to count.
    pub is_fresh: bool,
    /// The counter of its last table, possibly before a restart.
    pub counter: Option<u64>,
    /// The last journal entry from which it knew the checks.
    pub known_through: Option<Seq>,
    /// How late it ran.
    pub lateness: Option<Duration>,
}

impl Votes {
    /// What flipped at the last judgement, from the lowest place. Votes are counted here, so that
    /// who does not ask does not pay for it; ask before the next table is taken.
    pub fn flips(&self) -> impl Iterator<Item = Flip> {
        let words = self.healths.words.iter().enumerate();
        words.flat_map(move |(index, word)| {
            let before = self.before.words.get(index).copied().unwrap_or_default();
            let changed = (word.known ^ before.known) | (word.healthy ^ before.healthy);
            let poll = (changed != 0).then(|| self.poll(index, self.steady.lived()));
            places(index, changed).filter_map(move |slot| {
                Some(Flip {
                    slot: self.layout.at(slot)?,
                    before: before.get(place(slot).1),
                    health: word.get(place(slot).1)?,
                    tally: poll.as_ref()?.tally(slot),
                })
            })
        })
    }

    /// What is known of a check at the last judgement, if it is there.
    pub fn show(&self, at: HealthSlot) -> Option<Shown<'_>> {
        let now = self.steady.lived();
        let history = self.histories.get(at.slot as usize)?;
        let poll = self
            .layout
            .has(at)
            .then(|| self.poll(place(at.slot).0, now))?;
        let health = self.health(at);
        let settling = history.settling(health, now, &self.rules);
        Some(Shown {
            health,
            basis: match poll.rule(at.slot, &self.rules, settling) {
                Ruling::Decided(_) => Basis::Votes,
                Ruling::BelowQuorum => Basis::BelowQuorum,
                Ruling::Contested => Basis::Contested,
                Ruling::Settling => Basis::Settling,
            },
            unchanged_for: now.saturating_sub(history.since.unwrap_or_default()),
            age: history.decided.map(|decided| now.saturating_sub(decided)),
            tally: poll.tally(at.slot),
            voters: self.voters(at.slot).collect(),
        })
    }

    /// What is known of the checkers, in the order of their names.
    pub fn checkers(&self) -> impl Iterator<Item = CheckerShown<'_>> {
        let now = self.steady.lived();
        let seats = self.register.checkers().iter().zip(&self.seats);
        seats.map(move |(checker, seat)| {
            let age = seat.last.map(|last| now.saturating_sub(last.came));
            CheckerShown {
                checker,
                age,
                is_fresh: age.is_some_and(|age| age <= self.rules.fresh),
                counter: seat.counter,
                known_through: seat.last.map(|last| last.known_through),
                lateness: seat.last.map(|last| last.lateness),
            }
        })
    }

    fn voters(&self, slot: u32) -> impl Iterator<Item = Voter<'_>> {
        let now = self.steady.lived();
        let (word, bit) = place(slot);
        let seats = self.register.checkers().iter().zip(&self.seats);
        seats.filter_map(move |(checker, seat)| {
            let ballot = seat.ballots.get(word)?;
            let heard = ballot.heard(now, self.rules.fresh, |_, _| false);
            let is = |plane: u64| plane & bit != 0;
            if !is(heard.may_vote) {
                return None;
            }
            let cast = match () {
                () if is(heard.up) => Cast::Voted(Health::Healthy),
                () if is(heard.down) => Cast::Voted(Health::Unhealthy),
                () if is(heard.withheld) => Cast::Withheld,
                () if is(heard.undecided) => Cast::Undecided,
                () => Cast::Silent,
            };
            let last_word = match () {
                () if is(heard.last_up) => Some(Health::Healthy),
                () if is(heard.last_down) => Some(Health::Unhealthy),
                () => None,
            };
            Some(Voter {
                checker,
                cast,
                last_word,
            })
        })
    }
}
