//! Which paths have become slower: samples in a row none of which was as fast as what is known of the
//! path. Queues only add to a round trip, and now and then there is none: so one that is congested
//! has fast samples still, and one that goes another way has not. What follows from it is not here.

use std::collections::HashMap;

use crate::bins::{self, Bin};
use crate::clients::Clients;
use crate::key::Key;
use crate::recent::Seen;
use crate::rules::Rules;

/// What came since the last sample that was as fast as before, of regions of networks where the
/// newest was not.
#[derive(Debug, Default)]
pub(crate) struct Slower(HashMap<Key, Vec<Run>>);

#[derive(Debug)]
struct Run {
    region: u8,
    since_min: u32,
    clients: Clients,
    bins: Vec<Bin>,
}

impl Slower {
    /// Takes a sample, where one up to `as_before_ms` is as fast as before. All that came since the
    /// last such one, if that was long ago and there were enough samples and clients: they are
    /// those of a slower path.
    pub(crate) fn saw(&mut self, seen: &Seen, as_before_ms: f32, rules: &Rules) -> Option<&[Bin]> {
        if seen.bin.position().ms() <= as_before_ms {
            self.end(seen);
            return None;
        }
        let runs = self.0.entry(seen.key).or_default();
        let known = runs.iter().position(|run| run.region == seen.region);
        let place = known.unwrap_or_else(|| {
            runs.push(Run::begun_by(seen));
            runs.len() - 1
        });
        let run = runs.get_mut(place)?;
        run.add(seen);
        run.is_enough(seen.at_min, rules).then_some(&*run.bins)
    }

    /// A sample was as fast as before. One from before the first that was not says nothing.
    fn end(&mut self, seen: &Seen) {
        if let Some(runs) = self.0.get_mut(&seen.key) {
            runs.retain(|run| run.region != seen.region || seen.at_min < run.since_min);
            if runs.is_empty() {
                self.0.remove(&seen.key);
            }
        }
    }

    pub(crate) fn forget(&mut self, key: Key) {
        self.0.remove(&key);
    }

    /// Forgets other networks than these.
    pub(crate) fn keep(&mut self, is_kept: impl Fn(&Key) -> bool) {
        self.0.retain(|key, _| is_kept(key));
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        let each = size_of::<Key>() + size_of::<Vec<Run>>() + 1;
        let runs = self.0.values().flatten();
        let own = runs.map(|run| size_of::<Run>() + run.bins.capacity() * size_of::<Bin>());
        self.0.capacity() * each + own.sum::<usize>()
    }
}

impl Run {
    fn begun_by(seen: &Seen) -> Self {
        Self {
            region: seen.region,
            since_min: seen.at_min,
            clients: Clients::default(),
            bins: Vec::new(),
        }
    }

    fn add(&mut self, seen: &Seen) {
        if seen.at_min < self.since_min {
            return;
        }
        self.clients.saw(seen.client, 0);
        if let Err(place) = bins::add(&mut self.bins, seen.bin) {
            self.bins.insert(place, seen.bin);
        }
    }

    fn is_enough(&self, now_min: u32, rules: &Rules) -> bool {
        let since_s = u64::from(now_min.saturating_sub(self.since_min)) * 60;
        since_s >= rules.slower_s
            && bins::weight(&self.bins) >= rules.shift_samples
            && self.clients.count() >= rules.min_clients - 0.5
    }
}
