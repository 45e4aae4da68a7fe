//! A checker's complete table: one vote for each place, and how it is sent. What is sent is in
//! `table/wire.rs`, byte by byte; who counts it is in `votes.rs`.

mod counter;
mod wire;

use std::time::Duration;

use meridian_model::{Health, HealthCheckId, HealthSlot, Seq};

use crate::bits::place;
use crate::key::CheckerKey;
use crate::layout::{Layout, OutOfPlaces};
use crate::register::CheckerName;

pub use counter::Counter;
pub(crate) use wire::Line;
pub use wire::{FORMAT_VERSION, Known, MAX_TABLE_BYTES, Received, Refused};

/// What a checker says of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Vote {
    /// Nothing: it does not know of the check, does not probe it, or has too few results yet.
    #[default]
    Nothing,
    /// The endpoint is up.
    Up,
    /// The endpoint is down.
    Down,
    /// It has an opinion, and does not stand by it: its own loop ran late, or it could not probe.
    Withheld,
}

/// Whether a checker stands by its opinions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conduct {
    /// It does.
    Votes,
    /// All opinions are sent as withheld.
    Withholds,
}

/// What is sent with the votes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Who sends it.
    pub checker: CheckerName,
    /// Higher than that of any table the checker ever sent: see [`Counter`].
    pub counter: u64,
    /// The last entry of the journal from which the checker knew the checks; shown, and nothing is
    /// decided by it.
    pub known_through: Seq,
    /// How late the checker's own loop ran, to be shown; sent in milliseconds.
    pub lateness: Duration,
}

/// The votes of a checker: one for each place up to the highest that it ever knew a check in.
#[derive(Debug, Clone, Default)]
pub struct Table {
    layout: Layout,
    planes: Vec<Planes>,
}

/// The votes on 64 places in two planes of bits; both are set where a vote is withheld.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Planes {
    pub(crate) up: u64,
    pub(crate) down: u64,
}

impl Table {
    /// A table without checks.
    pub fn new() -> Self {
        Self::default()
    }

    /// The checker knows of this check from now on. If that is new, nothing is said of it yet.
    ///
    /// # Errors
    /// The place is too high; nothing is changed, and nothing will be said of the check.
    pub fn put(&mut self, at: HealthSlot, check: &HealthCheckId) -> Result<(), OutOfPlaces> {
        if self.layout.put(at, check)? {
            self.planes
                .resize(self.layout.sums().len(), Planes::default());
            self.write(at.slot, Vote::Nothing);
        }
        Ok(())
    }

    /// The check is gone. Says whether it was there.
    pub fn remove(&mut self, at: HealthSlot) -> bool {
        let was_there = self.layout.remove(at);
        if was_there {
            self.write(at.slot, Vote::Nothing);
        }
        was_there
    }

    /// Sets the vote on a check. Says whether the check is there: what is found of a check that is
    /// gone meanwhile is dropped here.
    pub fn set(&mut self, at: HealthSlot, vote: Vote) -> bool {
        let there = self.layout.has(at);
        if there {
            self.write(at.slot, vote);
        }
        there
    }

    /// The vote on a check.
    pub fn get(&self, at: HealthSlot) -> Option<Vote> {
        let (index, bit) = place(at.slot);
        let planes = self.layout.has(at).then(|| self.planes.get(index))??;
        Some(planes.vote(bit))
    }

    /// Which checks the checker knows of.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The table as it is sent, signed. Its size depends on the highest place alone.
    pub fn seal(&self, issue: &Issue, conduct: Conduct, key: &CheckerKey) -> Vec<u8> {
        let sums = self.layout.sums().iter();
        let lines = sums.zip(&self.planes).map(|(sum, planes)| Line {
            sum: *sum,
            planes: planes.under(conduct),
        });
        wire::seal(issue, lines, key)
    }

    fn write(&mut self, slot: u32, vote: Vote) {
        let (index, bit) = place(slot);
        if let Some(planes) = self.planes.get_mut(index) {
            planes.set(bit, vote);
        }
    }
}

impl Planes {
    pub(crate) const fn vote(self, bit: u64) -> Vote {
        match (self.up & bit != 0, self.down & bit != 0) {
            (false, false) => Vote::Nothing,
            (true, false) => Vote::Up,
            (false, true) => Vote::Down,
            (true, true) => Vote::Withheld,
        }
    }

    const fn set(&mut self, bit: u64, vote: Vote) {
        self.up &= !bit;
        self.down &= !bit;
        match vote {
            Vote::Nothing => {}
            Vote::Up => self.up |= bit,
            Vote::Down => self.down |= bit,
            Vote::Withheld => {
                self.up |= bit;
                self.down |= bit;
            }
        }
    }

    /// Without the votes on other places.
    pub(crate) const fn only(self, places: u64) -> Self {
        Self {
            up: self.up & places,
            down: self.down & places,
        }
    }

    const fn under(self, conduct: Conduct) -> Self {
        let said = self.up | self.down;
        match conduct {
            Conduct::Votes => self,
            Conduct::Withholds => Self {
                up: said,
                down: said,
            },
        }
    }
}

impl From<Option<Health>> for Vote {
    fn from(opinion: Option<Health>) -> Self {
        match opinion {
            None => Self::Nothing,
            Some(Health::Healthy) => Self::Up,
            Some(Health::Unhealthy) => Self::Down,
        }
    }
}
