//! What keeps a map from changing with every breath: a published number stays until the new one is
//! clearly another, and was for several builds. Numbers that stay are the same to the bit, so noise
//! moves nobody, whatever regions are on offer.

use std::collections::HashMap;

use meridian_atlas::{Latencies, LatencyMap, Place, RegionIndex};

use crate::build::vector::Guess;
use crate::key::Key;
use crate::rules::Rules;

/// What is to change, and in how many builds it was. It outlives a build, and may be lost: then
/// changes take as many builds again.
#[derive(Debug, Default)]
pub struct Hysteresis {
    before: HashMap<(Spot, u8), u8>,
    now: HashMap<(Spot, u8), u8>,
    /// Numbers that stayed in this build, though the new ones are others.
    held: usize,
}

/// Whose numbers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    /// Of a network.
    Network(Key),
    /// Of all in a place of which nothing else is known.
    Place(Place),
    /// Of all there that an autonomous system runs.
    Operator(Place, u32),
}

/// What a map published before says of the regions of a new one.
#[derive(Debug)]
pub(super) struct Previous<'a> {
    pub(super) map: &'a LatencyMap,
    /// The place that each region of the new map has in the old one.
    columns: Vec<Option<RegionIndex>>,
}

impl<'a> Previous<'a> {
    pub(super) fn new<'r>(map: &'a LatencyMap, regions: impl Iterator<Item = &'r str>) -> Self {
        Self {
            map,
            columns: regions.map(|name| map.region(name)).collect(),
        }
    }

    pub(super) fn columns(&self) -> &[Option<RegionIndex>] {
        &self.columns
    }

    /// What it says, in the order of the new map.
    pub(super) fn row(&self, latencies: &Latencies<'_>) -> Vec<Option<f32>> {
        let ms = |column: &Option<RegionIndex>| column.and_then(|column| latencies.ms(column));
        self.columns.iter().map(ms).collect()
    }
}

/// Changes that can be waiting. More go through at once.
const MAX_WAITING: usize = 2_000_000;
/// What a number has to be multiplied by to be the next lower step of a map.
const STEP_DOWN: f32 = 0.970;

impl Hysteresis {
    pub(super) fn begin(&mut self) {
        self.now.clear();
        self.held = 0;
    }

    /// Ends a build, and says how many numbers stayed though the new ones are others.
    pub(super) fn end(&mut self) -> usize {
        self.before = std::mem::take(&mut self.now);
        self.held
    }

    /// What is to be published of a spot: the new numbers, as far as they may replace the old.
    pub(super) fn steadied(
        &mut self,
        spot: Spot,
        before: Option<&[Option<f32>]>,
        new: &[Guess],
        rules: &Rules,
    ) -> Vec<Option<f32>> {
        let Some(before) = before else {
            return new.iter().map(|guess| guess.ms).collect();
        };
        let mut shown: Vec<Option<f32>> = (0u8..)
            .zip(before.iter().zip(new))
            .map(|(region, (old, guess))| match (*old, guess.ms) {
                (Some(old), Some(ms)) => Some(self.number((spot, region), old, ms, rules)),
                (_, ms) => ms,
            })
            .collect();
        keep_winner(&mut shown, before, new, rules);
        shown
    }

    fn number(&mut self, whose: (Spot, u8), old: f32, new: f32, rules: &Rules) -> f32 {
        if (new - old).abs() < rules.hold_ms.max(old * rules.hold_share) {
            return old;
        }
        let builds = self
            .before
            .get(&whose)
            .map_or(1, |builds| builds.saturating_add(1));
        if self.now.len() < MAX_WAITING {
            self.now.insert(whose, builds);
        } else {
            return new;
        }
        if builds >= rules.hold_builds {
            return new;
        }
        self.held += 1;
        old
    }
}

