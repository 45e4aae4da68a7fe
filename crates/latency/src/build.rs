//! Making a map of all that is known: what is thought of every place and network, what of that is
//! published, and what changes with it. Pure: the same facts make the same map.

mod areas;
mod base;
mod churn;
mod ranges;
mod report;
mod steady;
#[cfg(test)]
mod tests;
mod tree;
mod vector;
mod whose;
mod workshop;

use std::collections::{BTreeMap, BTreeSet};

use meridian_atlas::{LatencyMap, MapDraft, MapRegion};

use crate::aggregate::Aggregate;
use crate::build::base::Places;
use crate::build::whose::Telling;
use crate::build::workshop::Workshop;
use crate::ground::Ground;
use crate::key::{Family, Key};
use crate::matrix::Matrix;
use crate::score::{Score, regret};

pub use report::{BuildReport, Churn, Coverage};
pub use steady::Hysteresis;

/// What a map is made of.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// What was measured from clients.
    pub aggregate: &'a Aggregate,
    /// What was measured between regions.
    pub matrix: &'a Matrix,
    /// Where everybody is, and what time it is.
    pub ground: Ground<'a>,
    /// The map that is published: what its numbers are decides which may change.
    pub previous: Option<&'a LatencyMap>,
}

/// As many as a map has.
const MAX_REGIONS: usize = 255;

/// Makes a map. Its regions are those that anything was measured to, by clients or from other
/// regions; its number is one more than that of the map before.
///
/// It may take seconds, and as much memory as the aggregate.
pub fn build(making: &Making<'_>, hysteresis: &mut Hysteresis) -> (MapDraft, BuildReport) {
    hysteresis.begin();
    let regions = regions(making);
    let names = regions.iter().map(|region| &*region.name);
    let previous = making.previous.map(|map| steady::Previous::new(map, names));
    let telling = Telling::of(making.aggregate, making.ground.atlas);
    let mut places = Places::of(making.ground.atlas, telling, previous.as_ref());
    let mut workshop = Workshop::new(making, regions, previous.as_ref(), &mut places);
    let settled = workshop.settle_places(hysteresis);
    let base_rows = workshop.place_rows(&settled);
    let place_rows = workshop.rows.len();
    let networks = workshop.networks(&settled, &base_rows, hysteresis);
    let over = |family: Family, segments: &[base::Segment]| {
        let own: Vec<(Key, u32)> = networks
            .own
            .iter()
            .filter(|(key, _)| key.family() == family)
            .copied()
            .collect();
        let end = match family {
            Family::V4 => 1 << 32,
            Family::V6 => 1 << 64,
        };
        ranges::laid_over(&ranges::rows_of(segments, &base_rows), &own, end)
    };
    let (v4, v6) = (
        over(Family::V4, &workshop.places.v4),
        over(Family::V6, &workshop.places.v6),
    );
    let draft = MapDraft {
        build: making.previous.map_or(1, |map| map.build() + 1),
        made_s: making.ground.now_s,
        v4: numbered(v4),
        v6: numbered(v6),
        regions: workshop.regions,
        rows: workshop.rows,
    };
    let churn = previous.as_ref().map(|previous| Churn {
        clients: networks.moved,
        ..churn::of_addresses(&draft, previous)
    });
    let report = BuildReport {
        keys: making.aggregate.keys.len(),
        published: networks.own.len(),
        places: place_rows,
        held: hysteresis.end(),
        churn,
        coverage: Coverage {
            v4: covered(&draft.v4, 1 << 32),
            v6: covered(&draft.v6, 1 << 64),
            measured: networks.measured,
        },
        held_out: held_out(making.aggregate, &draft),
        newest_s: making.aggregate.newest_s(),
    };
    (draft, report)
}

/// The regions of a map, in the order of their names.
fn regions(making: &Making<'_>) -> Vec<MapRegion> {
    let mut names: BTreeSet<&str> = making
        .matrix
        .iter()
        .flat_map(|(from, to, _)| [from, to])
        .collect();
    names.extend(making.aggregate.regions.iter().map(|name| &**name));
    let region = |name: &str| {
        Some(MapRegion {
            name: name.into(),
            point: making.ground.regions.point(name)?,
        })
    };
    names
        .into_iter()
        .filter_map(region)
        .take(MAX_REGIONS)
        .collect()
}

/// First addresses as a draft has them.
fn numbered<T: TryFrom<u128>>(ranges: Vec<(u128, u32)>) -> Vec<(T, u32)> {
    let number = |(first, row): (u128, u32)| Some((T::try_from(first).ok()?, row));
    ranges.into_iter().filter_map(number).collect()
}

/// The share of a family's numbers below `end` that have a row.
fn covered<T: Copy + Into<u64>>(ranges: &[(T, u32)], end: u128) -> f64 {
    let mut all = 0;
    for (place, (first, row)) in ranges.iter().enumerate() {
        let first: u64 = (*first).into();
        let next = ranges
            .get(place + 1)
            .map_or(end, |(next, _)| u128::from((*next).into()));
        if *row != ranges::NOTHING {
            all += next - u128::from(first);
        }
    }
    churn::part(all, end)
}

/// Regret by the samples that were put aside. All that was measured from a network within a minute
/// is one choice.
fn held_out(aggregate: &Aggregate, draft: &MapDraft) -> Option<Score> {
    let columns = columns(aggregate, &draft.regions);
    let mut choices: BTreeMap<(Key, u32), BTreeMap<usize, f32>> = BTreeMap::new();
    for sample in &aggregate.held_out {
        if let Some(column) = columns.get(usize::from(sample.region)).copied().flatten() {
            let measured = choices.entry((sample.key, sample.at_min)).or_default();
            let ms = measured.entry(column).or_insert(sample.ms);
            *ms = ms.min(sample.ms);
        }
    }
    let mut regrets = Vec::new();
    for ((key, _), measured) in choices {
        let row = match key.address() {
            std::net::IpAddr::V4(v4) => ranges::at(&draft.v4, v4.to_bits()),
            std::net::IpAddr::V6(_) => u64::try_from(key.span().0)
                .ok()
                .and_then(|first| ranges::at(&draft.v6, first)),
        };
        let row = row.and_then(|row| draft.rows.get(usize::try_from(row).ok()?));
        let Some(row) = row else { continue };
        let offer: Vec<(f32, f32, f32)> = measured
            .iter()
            .filter_map(|(column, ms)| Some((*ms, row.cells.get(*column)?.ms?, 0.0)))
            .collect();
        if offer.len() >= 2 {
            regrets.extend(regret(&offer, |(_, shown, _)| *shown));
        }
    }
    (!regrets.is_empty()).then(|| Score::of(regrets))
}

/// The place in a map of each region of an aggregate.
fn columns(aggregate: &Aggregate, regions: &[MapRegion]) -> Vec<Option<usize>> {
    let column = |name: &str| {
        regions
            .binary_search_by(|region| (*region.name).cmp(name))
            .ok()
    };
    aggregate.regions.iter().map(|name| column(name)).collect()
}
