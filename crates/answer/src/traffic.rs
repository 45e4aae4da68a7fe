//! How much a zone is asked: counters in its image, and the busiest zones of a World.
//!
//! The one thing in an image that changes. Nothing that is answered depends on it.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, Ordering};

use meridian_dns::Name;
use meridian_model::Generation;

use crate::{World, ZoneImage};

/// Candidates beyond those asked for that wait to be sorted out.
const SPARE: usize = 1024;

/// A zone's counters. They live in the image because its first lines are in the cache of whoever
/// answers from it.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    queries: AtomicU64,
    nxdomain: AtomicU64,
}

impl Traffic {
    /// Goes on where the counters of the image before stand.
    ///
    /// What workers add to the old image until they have all left it is lost: some queries at
    /// each change of a zone, of those that came in the same microseconds.
    pub(crate) fn go_on_from(&self, before: &Self) {
        let (queries, nxdomain) = before.read();
        self.queries.store(queries, Ordering::Relaxed);
        self.nxdomain.store(nxdomain, Ordering::Relaxed);
    }

    fn read(&self) -> (u64, u64) {
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        (read(&self.queries), read(&self.nxdomain))
    }
}

impl Clone for Traffic {
    fn clone(&self) -> Self {
        let copy = Self::default();
        copy.go_on_from(self);
        copy
    }
}

/// Queries one after the other for one zone, which are added together: in most batches all of
/// them, so that a batch costs one atomic addition.
#[derive(Debug, Default)]
pub(crate) struct Run<'w> {
    zone: Option<&'w ZoneImage>,
    queries: u64,
    nxdomain: u64,
}

/// Whether there was a name to answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Name,
    NxDomain,
}

impl<'w> Run<'w> {
    /// Counts a query for this zone.
    #[inline]
    pub(crate) fn count(&mut self, zone: &'w ZoneImage, found: Found) {
        if self.zone.is_none_or(|before| !std::ptr::eq(before, zone)) {
            self.end();
            self.zone = Some(zone);
        }
        self.queries += 1;
        self.nxdomain += u64::from(found == Found::NxDomain);
    }

    /// Adds what has come together to its zone.
    #[inline]
    pub(crate) fn end(&mut self) {
        if let Some(zone) = self.zone.take() {
            let traffic = &zone.traffic;
            traffic.queries.fetch_add(self.queries, Ordering::Relaxed);
            if self.nxdomain > 0 {
                traffic.nxdomain.fetch_add(self.nxdomain, Ordering::Relaxed);
            }
        }
        (self.queries, self.nxdomain) = (0, 0);
    }
}

/// What a zone was asked, since it was last built anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneTraffic {
    /// The zone's apex.
    pub apex: Name,
    /// Tells zones of one name apart.
    pub generation: Generation,
    /// Queries that were found to be for it.
    pub queries: u64,
    /// Those of them answered NXDOMAIN.
    pub nxdomain: u64,
}

/// The zones with the most queries, at most `most`, the busiest first and of equally busy ones the
/// older; those without any are left out. Looks at all zones.
pub(crate) fn busiest(world: &World, most: usize) -> Vec<ZoneTraffic> {
    // Candidates are sorted out now and then, so that there are never many more than asked for.
    let room = most.saturating_add(SPARE);
    let mut candidates: Vec<(u64, u64, &ZoneImage)> = Vec::new();
    let mut at_least = 1;
    for zone in world.zones() {
        let (queries, nxdomain) = zone.traffic.read();
        if queries < at_least {
            continue;
        }
        candidates.push((queries, nxdomain, zone));
        if candidates.len() > room {
            keep_busiest(&mut candidates, most);
            at_least = candidates.last().map_or(u64::MAX, |(least, _, _)| *least);
        }
    }
    keep_busiest(&mut candidates, most);
    let shown = candidates
        .into_iter()
        .map(|(queries, nxdomain, zone)| ZoneTraffic {
            apex: zone.meta.apex.clone(),
            generation: zone.meta.generation,
            queries,
            nxdomain,
        });
    shown.collect()
}

fn keep_busiest(candidates: &mut Vec<(u64, u64, &ZoneImage)>, most: usize) {
    candidates.sort_unstable_by_key(|(queries, _, zone)| (Reverse(*queries), zone.meta.generation));
    candidates.truncate(most);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Broken, HashKey, ZoneChange, ZoneMeta};

    const KEY: HashKey = HashKey([1, 2]);

    fn zone(number: u64) -> Arc<ZoneImage> {
        let meta = ZoneMeta {
            zone: meridian_model::ZoneId::new("Z1").unwrap(),
            apex: Name::parse(&format!("zone{number}.test")).unwrap(),
            generation: Generation(number),
            created_at: meridian_model::Timestamp(0),
            views: 1,
            last_changed: 1,
        };
        Arc::new(ZoneImage::build(KEY, meta, [], Broken::Refuse).unwrap())
    }

    fn counted(world: &World) -> Vec<(u64, u64, u64)> {
        let busiest = busiest(world, usize::MAX);
        let each = |zone: &ZoneTraffic| (zone.generation.0, zone.queries, zone.nxdomain);
        busiest.iter().map(each).collect()
    }

    #[test]
    fn runs_are_added_to_their_zones() {
        let (one, two) = (zone(1), zone(2));
        let mut run = Run::default();
        for (zone, found) in [
            (&one, Found::Name),
            (&one, Found::NxDomain),
            (&two, Found::Name),
            (&one, Found::Name),
        ] {
            run.count(zone, found);
        }
        run.end();
        run.end();
        let world = World::new(KEY, vec![one, two]);
        assert_eq!(counted(&world), [(1, 3, 1), (2, 1, 0)]);
    }

    #[test]
    fn a_changed_zone_goes_on_counting() {
        let mut run = Run::default();
        let before = zone(1);
        let world = World::new(KEY, vec![Arc::clone(&before)]);
        // Made from the old image, and then the old one is asked once more.
        let changed = Arc::new(before.with_views(3));
        run.count(&before, Found::NxDomain);
        run.end();
        let world = world.changed(&[ZoneChange::Put(changed)]);
        assert_eq!(counted(&world), [(1, 1, 1)]);
        // Built anew, as a zone is that had failed.
        let world = world.changed(&[ZoneChange::Put(zone(1)), ZoneChange::Put(zone(2))]);
        assert_eq!(counted(&world), [(1, 1, 1)]);
    }

    #[test]
    fn the_busiest_are_those_of_a_full_sort() {
        let zones: Vec<_> = (0..3 * SPARE as u64).map(zone).collect();
        for (place, zone) in zones.iter().enumerate() {
            let queries = (place as u64 * 7919) % 97;
            zone.traffic.queries.store(queries, Ordering::Relaxed);
        }
        let world = World::new(KEY, zones);
        let all = counted(&world);
        assert!(all.is_sorted_by_key(|(generation, queries, _)| (Reverse(*queries), *generation)));
        assert!(all.iter().all(|(_, queries, _)| *queries > 0));
        for most in [0, 1, 20, all.len(), all.len() + 1] {
            let busiest = busiest(&world, most);
            let chosen: Vec<u64> = busiest.iter().map(|zone| zone.generation.0).collect();
            let expected = all.iter().take(most);
            assert_eq!(chosen, expected.map(|(g, _, _)| *g).collect::<Vec<_>>());
        }
    }
}
