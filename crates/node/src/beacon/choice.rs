//! Which sites a client is asked to measure: the two that are fastest for it as far as is known, so
//! that it is known better, and one at random, so that what nobody expects is found out too.

use meridian_latency::report::MAX_REGIONS;

/// How many are chosen for being fast.
const FAST: usize = MAX_REGIONS - 1;

/// Positions of those that are chosen. `expected_ms` has what is expected of each site, `chance` is
/// any number.
pub(super) fn choose(expected_ms: &[Option<f32>], chance: u64) -> Vec<usize> {
    let mut known: Vec<(f32, usize)> = (0..)
        .zip(expected_ms)
        .filter_map(|(position, ms)| Some((ms.filter(|ms| !ms.is_nan())?, position)))
        .collect();
    known.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut chosen: Vec<usize> = known.iter().take(FAST).map(|&(_, at)| at).collect();
    let mut others: Vec<usize> = (0..expected_ms.len())
        .filter(|position| !chosen.contains(position))
        .collect();
    let mut chance = chance;
    while chosen.len() < MAX_REGIONS && !others.is_empty() {
        let count = others.len() as u64;
        let at = usize::try_from(chance % count).unwrap_or(0);
        chosen.push(others.swap_remove(at));
        chance /= count;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_two_fastest_and_one_of_the_others_are_chosen() {
        let expected = [Some(80.0), None, Some(9.0), Some(30.0), Some(200.0)];
        let mut explored = BTreeSet::new();
        for chance in 0..100 {
            let chosen = choose(&expected, chance);
            assert_eq!(chosen[..2], [2, 3]);
            assert_eq!(chosen.len(), 3);
            explored.insert(chosen[2]);
        }
        assert_eq!(explored, BTreeSet::from([0, 1, 4]));
    }

    #[test]
    fn where_nothing_is_known_chance_decides() {
        let sets = (0..1000).map(|chance| choose(&[None; 5], chance));
        let sets: BTreeSet<BTreeSet<usize>> =
            sets.map(|chosen| chosen.into_iter().collect()).collect();
        assert_eq!(sets.len(), 10, "every three of five");
        assert!(sets.iter().all(|chosen| chosen.len() == 3));
    }

    #[test]
    fn few_sites_are_all_chosen() {
        assert!(choose(&[], 7).is_empty());
        assert_eq!(choose(&[None], 7), [0]);
        assert_eq!(choose(&[Some(f32::NAN), Some(1.0)], 7), [1, 0]);
    }
}
