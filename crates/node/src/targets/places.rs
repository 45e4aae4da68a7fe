//! How many questions may be under way, and for targets of which lane the next one is. Pure; which
//! target that is the book says.

use super::book::Lane;

/// Places for questions under way. Each lane has a quarter of them for itself, and lanes take turns
/// at the rest: where servers are silent, questions are long, and those of one lane must not hold
/// up all others.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    /// Those that are taken, in the order of [`Lane::ALL`].
    taken: [usize; Lane::ALL.len()],
    /// Whose turn it is, as a place in that order.
    turn: usize,
}

impl Places {
    /// So many, at least one.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            taken: [0; Lane::ALL.len()],
            turn: 0,
        }
    }

    /// What each lane has for itself.
    fn own(&self) -> usize {
        self.most / 4
    }

    /// Lanes of which one may be asked for, the one first whose turn it is.
    pub(crate) fn open(&self) -> impl Iterator<Item = Lane> + use<> {
        let own = self.own();
        let common = self.most - own * self.taken.len();
        let used: usize = self.taken.iter().map(|n| n.saturating_sub(own)).sum();
        let lanes = Lane::ALL.into_iter().zip(self.taken);
        let lanes = lanes.cycle().skip(self.turn).take(Lane::ALL.len());
        lanes.filter_map(move |(lane, taken)| (taken < own || used < common).then_some(lane))
    }

    /// How many more of a lane may be under way.
    pub(crate) fn free(&self, lane: Lane) -> usize {
        let own = self.own();
        let common = self.most - own * self.taken.len();
        let used: usize = self.taken.iter().map(|n| n.saturating_sub(own)).sum();
        own.saturating_sub(self.taken[place(lane)]) + common.saturating_sub(used)
    }

    /// One is asked for.
    pub(crate) fn begin(&mut self, lane: Lane) {
        let own = self.own();
        let place = place(lane);
        if self.taken[place] >= own {
            self.turn = (place + 1) % Lane::ALL.len();
        }
        self.taken[place] += 1;
    }

    /// That is over.
    pub(crate) fn end(&mut self, lane: Lane) {
        let taken = &mut self.taken[place(lane)];
        *taken = taken.saturating_sub(1);
    }
}

fn place(lane: Lane) -> usize {
    match lane {
        Lane::New => 0,
        Lane::Usual => 1,
        Lane::Failing => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Begins as many as may be, of lanes where there are any; returns how many of each.
    fn fill(places: &mut Places, there: &[Lane]) -> [usize; 3] {
        let next = |places: &Places| places.open().find(|lane| there.contains(lane));
        while let Some(lane) = next(places) {
            places.begin(lane);
        }
        places.taken
    }

    #[test]
    fn lanes_stand_in_their_order() {
        assert_eq!(Lane::ALL.map(place), [0, 1, 2]);
    }

    #[test]
    fn a_lane_alone_leaves_the_others_their_own() {
        for (lane, alone, all) in [
            (Lane::New, [32, 0, 0], [32, 16, 16]),
            (Lane::Usual, [0, 32, 0], [16, 32, 16]),
            (Lane::Failing, [0, 0, 32], [16, 16, 32]),
        ] {
            let mut places = Places::new(64);
            assert_eq!(fill(&mut places, &[lane]), alone);
            assert_eq!(fill(&mut places, &Lane::ALL), all);
            assert_eq!(places.open().count(), 0);
        }
    }

    #[test]
    fn no_more_are_under_way_than_may_be() {
        for most in 1..=40 {
            let mut places = Places::new(most);
            for left in (0..=places.free(Lane::New)).rev() {
                assert_eq!(places.free(Lane::New), left);
                assert_eq!(places.open().any(|lane| lane == Lane::New), left > 0);
                places.begin(Lane::New);
            }
            let taken = fill(&mut Places::new(most), &Lane::ALL);
            assert_eq!(taken.iter().sum::<usize>(), most);
            assert!(taken.iter().all(|taken| *taken >= most / 4), "{taken:?}");
        }
    }

    #[test]
    fn lanes_take_turns_at_what_is_nobodys() {
        for most in [1, 2, 3, 4, 64] {
            let mut places = Places::new(most);
            fill(&mut places, &Lane::ALL);
            let mut begun = [0; 3];
            let mut ended = Lane::ALL.into_iter().cycle();
            for _ in 0..300 {
                // Whatever ends, and the usual ones, which are quick, as often as they can.
                let is_there = |lane: &Lane| places.taken[place(*lane)] > 0;
                let lane = ended.find(is_there).unwrap();
                places.end(lane);
                let next = places.open().next().unwrap();
                places.begin(next);
                begun[place(next)] += 1;
            }
            assert!(begun.iter().all(|begun| *begun >= 50), "{most}: {begun:?}");
        }
    }
}