/// The fastest region of before stays the fastest, unless another is so by more than the margin.
fn keep_winner(shown: &mut [Option<f32>], before: &[Option<f32>], new: &[Guess], rules: &Rules) {
    let all = before.iter().zip(new).zip(0..);
    let old = all
        .filter_map(|((before, guess), place)| Some(((*before)?, guess.ms?, place)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let now = shown
        .iter()
        .zip(new)
        .zip(0..)
        .filter_map(|((shown, guess), place)| Some(((*shown)?, guess.ms?, place)))
        .min_by(|a: &(f32, f32, usize), b| a.0.total_cmp(&b.0));
    let (Some((_, old_ms, incumbent)), Some((least, new_ms, winner))) = (old, now) else {
        return;
    };
    let better = old_ms - new_ms;
    let clearly = better >= rules.hold_ms && better > old_ms * rules.hold_share;
    if winner == incumbent || clearly {
        return;
    }
    if let Some(Some(number)) = shown.get_mut::<usize>(incumbent)
        && *number >= least
    {
        *number = least * STEP_DOWN;
    }
}

#[cfg(test)]
mod tests {
    use meridian_atlas::Origin;

    use super::*;

    fn guesses(numbers: &[f32]) -> Vec<Guess> {
        let guess = |ms: &f32| Guess {
            ms: Some(*ms),
            origin: Origin::Measured,
            confidence: 1.0,
        };
        numbers.iter().map(guess).collect()
    }

    /// Builds one after another, with what each publishes.
    fn play(first: &[f32], later: &[&[f32]]) -> Vec<Vec<f32>> {
        let mut hysteresis = Hysteresis::default();
        let spot = Spot::Place(Place::UNKNOWN);
        let mut shown: Vec<Option<f32>> = first.iter().map(|ms| Some(*ms)).collect();
        let mut all = Vec::new();
        for numbers in later {
            hysteresis.begin();
            shown = hysteresis.steadied(spot, Some(&shown), &guesses(numbers), &Rules::default());
            hysteresis.end();
            all.push(shown.iter().map(|ms| ms.unwrap()).collect());
        }
        all
    }

    #[test]
    fn small_changes_never_come_through() {
        let noise: &[&[f32]] = &[&[42.0, 43.0], &[38.0, 47.0], &[42.9, 41.0], &[38.1, 42.0]];
        for shown in play(&[40.0, 44.0], noise) {
            assert_eq!(shown, [40.0, 44.0]);
        }
    }

    #[test]
    fn a_clear_change_comes_through_in_the_third_build() {
        let slow: &[f32] = &[80.0, 44.0];
        let shown = play(&[40.0, 44.0], &[slow, slow, slow, slow]);
        assert_eq!(
            shown,
            [[40.0, 44.0], [40.0, 44.0], [80.0, 44.0], [80.0, 44.0]]
        );
    }

    #[test]
    fn a_change_that_comes_and_goes_begins_again() {
        let (slow, fast): (&[f32], &[f32]) = (&[80.0, 44.0], &[40.0, 44.0]);
        for shown in play(&[40.0, 44.0], &[slow, slow, fast, slow, slow, fast]) {
            assert_eq!(shown, [40.0, 44.0]);
        }
    }

    #[test]
    fn the_fastest_stays_the_fastest_while_another_is_only_a_little_faster() {
        // The second became much faster than it was, but no faster than the first by 10 %.
        let close: &[f32] = &[40.0, 38.0];
        for shown in play(&[40.0, 60.0], &[close, close, close, close, close]) {
            let [first, second] = shown.as_slice() else {
                panic!("two regions");
            };
            assert!(first < second, "{shown:?}");
        }
        let clear: &[f32] = &[40.0, 30.0];
        let shown = play(&[40.0, 60.0], &[clear, clear, clear]);
        assert_eq!(shown.last().unwrap(), &[40.0, 30.0]);
    }

    #[test]
    fn what_was_not_there_comes_at_once_and_what_is_gone_goes() {
        let mut hysteresis = Hysteresis::default();
        let spot = Spot::Place(Place::UNKNOWN);
        let mut new = guesses(&[40.0, 20.0, 50.0]);
        new.push(Guess::NOTHING);
        let before = [Some(40.0), None, Some(50.0), Some(10.0)];
        let shown = hysteresis.steadied(spot, Some(&before), &new, &Rules::default());
        assert_eq!(shown, [Some(40.0), Some(20.0), Some(50.0), None]);
    }
}
