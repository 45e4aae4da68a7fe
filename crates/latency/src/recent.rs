//! Has a path changed? The samples of the last hours beside all of them, for regions of networks
//! that are measured often enough to tell. It is kept in memory alone: after a restart it begins
//! again.

use std::collections::HashMap;

use crate::aggregate::minute;
use crate::bins;
use crate::holding::{Ageing, Holding};
use crate::key::Key;
use crate::rules::Rules;

/// Histograms that forget quickly.
#[derive(Debug, Default)]
pub(crate) struct Recent(HashMap<Key, Holding>);

/// Of all networks one in so many may be watched.
const WATCHED: usize = 4;
/// After so many half-lives of silence there is nothing left to be told apart.
const SILENCE: u64 = 8;

impl Recent {
    /// Takes a sample that has been added to what is known of its network, and drops three
    /// quarters of what is older if that is of another path. True if it did.
    pub(crate) fn saw(
        &mut self,
        key: Key,
        region: u8,
        sample: (bins::Bin, u32),
        all: &mut Holding,
        rules: &Rules,
    ) -> bool {
        let bins = all.bins_of(region);
        if bins::weight(bins) < rules.shift_samples {
            return false;
        }
        self.make_room(key, sample.1, rules);
        let watched = self.0.entry(key).or_default();
        watched.add(
            region,
            sample.0,
            sample.1,
            Ageing::strict(rules.recent_half_life_s),
        );
        let Some(recent) = watched.of(region) else {
            return false;
        };
        if bins::weight(recent.bins) < rules.shift_samples {
            return false;
        }
        let both = (
            bins::quantile(recent.bins, rules.quantile),
            bins::quantile(bins, rules.quantile),
        );
        let (Some(now), Some(before)) = both else {
            return false;
        };
        let (now, before) = (now.ms(), before.ms());
        if (now - before).abs() <= rules.shift_ms.max(before * rules.shift_share) {
            return false;
        }
        for bin in bins {
            let same = |other: &&bins::Bin| other.bucket == bin.bucket;
            let new = recent.bins.iter().find(same).map_or(0.0, |new| new.weight);
            let new = new.min(bin.weight);
            bin.weight = new + (bin.weight - new) / 4.0;
        }
        true
    }

    /// Sees to it that a network is watched or can be.
    fn make_room(&mut self, key: Key, at_min: u32, rules: &Rules) {
        let most = rules.max_keys / WATCHED + 1;
        if self.0.len() < most || self.0.contains_key(&key) {
            return;
        }
        self.forget_silent(at_min, rules);
        // All of them at once, if need be: one by one would be a search for each.
        if self.0.len() >= most {
            self.0.clear();
        }
    }

    /// Forgets networks of which nothing was heard for days.
    pub(crate) fn forget_silent(&mut self, now_min: u32, rules: &Rules) {
        let silence = minute(rules.recent_half_life_s.saturating_mul(SILENCE));
        let least = now_min.saturating_sub(silence);
        self.0.retain(|_, holding| holding.last_min() >= least);
    }

    pub(crate) fn forget(&mut self, key: Key) {
        self.0.remove(&key);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        let each = size_of::<Key>() + size_of::<Holding>() + 1;
        let own: usize = self.0.values().map(Holding::bytes).sum();
        self.0.capacity() * each + own
    }
}
