//! Has a path changed? The samples of the last hours beside all of them, for regions of networks
//! that are measured often enough to tell. It is kept in memory alone: after a restart it begins
//! again.

use std::collections::HashMap;

use crate::aggregate::minute;
use crate::bins::{self, Bin};
use crate::holding::{Ageing, Holding};
use crate::key::Key;
use crate::rules::Rules;
use crate::slower::Slower;

/// Histograms that forget quickly.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    watched: HashMap<Key, Holding>,
    slower: Slower,
}

/// A sample of a network, as it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) key: Key,
    pub(crate) region: u8,
    pub(crate) bin: Bin,
    pub(crate) at_min: u32,
    pub(crate) client: Option<u64>,
}

/// Of all networks one in so many may be watched.
const WATCHED: usize = 4;
/// After so many half-lives of silence there is nothing left to be told apart.
const SILENCE: u64 = 8;

impl Recent {
    /// Takes a sample that has been added to what is known of its network, and drops three
    /// quarters of what is older if that is of another path. True if it did.
    pub(crate) fn saw(&mut self, seen: &Seen, all: &mut Holding, rules: &Rules) -> bool {
        let bins = all.bins_of(seen.region);
        if bins::weight(bins) < rules.shift_samples {
            return false;
        }
        let Some(before) = bins::quantile(bins, rules.quantile) else {
            return false;
        };
        let before = before.ms();
        let another = rules.shift_ms.max(before * rules.shift_share);
        self.make_room(seen.key, seen.at_min, rules);
        let watched = self.watched.entry(seen.key).or_default();
        let ageing = Ageing::strict(rules.recent_half_life_s);
        watched.add(seen.region, seen.bin, seen.at_min, ageing);
        if let Some(since) = self.slower.saw(seen, before + another, rules) {
            watched.replace(seen.region, since);
        }
        let Some(recent) = watched.of(seen.region) else {
            return false;
        };
        if bins::weight(recent.bins) < rules.shift_samples {
            return false;
        }
        let now = bins::quantile(recent.bins, rules.quantile);
        if now.is_none_or(|now| (now.ms() - before).abs() <= another) {
            return false;
        }
        for bin in bins {
            let same = |other: &&Bin| other.bucket == bin.bucket;
            let new = recent.bins.iter().find(same).map_or(0.0, |new| new.weight);
            let new = new.min(bin.weight);
            bin.weight = new + (bin.weight - new) / 4.0;
        }
        true
    }

    /// Sees to it that a network is watched or can be.
    fn make_room(&mut self, key: Key, at_min: u32, rules: &Rules) {
        let most = rules.max_keys / WATCHED + 1;
        if self.watched.len() < most || self.watched.contains_key(&key) {
            return;
        }
        self.forget_silent(at_min, rules);
        // All of them at once, if need be: one by one would be a search for each.
        if self.watched.len() >= most {
            *self = Self::default();
        }
    }

    /// Forgets networks of which nothing was heard for days.
    pub(crate) fn forget_silent(&mut self, now_min: u32, rules: &Rules) {
        let silence = minute(rules.recent_half_life_s.saturating_mul(SILENCE));
        let least = now_min.saturating_sub(silence);
        self.watched
            .retain(|_, holding| holding.last_min() >= least);
        self.slower.keep(|key| self.watched.contains_key(key));
    }

    pub(crate) fn forget(&mut self, key: Key) {
        self.watched.remove(&key);
        self.slower.forget(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.watched.len()
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        let each = size_of::<Key>() + size_of::<Holding>() + 1;
        let own: usize = self.watched.values().map(Holding::bytes).sum();
        self.watched.capacity() * each + own + self.slower.bytes()
    }
}
