//! One network and two regions, by the default rules: how long a path has to be another until maps
//! follow. The clock is moved by hand, five minutes from one build to the next.

use super::world::lottery;
use super::*;

const BUILD_S: u64 = 300;
const NEAR: &str = "us-east-1";
const FAR: &str = "us-west-2";

/// How long round trips take, and what queues add on average.
#[derive(Debug, Clone, Copy)]
struct Path {
    ms: f32,
    queue_ms: f32,
}

impl Path {
    const fn of(ms: f32) -> Self {
        Self { ms, queue_ms: 8.0 }
    }

    fn takes(self, lot: u64) -> f32 {
        let tail = if lottery(lot + 1) > 0.95 { 80.0 } else { 0.0 };
        self.ms - self.queue_ms * (1.0 - lottery(lot)).max(1e-4).ln() + tail
    }
}

/// Clients of a network that measure both regions.
struct Network {
    world: World,
    aggregate: Aggregate,
    hysteresis: Hysteresis,
    map: Option<LatencyMap>,
    now_s: u64,
    /// Samples of each region from one build to the next, and which lots are drawn for them.
    samples: u64,
    seed: u64,
}

impl Network {
    fn new(samples: u64, seed: u64) -> Self {
        Self {
            world: World::new(1),
            aggregate: Aggregate::new(Rules::default()),
            hysteresis: Hysteresis::default(),
            map: None,
            now_s: NOW_S,
            samples,
            seed,
        }
    }

    fn measures(&mut self, near: Path, far: Path) {
        let network = format!("{}/24", self.world.address(0));
        for number in 0..self.samples {
            let at_s = self.now_s + number * BUILD_S / self.samples;
            let client = (at_s / 12 % 12 + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93);
            for (region, path) in [(NEAR, near), (FAR, far)] {
                let lot = (self.seed << 56) ^ (at_s << 16) ^ (number << 6) ^ region.len() as u64;
                let mut sample = sample(&network, region, path.takes(lot));
                (sample.kind, sample.at_s, sample.client) = (Kind::Rum, at_s, Some(client));
                let ground = self.world.ground(self.now_s + BUILD_S);
                self.aggregate.fold(&sample, &ground).unwrap();
            }
        }
        self.now_s += BUILD_S;
    }

    /// The region that a new map says is faster.
    fn fastest(&mut self) -> &'static str {
        let known = (self.map.as_ref(), self.now_s);
        let (map, _) = made(&self.world, &self.aggregate, known, &mut self.hysteresis);
        let address = self.world.address(0);
        let near = ms(&map, &address, NEAR) < ms(&map, &address, FAR);
        self.map = Some(map);
        if near { NEAR } else { FAR }
    }

    /// Paths as they have been for two days, and what is published then.
    fn settled(samples: u64, near: Path, far: Path) -> (Self, &'static str) {
        let mut network = Self::new(samples, 0);
        for _ in 0..2 * DAY_S / BUILD_S {
            network.measures(near, far);
        }
        let fastest = network.fastest();
        (network, fastest)
    }
}

#[test]
fn clients_leave_a_path_that_is_slower_soon_and_follow_a_faster_one_in_hours() {
    // From one build to the next so many samples; the near region takes so long and then so long, the
    // other 160 ms; so many builds until clients move.
    for (samples, before_ms, after_ms, builds) in [
        // Slower for a quarter of an hour, and then three builds.
        (240, 100.0, 400.0, 5..=7),
        (24, 100.0, 400.0, 5..=7),
        (24, 100.0, 190.0, 5..=8),
        // Until there are 50 samples.
        (4, 100.0, 400.0, 15..=19),
        (1, 100.0, 400.0, 50..=60),
        // As fast as that is a quarter of the last hours.
        (24, 220.0, 110.0, 28..=36),
        (4, 220.0, 110.0, 28..=36),
    ] {
        let (near, far) = (Path::of(before_ms), Path::of(160.0));
        let (mut network, before) = Network::settled(samples, near, far);
        assert_eq!(before == NEAR, before_ms < 160.0);
        let moved = (1..=200).find(|_| {
            network.measures(Path::of(after_ms), far);
            network.fastest() != before
        });
        let moved = moved.unwrap();
        assert!(
            builds.contains(&moved),
            "{samples}, {before_ms} to {after_ms}: {moved}"
        );
    }
}

#[test]
fn a_path_that_is_slow_for_a_moment_or_congested_for_hours_loses_nobody() {
    let (near, far) = (Path::of(100.0), Path::of(112.0));
    let congested = Path {
        queue_ms: 60.0,
        ..near
    };
    // So many builds at a time, in between as many as it was.
    for (path, builds) in [(Path::of(400.0), 2), (congested, 48)] {
        let (mut network, before) = Network::settled(24, near, far);
        assert_eq!(before, NEAR);
        for _ in 0..3 {
            for path in [path, near] {
                for _ in 0..builds {
                    network.measures(path, far);
                    assert_eq!(network.fastest(), NEAR, "{path:?}");
                }
            }
        }
        assert_eq!(network.aggregate.tally().shifts, 0, "{path:?}");
    }
}

#[test]
fn five_percent_of_noise_moves_nobody_whichever_it_is() {
    let mut would_move = 0;
    for seed in 1..=12 {
        let noisy = |build: u64, ms: f32| {
            let lot = seed << 20 ^ build << 8 ^ u64::from(ms.to_bits());
            Path::of(ms * (0.95 + 0.1 * lottery(lot)))
        };
        let mut network = Network::new(240, seed);
        network.measures(Path::of(100.0), Path::of(103.0));
        let first = network.fastest();
        for build in 0..12 {
            // Maps are made of nothing but what came since the one before.
            network.aggregate = Aggregate::new(Rules::default());
            let (near, far) = (noisy(build, 100.0), noisy(build, 103.0));
            network.measures(near, far);
            assert_eq!(network.fastest(), first, "seed {seed}, build {build}");
            would_move += u32::from((near.ms < far.ms) != (first == NEAR));
        }
    }
    assert!(would_move > 20, "{would_move}");
}

#[test]
fn networks_go_where_it_is_fastest_within_three_builds() {
    for (seed, near_ms, far_ms) in [
        (1, 30.0, 90.0),
        (2, 90.0, 40.0),
        (3, 70.0, 60.0),
        (4, 200.0, 150.0),
    ] {
        let mut network = Network::new(24, seed);
        // What the model thinks.
        let nothing = network.fastest();
        let mut seen = vec![nothing];
        for _ in 0..3 {
            network.measures(Path::of(near_ms), Path::of(far_ms));
            seen.push(network.fastest());
        }
        let truly = if near_ms < far_ms { NEAR } else { FAR };
        assert_eq!(
            seen.last(),
            Some(&truly),
            "{near_ms} and {far_ms}: {seen:?}"
        );
    }
}
