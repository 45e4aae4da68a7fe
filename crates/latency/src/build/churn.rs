//! Who would be sent elsewhere by a new map than by the one before.

use std::net::IpAddr;

use meridian_atlas::{Cell, Latencies, MapDraft, MapRow, RegionIndex};

use crate::build::report::Churn;
use crate::build::steady::Previous;

/// Regions as a set of bits: those that are fastest together.
pub(super) type Fastest = [u64; 4];

/// Of a new row: regions whose numbers are the same step of the map.
pub(super) fn fastest(cells: &[Cell]) -> Fastest {
    let step = |cell: &Cell| cell.ms.map(step);
    fastest_of(cells.iter().map(step))
}

/// Of a row of the map before, by the places of regions in the new one. Regions that the new map
/// does not have count nothing.
pub(super) fn fastest_before(previous: &Previous<'_>, latencies: &Latencies<'_>) -> Fastest {
    let columns = previous.columns();
    let step = |column: &Option<RegionIndex>| {
        let column = (*column)?;
        latencies.step(column).map(i32::from)
    };
    fastest_of(columns.iter().map(step))
}

fn fastest_of(steps: impl Iterator<Item = Option<i32>>) -> Fastest {
    let (mut least, mut all) = (i32::MAX, Fastest::default());
    for (step, region) in steps.zip(0usize..256) {
        let Some(step) = step.filter(|step| *step <= least) else {
            continue;
        };
        if step < least {
            (least, all) = (step, Fastest::default());
        }
        if let Some(word) = all.get_mut(region / 64) {
            *word |= 1 << (region % 64);
        }
    }
    all
}

/// Whether a region is one of them.
pub(super) fn is_among(all: Fastest, region: usize) -> bool {
    all.get(region / 64)
        .is_some_and(|word| word >> (region % 64) & 1 == 1)
}

/// The step of the map's scale that a number is stored as.
fn step(ms: f32) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
    let step = ((ms / 0.5).ln() / 0.030_04).round().clamp(0.0, 253.0) as i32;
    step
}

/// Whether two rows are the same in a map.
pub(super) fn same(one: &[Option<f32>], other: &[Option<f32>]) -> bool {
    let steps =
        |row: &[Option<f32>]| -> Vec<Option<i32>> { row.iter().map(|ms| ms.map(step)).collect() };
    steps(one) == steps(other)
}

/// Whether those who were sent to one of these regions are sent to one of the others now. None where
/// there is nothing to compare.
pub(super) fn moves(before: Fastest, now: Fastest) -> Option<bool> {
    let none = |all: &Fastest| all.iter().all(|word| *word == 0);
    if none(&before) || none(&now) {
        return None;
    }
    Some(
        before
            .iter()
            .zip(now)
            .all(|(before, now)| before & now == 0),
    )
}

/// Shares of addresses that move. Those of samples are counted elsewhere.
pub(super) fn of_addresses(draft: &MapDraft, previous: &Previous<'_>) -> Churn {
    let now: Vec<Fastest> = draft
        .rows
        .iter()
        .map(|row: &MapRow| fastest(&row.cells))
        .collect();
    let v4: Vec<(u64, u32)> = draft
        .v4
        .iter()
        .map(|(first, row)| (u64::from(*first), *row))
        .collect();
    Churn {
        v4: share(&v4, &now, previous, 1 << 32, |first, last| {
            match (first, last) {
                (IpAddr::V4(first), IpAddr::V4(last)) => {
                    Some((first.to_bits().into(), u128::from(last.to_bits()) + 1))
                }
                _ => None,
            }
        }),
        v6: share(&draft.v6, &now, previous, 1 << 64, |first, last| {
            match (first, last) {
                (IpAddr::V6(first), IpAddr::V6(last)) => {
                    Some((first.to_bits() >> 64, (last.to_bits() >> 64) + 1))
                }
                _ => None,
            }
        }),
        clients: 0.0,
    }
}

/// Of one family, whose addresses are numbers below `end`.
fn share(
    ranges: &[(u64, u32)],
    now: &[Fastest],
    previous: &Previous<'_>,
    end: u128,
    span: impl Fn(IpAddr, IpAddr) -> Option<(u128, u128)>,
) -> f64 {
    let (mut moved, mut all) = (0_u128, 0_u128);
    for range in previous.map.ranges() {
        let Some((first, behind)) = span(range.first, range.last) else {
            continue;
        };
        let before = fastest_before(previous, &range.latencies);
        let from = ranges.partition_point(|(start, _)| u128::from(*start) <= first);
        let inside = ranges.get(from.saturating_sub(1)..).unwrap_or_default();
        for (place, (start, row)) in inside.iter().enumerate() {
            let start = u128::from(*start).max(first);
            if start >= behind {
                break;
            }
            let next = inside
                .get(place + 1)
                .map_or(end, |(next, _)| u128::from(*next));
            let count = next.min(behind) - start;
            // No row has the number that says nothing.
            let row = usize::try_from(*row).ok().and_then(|row| now.get(row));
            let Some(moves) = row.and_then(|now| moves(before, *now)) else {
                continue;
            };
            all += count;
            if moves {
                moved += count;
            }
        }
    }
    part(moved, all)
}

/// So many of so many.
#[expect(clippy::cast_precision_loss, reason = "shares for people")]
pub(super) fn part(some: u128, all: u128) -> f64 {
    if all == 0 {
        0.0
    } else {
        some as f64 / all as f64
    }
}
