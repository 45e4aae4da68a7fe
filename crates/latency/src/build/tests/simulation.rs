//! Clients measure, maps are made every five minutes, and paths change; the clock is moved by hand.

use super::world::{REGIONS, lottery};
use super::*;

const BUILD_S: u64 = 300;

/// A world with clients that measure.
struct Play {
    world: World,
    aggregate: Aggregate,
    hysteresis: Hysteresis,
    map: Option<LatencyMap>,
    now_s: u64,
    report: BuildReport,
}

impl Play {
    fn new(cities: usize, rules: Rules) -> Self {
        Self {
            world: World::new(cities),
            aggregate: Aggregate::new(rules),
            hysteresis: Hysteresis::default(),
            map: None,
            now_s: NOW_S,
            report: BuildReport::default(),
        }
    }

    /// Five minutes: from every city clients measure every region, and a map is made. `factor` says
    /// how many times as long as in truth it takes, by city and region.
    fn five_minutes(&mut self, clients: u64, factor: impl Fn(usize, &str) -> f32) {
        for (city, truth) in self.world.truth().into_iter().enumerate() {
            for (region, ms) in &truth.regions {
                for number in 0..clients {
                    let at_s = self.now_s + number;
                    let lot = (at_s << 20) ^ ((city as u64) << 8) ^ region.len() as u64;
                    // Queues take some ms more, now and then many.
                    let queue = -8.0 * (1.0 - lottery(lot)).max(1e-4).ln();
                    let tail = if lottery(lot + 1) > 0.95 { 80.0 } else { 0.0 };
                    let network = format!("{}/24", truth.address);
                    let ms = ms * factor(city, region) + queue + tail;
                    let mut sample = sample(&network, region, ms.min(1999.0));
                    (sample.kind, sample.at_s) = (Kind::Rum, at_s);
                    sample.client = client(number % 12);
                    let ground = self.world.ground(self.now_s + BUILD_S);
                    self.aggregate.fold(&sample, &ground).unwrap();
                }
            }
        }
        self.now_s += BUILD_S;
        let (map, report) = made(
            &self.world,
            &self.aggregate,
            (self.map.as_ref(), self.now_s),
            &mut self.hysteresis,
        );
        (self.map, self.report) = (Some(map), report);
    }

    fn map(&self) -> &LatencyMap {
        self.map.as_ref().unwrap()
    }

    fn steps(&self) -> Vec<Vec<Option<u8>>> {
        let map = self.map();
        let row = |(address, _)| {
            let latencies = map.look_up(address).unwrap();
            let region = |name: &&str| latencies.step(map.region(name).unwrap());
            REGIONS.iter().map(region).collect()
        };
        self.world.clients().map(row).collect()
    }

    fn score(&self) -> Score {
        score(
            self.map(),
            &self.world.ground(self.now_s),
            &self.world.truth(),
            0,
        )
        .map
    }
}

#[test]
fn maps_converge_within_three_builds_of_samples() {
    let mut play = Play::new(36, Rules::default());
    play.world = World::new(36).with_detours();
    let none = Aggregate::new(Rules::default());
    let first = made(&play.world, &none, (None, NOW_S), &mut play.hysteresis);
    play.map = Some(first.0);
    let before = play.score();
    for _ in 0..3 {
        play.five_minutes(24, |_, _| 1.0);
    }
    let after = play.score();
    assert!(after.right >= before.right, "{before:?} {after:?}");
    assert!(after.mean_ms < before.mean_ms / 2.0, "{before:?} {after:?}");
    let held_out = play.report.held_out;
    assert!(
        held_out.is_some_and(|score| score.choices > 0),
        "{held_out:?}"
    );
}

#[test]
fn a_slow_path_moves_its_clients_after_three_builds_and_nobody_else() {
    let mut play = Play::new(24, Rules::default());
    for _ in 0..6 {
        play.five_minutes(24, |_, _| 1.0);
    }
    let before = winners(&play.world, play.map());
    let name = |map: &LatencyMap, region: Option<RegionIndex>| {
        let place = usize::from(region.unwrap().0);
        map.regions().get(place).unwrap().name.clone()
    };
    let old = name(play.map(), *before.first().unwrap());
    let slow = |city: usize, region: &str| {
        if city == 0 && *region == *old {
            4.0
        } else {
            1.0
        }
    };
    let mut moved_after = None;
    for number in 1..=16 {
        play.five_minutes(24, slow);
        let now = winners(&play.world, play.map());
        assert_eq!(now.get(1..), before.get(1..), "others stay");
        let churn = play.report.churn.unwrap();
        if now != before && moved_after.is_none() {
            assert_ne!(name(play.map(), *now.first().unwrap()), old);
            assert!(churn.clients > 0.0 && churn.clients < 0.1, "{churn:?}");
            moved_after = Some(number);
        } else {
            assert!(churn.clients < 1e-9, "{churn:?}");
        }
    }
    let moved_after = moved_after.unwrap();
    assert!((3..=8).contains(&moved_after), "{moved_after}");
    assert!(play.aggregate.tally().shifts > 0);
}

#[test]
fn five_percent_of_noise_changes_no_number_of_any_map() {
    // Every build is made of new samples alone: nothing but the builder keeps the map.
    let rules = Rules {
        half_life_s: 60,
        ..Rules::default()
    };
    let mut play = Play::new(24, rules);
    play.five_minutes(24, |_, _| 1.0);
    play.aggregate = Aggregate::new(rules);
    let import = |play: &mut Play, factor: &dyn Fn(usize, &str) -> f32| {
        let mut aggregate = Aggregate::new(rules);
        for (city, truth) in play.world.truth().into_iter().enumerate() {
            for (region, ms) in &truth.regions {
                let network = format!("{}/24", truth.address);
                let mut sample = sample(&network, region, ms * factor(city, region));
                sample.count = 1000;
                let ground = play.world.ground(play.now_s);
                aggregate.fold(&sample, &ground).unwrap();
            }
        }
        play.aggregate = aggregate;
        play.five_minutes(0, |_, _| 1.0);
    };
    play.map = None;
    import(&mut play, &|_, _| 1.0);
    let (steps, first) = (play.steps(), winners(&play.world, play.map()));
    for build in 0..12_u64 {
        import(&mut play, &|city, region| {
            let lot = lottery(build << 32 ^ (city as u64) << 8 ^ region.len() as u64);
            if (build + city as u64).is_multiple_of(2) {
                1.05 - lot / 50.0
            } else {
                0.95 + lot / 50.0
            }
        });
        assert_eq!(play.steps(), steps, "build {build}");
        assert_eq!(winners(&play.world, play.map()), first);
        assert!(play.report.churn.unwrap().most() < 1e-9);
    }
}

#[test]
fn the_same_facts_make_the_same_map() {
    let bytes = || {
        let mut play = Play::new(24, Rules::default());
        for _ in 0..2 {
            play.five_minutes(12, |_, _| 1.0);
        }
        let making = Making {
            aggregate: &play.aggregate,
            matrix: &play.world.matrix,
            ground: play.world.ground(play.now_s),
            previous: play.map.as_ref(),
        };
        build(&making, &mut play.hysteresis).0.write().unwrap()
    };
    assert_eq!(bytes(), bytes());
}
