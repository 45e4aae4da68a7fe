//! What one checker says of 64 checks, and what its last word was where it says nothing now.

use std::time::Duration;

use crate::bits::PLACES;
use crate::table::Planes;

/// The last line of a checker's tables that was about the checks that are there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ballot {
    /// When it came; none came yet if there is none.
    at: Option<Duration>,
    /// The last words, each check in one of the two at most.
    up: u64,
    down: u64,
    /// Whose last word stands in the last line.
    given: u64,
    /// Where it had a word to say and withheld it.
    withheld: u64,
    /// On which checks it may vote.
    may_vote: u64,
}

/// What counts of a ballot at some moment. Only places that the checker may vote on are in any.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heard {
    pub(super) may_vote: u64,
    pub(super) up: u64,
    pub(super) down: u64,
    /// Withheld, in a table that is fresh.
    pub(super) withheld: u64,
    /// Nothing said, in a table that is fresh.
    pub(super) undecided: u64,
    /// Not heard now, *up* was the last word, and nobody's word turned to *down* after it.
    pub(super) stands_up: u64,
    /// Likewise not heard now, whatever it was.
    pub(super) last_up: u64,
    pub(super) last_down: u64,
}

impl Ballot {
    /// What the checker says now. Returns the places whose word turned to *down* by it. `contests`
    /// is asked whether nobody's word on a place turned to *down* after this moment.
    pub(super) fn replace(
        &mut self,
        said: Planes,
        now: Duration,
        contests: impl Fn(u32, Duration) -> bool,
    ) -> u64 {
        let (up, down) = (said.up & !said.down, said.down & !said.up);
        let turned = down & !self.down;
        let taken_back = self.given & !(up | down);
        self.up &= !taken_back | self.standing(self.up & taken_back, contests);
        self.given = up | down;
        self.withheld = said.up & said.down;
        self.up = (self.up & !self.given) | up;
        self.down = (self.down & !self.given) | down;
        self.at = Some(now);
        turned
    }

    /// Where somebody's word turned to *down*, last words that are not given any more are spent.
    pub(super) const fn forget_words(&mut self, turned: u64) {
        self.up &= !(turned & !self.given);
    }

    /// Another check has this place now.
    pub(super) const fn clear(&mut self, bit: u64) {
        self.up &= !bit;
        self.down &= !bit;
        self.given &= !bit;
        self.withheld &= !bit;
    }

    pub(super) const fn seat(&mut self, bit: u64, may_vote: bool) {
        if may_vote {
            self.may_vote |= bit;
        } else {
            self.may_vote &= !bit;
        }
    }

    /// What counts now, when lines are fresh for so long. `contests` is asked whether nobody's
    /// word on a place turned to *down* after this moment.
    pub(super) fn heard(
        &self,
        now: Duration,
        fresh: Duration,
        contests: impl Fn(u32, Duration) -> bool,
    ) -> Heard {
        let is_fresh = self.at.is_some_and(|at| now.saturating_sub(at) <= fresh);
        let said_now = if is_fresh { self.given } else { 0 };
        let silent = self.may_vote & !said_now;
        let last_up = silent & self.up;
        // Words of a line that is too old were given when it came; others are spent already if
        // they are to be.
        let not_spent = last_up & !self.given;
        let stands_up = not_spent | self.standing(last_up & self.given, contests);
        let may_hear = if is_fresh { self.may_vote } else { 0 };
        Heard {
            may_vote: self.may_vote,
            up: self.may_vote & said_now & self.up,
            down: self.may_vote & said_now & self.down,
            withheld: may_hear & self.withheld,
            undecided: may_hear & !said_now & !self.withheld,
            stands_up,
            last_up,
            last_down: silent & self.down,
        }
    }

    /// Those of these places where the word that was given in the last line stands.
    fn standing(&self, places: u64, contests: impl Fn(u32, Duration) -> bool) -> u64 {
        let at = self.at.unwrap_or_default();
        let stands = |bit: &u32| places & (1 << bit) != 0 && contests(*bit, at);
        (0..PLACES)
            .filter(stands)
            .fold(0, |bits, bit| bits | 1 << bit)
    }
}
