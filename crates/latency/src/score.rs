//! What a map is worth: those who would be sent somewhere by it beside where they were fastest. Right
//! choices are counted, but what counts is regret, the milliseconds lost by wrong ones: many are
//! cheap and few are dear.

use std::net::IpAddr;

use meridian_atlas::{Latencies, LatencyMap, Point, by_distance_ms};

use crate::ground::Ground;
use crate::lot;

/// How long it truly takes from an address to some regions, in ms.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// A client's.
    pub address: IpAddr,
    /// Regions by their names; at least two, for there to be a choice.
    pub regions: Vec<(Box<str>, f32)>,
}

/// How good choices were.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// Choices.
    pub choices: u64,
    /// Of these, the share that was the fastest.
    pub right: f64,
    /// What was lost on average, in ms; below, what the given share of choices lost no more than.
    pub mean_ms: f32,
    /// By half.
    pub p50_ms: f32,
    /// By nine in ten.
    pub p90_ms: f32,
    /// By 95 in a hundred.
    pub p95_ms: f32,
    /// By 99 in a hundred.
    pub p99_ms: f32,
    /// By the worst.
    pub max_ms: f32,
}

/// A map beside plain distance, for the same choices.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// By the map, and by distance where it says nothing: as latency records are answered.
    pub map: Score,
    /// By distance alone.
    pub distance: Score,
}

/// From each address so many choices are made when not all regions are on offer.
const DRAWS: u64 = 8;
/// How far it is where nobody knows where that is: the same to all.
const NOWHERE_KM: f64 = 20_000.0;
/// Regions as fast as this are as fast.
const SAME_MS: f32 = 0.001;

/// Scores a map. Each choice is among `offered` regions of those that were measured from an address,
/// drawn by a lot that is always the same; 0 is all of them.
pub fn score(map: &LatencyMap, ground: &Ground<'_>, truth: &[Truth], offered: usize) -> Scores {
    let (mut by_map, mut by_distance) = (Vec::new(), Vec::new());
    for (row, place) in truth.iter().zip(0..) {
        let latencies = map.look_up(row.address);
        let here = ground.atlas.look_up(row.address).place.point;
        let known: Vec<(f32, f32, f32)> = row
            .regions
            .iter()
            .map(|(name, ms)| {
                let far = far(here, ground, name);
                (
                    *ms,
                    mapped(map, latencies.as_ref(), name).unwrap_or(far),
                    far,
                )
            })
            .collect();
        let all = known.len();
        let drawn = if offered == 0 || offered >= all {
            1
        } else {
            DRAWS
        };
        for draw in 0..drawn {
            let offer = if drawn == 1 {
                known.clone()
            } else {
                some(&known, offered, place * DRAWS + draw)
            };
            if offer.len() < 2 {
                continue;
            }
            by_map.extend(regret(&offer, |(_, map, _)| *map));
            by_distance.extend(regret(&offer, |(_, _, distance)| *distance));
        }
    }
    Scores {
        map: Score::of(by_map),
        distance: Score::of(by_distance),
    }
}

fn mapped(map: &LatencyMap, latencies: Option<&Latencies<'_>>, name: &str) -> Option<f32> {
    latencies?.ms(map.region(name)?)
}

/// What is thought of a region that no map knows.
fn far(here: Option<Point>, ground: &Ground<'_>, name: &str) -> f32 {
    let km = here.zip(ground.regions.point(name));
    let km = km.map_or(NOWHERE_KM, |(here, there)| here.distance_km(there));
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
    let ms = by_distance_ms(km) as f32;
    ms
}

/// The first so many of them, shuffled by a lot.
fn some<T: Copy>(all: &[T], count: usize, lot: u64) -> Vec<T> {
    let mut keyed: Vec<(u64, T)> = (0..)
        .zip(all)
        .map(|(place, value)| (lot::drawn(lot << 16 ^ place), *value))
        .collect();
    keyed.sort_by_key(|(lot, _)| *lot);
    keyed.truncate(count);
    keyed.into_iter().map(|(_, value)| value).collect()
}

/// What is lost by whoever takes what seems least; the first of those that seem the same.
pub(crate) fn regret<T>(offer: &[(f32, T, T)], seems: impl Fn(&(f32, T, T)) -> f32) -> Option<f32> {
    let chosen = offer.iter().min_by(|a, b| seems(a).total_cmp(&seems(b)))?;
    let best = offer.iter().map(|(ms, ..)| *ms).min_by(f32::total_cmp)?;
    Some(chosen.0 - best)
}

impl Score {
    /// Of the regrets of all choices.
    pub(crate) fn of(mut regrets: Vec<f32>) -> Self {
        regrets.sort_by(f32::total_cmp);
        let count = regrets.len();
        if count == 0 {
            return Self::default();
        }
        let right = regrets.partition_point(|ms| *ms <= SAME_MS);
        let at = |percent: usize| {
            let place = (count * percent).div_ceil(100).saturating_sub(1);
            regrets.get(place).copied().unwrap_or(0.0)
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of choices")]
        let (right, all) = (right as f64, count as f64);
        let sum: f64 = regrets.iter().map(|ms| f64::from(*ms)).sum();
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
        let mean_ms = (sum / all) as f32;
        Self {
            choices: u64::try_from(count).unwrap_or(u64::MAX),
            right: right / all,
            mean_ms,
            p50_ms: at(50),
            p90_ms: at(90),
            p95_ms: at(95),
            p99_ms: at(99),
            max_ms: at(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regret_is_what_wrong_choices_lose() {
        let score = Score::of(
            (0..100_u8)
                .map(|n| f32::from(n.saturating_sub(80)))
                .collect(),
        );
        assert_eq!(score.choices, 100);
        assert!((score.right - 0.81).abs() < 1e-9);
        assert!((score.mean_ms - 1.9).abs() < 1e-4);
        let quantiles = [
            score.p50_ms,
            score.p90_ms,
            score.p95_ms,
            score.p99_ms,
            score.max_ms,
        ];
        assert_eq!(quantiles, [0.0, 9.0, 14.0, 18.0, 19.0]);
        assert_eq!(Score::of(Vec::new()), Score::default());
    }

    #[test]
    fn the_first_of_equals_is_taken() {
        let offer = [(30.0, 1.0, 2.0), (20.0, 1.0, 1.0), (10.0, 5.0, 3.0)];
        assert_eq!(regret(&offer, |(_, map, _)| *map), Some(20.0));
        assert_eq!(regret(&offer, |(_, _, distance)| *distance), Some(10.0));
        assert_eq!(regret::<f32>(&[], |(_, map, _)| *map), None);
    }

    #[test]
    fn draws_are_always_the_same_and_of_all() {
        let all: Vec<u8> = (0..6).collect();
        assert_eq!(some(&all, 3, 7), some(&all, 3, 7));
        let mut seen = [0; 6];
        for lot in 0..600 {
            let drawn = some(&all, 2, lot);
            assert_eq!(drawn.len(), 2);
            for value in drawn {
                *seen.get_mut(usize::from(value)).unwrap() += 1;
            }
        }
        assert!(
            seen.iter().all(|count| (150..250).contains(count)),
            "{seen:?}"
        );
    }
}
