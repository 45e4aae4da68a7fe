//! Votes counted, 64 checks at a time, and the rule by which they decide.

use std::time::Duration;

use meridian_model::{CheckerRegion, Health};

use super::ballot::Heard;
use crate::bits::PLACES;

/// How votes decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// More than this part of those that may vote have to say *up*, in percent.
    pub share_percent: u8,
    /// So many have to at least, or all if there are fewer. With less than six checkers one of
    /// them is more than 18 %; with 2 here, none of three or more decides alone.
    pub least_up: u8,
    /// They have to stand in so many regions at least, or in all if there are fewer.
    pub least_regions: u8,
    /// More than this part of those that may vote have to be heard, in percent, or the outcome
    /// stays what it was.
    pub quorum_percent: u8,
    /// For how long a table counts.
    pub fresh: Duration,
    /// For so long after a flip one vote more than otherwise has to be there to flip back, where
    /// three or more may vote: while an endpoint's votes turn one by one, a checker that flaps
    /// would turn the outcome to and fro. Once all who are heard agree it makes no difference.
    pub settle: Duration,
}

/// From so many voters on, one of them alone can be told from the others.
const MANY: u8 = 3;

impl Rules {
    /// As Route 53 decides, where that is known: more than 18 % (reference 6.3).
    pub const ROUTE_53: Self = Self {
        share_percent: 18,
        least_up: 1,
        least_regions: 1,
        quorum_percent: 50,
        fresh: Duration::from_secs(5),
        settle: Duration::from_secs(30),
    };
}

/// The votes on one check, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Who may vote on it; the others add up to this.
    pub registered: u8,
    /// Who says it is up.
    pub up: u8,
    /// Who says it is down.
    pub down: u8,
    /// Who was heard and has no opinion yet.
    pub undecided: u8,
    /// Who was heard and withholds its opinion.
    pub withheld: u8,
    /// Who was not heard.
    pub silent: u8,
}

/// What follows from a poll for one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ruling {
    Decided(Health),
    /// Too few were heard.
    BelowQuorum,
    /// It would be unhealthy only because some who said *up* fell silent.
    Contested,
    /// It flipped a moment ago, and one vote alone would flip it back.
    Settling,
}

/// For each of 64 places how many words had its bit. There are at most 64 checkers.
#[derive(Debug, Clone, Copy)]
struct Count([u8; PLACES as usize]);

impl Default for Count {
    fn default() -> Self {
        Self([0; PLACES as usize])
    }
}

impl Count {
    /// Without a branch, so that it costs the same whatever the bits are.
    fn add(&mut self, word: u64) {
        for (bit, count) in self.0.iter_mut().enumerate() {
            *count += u8::from(word >> bit & 1 == 1);
        }
    }

    fn at(&self, slot: u32) -> u8 {
        let place = (slot % PLACES) as usize;
        self.0.get(place).copied().unwrap_or(0)
    }
}

/// The votes on 64 checks.
#[derive(Debug, Default)]
pub(super) struct Poll {
    registered: Count,
    up: Count,
    down: Count,
    undecided: Count,
    withheld: Count,
    /// Those who say *up*, and those who fell silent after saying so.
    up_or_silent: Count,
    by_region: Vec<(CheckerRegion, Region)>,
    regions: Count,
    regions_up: Count,
    regions_up_or_silent: Count,
}

/// What is said in one region.
#[derive(Debug, Default)]
struct Region {
    may_vote: u64,
    up: u64,
    up_or_silent: u64,
}

impl Poll {
    pub(super) fn add(&mut self, region: &CheckerRegion, heard: Heard) {
        let up_or_silent = heard.up | heard.stands_up;
        self.registered.add(heard.may_vote);
        self.up.add(heard.up);
        self.down.add(heard.down);
        self.undecided.add(heard.undecided);
        self.withheld.add(heard.withheld);
        self.up_or_silent.add(up_or_silent);
        let found = self.by_region.iter().position(|(name, _)| name == region);
        let at = found.unwrap_or_else(|| {
            self.by_region.push((region.clone(), Region::default()));
            self.by_region.len() - 1
        });
        if let Some((_, region)) = self.by_region.get_mut(at) {
            region.may_vote |= heard.may_vote;
            region.up |= heard.up;
            region.up_or_silent |= up_or_silent;
        }
    }

    /// Counts the regions, when everybody is in.
    pub(super) fn count_regions(&mut self, rules: &Rules) {
        if rules.least_regions <= 1 {
            return;
        }
        for (_, region) in &self.by_region {
            self.regions.add(region.may_vote);
            self.regions_up.add(region.up);
            self.regions_up_or_silent.add(region.up_or_silent);
        }
    }

    /// What the votes on a check decide. `settling` is its outcome if that is a new one.
    pub(super) fn rule(&self, slot: u32, rules: &Rules, settling: Option<Health>) -> Ruling {
        let registered = self.registered.at(slot);
        let up = self.up.at(slot);
        let heard = up + self.down.at(slot);
        if u32::from(heard) * 100 <= u32::from(rules.quorum_percent) * u32::from(registered) {
            return Ruling::BelowQuorum;
        }
        let regions = self.regions.at(slot);
        let enough = |up: u8, regions_up: u8| {
            u32::from(up) * 100 > u32::from(rules.share_percent) * u32::from(registered)
                && up >= rules.least_up.min(registered)
                && regions_up >= rules.least_regions.min(regions)
        };
        let regions_up = self.regions_up.at(slot);
        let settling = settling.filter(|_| registered >= MANY);
        if enough(up, regions_up) {
            let is_clear = up == heard || enough(up.saturating_sub(1), regions_up);
            if settling == Some(Health::Unhealthy) && !is_clear {
                return Ruling::Settling;
            }
            return Ruling::Decided(Health::Healthy);
        }
        // Where everyone who is heard says *down*, there is no vote more to wait for.
        let is_clear = up == 0 || !enough(up.saturating_add(1), regions_up);
        if settling == Some(Health::Healthy) && !is_clear {
            return Ruling::Settling;
        }
        let stood_up = self.up_or_silent.at(slot);
        if enough(stood_up, self.regions_up_or_silent.at(slot)) {
            return Ruling::Contested;
        }
        Ruling::Decided(Health::Unhealthy)
    }

    pub(super) fn tally(&self, slot: u32) -> Tally {
        let mut tally = Tally {
            registered: self.registered.at(slot),
            up: self.up.at(slot),
            down: self.down.at(slot),
            undecided: self.undecided.at(slot),
            withheld: self.withheld.at(slot),
            silent: 0,
        };
        let heard = tally.up + tally.down + tally.undecided + tally.withheld;
        tally.silent = tally.registered.saturating_sub(heard);
        tally
    }
}
