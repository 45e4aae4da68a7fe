//! Maps made in a world that is made for it: cities, regions, and cables that do not go where light
//! would, so that it is known how long everything truly takes.
#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use std::net::IpAddr;

use meridian_atlas::{
    Atlas, Country, LatencyMap, Layer, Origin, Place, Point, RegionIndex, Regions, Source,
};

use super::*;
use crate::sample::{Kind, Sample};
use crate::score::{Truth, score};
use crate::testing::{DAY_S, NOW_S, client, sample};
use crate::{Refused, Rules};

mod operators;
mod paths;
mod simulation;
mod world;

use world::World;

/// Builds, writes and reads, as between the one who makes maps and those who answer.
fn made(
    world: &World,
    aggregate: &Aggregate,
    (previous, now_s): (Option<&LatencyMap>, u64),
    hysteresis: &mut Hysteresis,
) -> (LatencyMap, BuildReport) {
    let making = Making {
        aggregate,
        matrix: &world.matrix,
        ground: world.ground(now_s),
        previous,
    };
    let (draft, report) = build(&making, hysteresis);
    let bytes = draft.write().unwrap();
    (LatencyMap::read(&bytes).unwrap(), report)
}

/// The first map, built now.
fn first(world: &World, aggregate: &Aggregate) -> (LatencyMap, BuildReport) {
    made(world, aggregate, (None, NOW_S), &mut Hysteresis::default())
}

fn ms(map: &LatencyMap, address: &str, region: &str) -> Option<f32> {
    let latencies = map.look_up(address.parse().unwrap())?;
    latencies.ms(map.region(region)?)
}

/// All regions that anybody may be sent to, by all maps, at all addresses of a world.
fn winners(world: &World, map: &LatencyMap) -> Vec<Option<RegionIndex>> {
    let fastest = |address: IpAddr| {
        let latencies = map.look_up(address)?;
        let regions = (0..map.regions().len()).map(|n| RegionIndex(u8::try_from(n).unwrap()));
        regions.min_by_key(|region| latencies.step(*region))
    };
    world
        .clients()
        .map(|(address, _)| fastest(address))
        .collect()
}

#[test]
fn whoever_was_measured_goes_where_it_is_fastest() {
    let world = World::new(400);
    let mut aggregate = Aggregate::new(Rules::default());
    for truth in world.truth() {
        for (region, ms) in &truth.regions {
            let mut sample = sample(&format!("{}/24", truth.address), region, *ms);
            (sample.kind, sample.count) = (Kind::Import, 50);
            aggregate.fold(&sample, &world.ground(NOW_S)).unwrap();
        }
    }
    let (map, report) = first(&world, &aggregate);
    assert_eq!(report.keys, 400);
    for truth in world.truth() {
        let latencies = map.look_up(truth.address).unwrap();
        let shown = |name: &str| latencies.step(map.region(name).unwrap());
        let chosen = truth
            .regions
            .iter()
            .min_by_key(|(name, _)| shown(name))
            .unwrap()
            .1;
        let best = truth
            .regions
            .iter()
            .map(|(_, ms)| *ms)
            .fold(f32::MAX, f32::min);
        // What is lost is what a step of the map cannot tell.
        assert!(chosen < best * 1.045, "{truth:?}");
    }
    for offered in [0, 2, 3, 6] {
        let scores = score(&map, &world.ground(NOW_S), &world.truth(), offered);
        assert!(scores.map.right > 0.9, "at {offered}: {scores:?}");
        assert!(scores.map.mean_ms < 0.2, "at {offered}: {scores:?}");
        assert!(
            scores.map.mean_ms < scores.distance.mean_ms / 2.0,
            "at {offered}: {scores:?}"
        );
    }
}

#[test]
fn without_samples_the_matrix_beats_distance() {
    let world = World::new(400);
    let aggregate = Aggregate::new(Rules::default());
    let (map, report) = first(&world, &aggregate);
    assert_eq!((report.keys, report.published), (0, 0));
    assert!(report.coverage.v4 > 0.0);
    let (mut by_map, mut by_distance) = (0.0, 0.0);
    for offered in [2, 3] {
        let scores = score(&map, &world.ground(NOW_S), &world.truth(), offered);
        assert!(scores.map.p99_ms <= scores.distance.p99_ms, "{scores:?}");
        by_map += scores.map.mean_ms;
        by_distance += scores.distance.mean_ms;
    }
    assert!(by_map < by_distance * 0.7, "{by_map} {by_distance}");
}

#[test]
fn what_the_model_says_is_trusted_as_far_as_places_are_known() {
    let country = Place::in_country(Country::new("RU").unwrap());
    // So far from where most of the country is that it has a row of its own.
    let city = Place {
        point: Point::new(43.1, 131.9),
        ..country
    };
    let continent = Place {
        continent: country.completed().continent,
        ..Place::UNKNOWN
    };
    let mut layer = Layer::new(Source::named("made up"));
    for (network, place) in [
        ("10.0.0.0/24", city),
        ("10.0.1.0/24", country),
        ("10.0.2.0/24", continent),
    ] {
        let place = place.completed();
        layer.add(network.parse().unwrap(), place).unwrap();
    }
    let (atlas, regions) = (Atlas::new(vec![layer]).unwrap(), Regions::default());
    let mut matrix = Matrix::default();
    matrix.insert("eu-west-1", "us-east-1", 70.0).unwrap();
    let making = Making {
        aggregate: &Aggregate::new(Rules::default()),
        matrix: &matrix,
        ground: Ground {
            atlas: &atlas,
            regions: &regions,
            now_s: NOW_S,
        },
        previous: None,
    };
    let draft = build(&making, &mut Hysteresis::default()).0;
    let map = LatencyMap::read(&draft.write().unwrap()).unwrap();
    let row = |address: &str| map.look_up(address.parse().unwrap());
    for (address, confidence) in [("10.0.0.1", 35), ("10.0.1.1", 20), ("10.0.2.1", 5)] {
        let row = row(address).unwrap();
        assert_eq!((row.confidence(), row.samples()), (confidence, 0));
        for region in ["eu-west-1", "us-east-1"] {
            assert_eq!(row.origin(map.region(region).unwrap()), Origin::Model);
        }
    }
    assert!(row("192.0.2.1").is_none(), "nobody knows where that is");
}

#[test]
fn what_some_say_helps_their_neighbours_and_country() {
    let world = World::new(400).with_detours();
    let mut aggregate = Aggregate::new(Rules::default());
    // Of each country every fourth network is measured.
    let measured = |city: usize| (city / 12).is_multiple_of(4);
    for (_, truth) in world
        .truth()
        .iter()
        .enumerate()
        .filter(|(city, _)| measured(*city))
    {
        for (region, ms) in &truth.regions {
            for number in 0..5 {
                let mut sample = sample(&format!("{}/24", truth.address), region, *ms);
                (sample.count, sample.client) = (10, client(number));
                aggregate.fold(&sample, &world.ground(NOW_S)).unwrap();
            }
        }
    }
    let rest: Vec<Truth> = world
        .truth()
        .into_iter()
        .enumerate()
        .filter_map(|(number, truth)| (!measured(number)).then_some(truth))
        .collect();
    let (map, report) = first(&world, &aggregate);
    let scores = score(&map, &world.ground(NOW_S), &rest, 3);
    assert!(
        scores.map.mean_ms < scores.distance.mean_ms * 0.5,
        "{scores:?}"
    );
    assert_eq!(report.keys, 108);
}

#[test]
fn a_silent_region_keeps_its_value_for_90_days_and_is_trusted_less() {
    let world = World::new(40);
    let mut aggregate = Aggregate::new(Rules::default());
    let network = format!("{}/24", world.address(7));
    for number in 0..40 {
        for (region, ms) in [("eu-central-1", 200.0), ("us-east-1", 150.0)] {
            let mut sample = sample(&network, region, ms);
            sample.client = client(number);
            aggregate.fold(&sample, &world.ground(NOW_S)).unwrap();
        }
    }
    let mut hysteresis = Hysteresis::default();
    let (mut map, _) = made(&world, &aggregate, (None, NOW_S), &mut hysteresis);
    let address = world.address(7);
    let shown = |map: &LatencyMap| ms(map, &address, "us-east-1").unwrap();
    let confidence = |map: &LatencyMap| map.look_up(address.parse().unwrap()).unwrap().confidence();
    let (first, mut trust) = (shown(&map), confidence(&map));
    assert!((first / 150.0 - 1.0).abs() < 0.2, "{first}");
    for day in (10..=90).step_by(10) {
        let now_s = NOW_S + day * DAY_S;
        let (next, _) = made(&world, &aggregate, (Some(&map), now_s), &mut hysteresis);
        assert!((shown(&next) - first).abs() < f32::EPSILON);
        assert!(confidence(&next) <= trust);
        (map, trust) = (next, confidence(&map));
    }
    let (map, _) = made(
        &world,
        &aggregate,
        (None, NOW_S + 90 * DAY_S),
        &mut hysteresis,
    );
    assert!((shown(&map) - first).abs() < f32::EPSILON);
    assert!(confidence(&map) < 60, "{}", confidence(&map));
}

#[test]
fn rows_say_where_their_numbers_come_from() {
    let world = World::new(40);
    let mut aggregate = Aggregate::new(Rules::default());
    let mut one = sample(&format!("{}/24", world.address(3)), "us-east-1", 190.0);
    one.count = 30;
    one.at_s = NOW_S - 5 * 3600;
    aggregate.fold(&one, &world.ground(NOW_S)).unwrap();
    // Others of the country are nearer than that.
    for city in [15, 27] {
        let mut other = sample(&format!("{}/24", world.address(city)), "us-east-1", 110.0);
        other.count = 300;
        aggregate.fold(&other, &world.ground(NOW_S)).unwrap();
    }
    let (map, report) = first(&world, &aggregate);
    assert!(report.published >= 1);
    let row = map.look_up(world.address(3).parse().unwrap()).unwrap();
    let region = |name: &str| map.region(name).unwrap();
    assert_eq!(row.origin(region("us-east-1")), Origin::Measured);
    assert_eq!(row.origin(region("eu-west-1")), Origin::Model);
    assert_eq!((row.age_h(), row.samples()), (5, 30));
    // Somebody else of the country has a measured corridor to go by.
    let country = world.country(3);
    assert_eq!(world.country(39), country);
    let neighbour = map.look_up(world.address(39).parse().unwrap()).unwrap();
    assert_eq!(neighbour.origin(region("us-east-1")), Origin::Inherited);
    assert_eq!(neighbour.country(), Country::new(country));
}

#[test]
fn one_chatty_client_moves_nobody() {
    let world = World::new(40);
    let mut aggregate = Aggregate::new(Rules::default());
    for number in 0..500 {
        let mut sample = sample(&format!("{}/24", world.address(3)), "us-east-1", 400.0);
        (sample.client, sample.kind, sample.at_s) = (Some(7), Kind::Rum, NOW_S - number);
        aggregate.fold(&sample, &world.ground(NOW_S)).unwrap();
    }
    let (_, report) = first(&world, &aggregate);
    assert_eq!(report.published, 0);
}

/// One visitor had sent a whole country elsewhere, by what was told of his network to all in it.
#[test]
fn the_visitors_of_one_network_move_nobody_else() {
    let world = World::new(40);
    let network = |city| format!("{}/24", world.address(city));
    let lie = |cities: &[usize], clients: u64| {
        let mut aggregate = Aggregate::new(Rules::default());
        for city in cities {
            for number in 0..400 {
                for (region, ms) in [("us-east-1", 300.0), ("eu-west-1", 1500.0)] {
                    let mut sample = sample(&network(*city), region, ms);
                    (sample.client, sample.kind) = (client(number % clients), Kind::Rum);
                    aggregate.fold(&sample, &world.ground(NOW_S)).unwrap();
                }
            }
        }
        first(&world, &aggregate).0
    };
    let before = first(&world, &Aggregate::new(Rules::default())).0;
    let others = |map: &LatencyMap| {
        let others = (0..40).filter(|city| *city != 3);
        let told = others.map(|city| ms(map, &world.address(city), "eu-west-1"));
        told.collect::<Vec<_>>()
    };
    for clients in [1, 2, 30] {
        assert_eq!(others(&lie(&[3], clients)), others(&before), "{clients}");
    }
    // Two networks of the country, and several clients, say something of it.
    assert_ne!(others(&lie(&[3, 15], 30)), others(&before));
    assert_eq!(others(&lie(&[3, 15], 1)), others(&before));
}

#[test]
fn networks_that_no_atlas_knows_are_published_all_the_same() {
    let world = World::new(4);
    let mut aggregate = Aggregate::new(Rules::default());
    for network in ["203.0.113.0/24", "2001:db8:77::/48"] {
        let mut sample = sample(network, "us-east-1", 33.0);
        sample.count = 30;
        aggregate.fold(&sample, &world.ground(NOW_S)).unwrap();
    }
    let (map, _) = first(&world, &aggregate);
    for address in ["203.0.113.200", "2001:db8:77:8::1"] {
        let shown = ms(&map, address, "us-east-1").unwrap();
        assert!((shown / 33.0 - 1.0).abs() < 0.016, "{address}: {shown}");
        assert_eq!(ms(&map, address, "eu-west-1"), None);
    }
    assert!(map.look_up("203.0.114.1".parse().unwrap()).is_none());
}

#[test]
fn nothing_makes_an_empty_map() {
    let world = World::new(4).without_matrix();
    let aggregate = Aggregate::new(Rules::default());
    let (map, report) = first(&world, &aggregate);
    assert!(map.regions().is_empty());
    assert_eq!(report.churn, None);
    assert_eq!(report.held_out, None);
}

#[test]
fn neighbours_speak_for_each_other_as_far_as_they_are_in_one_country() {
    let world = World::new(4);
    let mut aggregate = Aggregate::new(Rules::default());
    // Both are in the same /20, and in no country.
    for network in ["203.0.112.0/24", "203.0.113.0/24"] {
        let mut sample = sample(network, "us-east-1", 33.0);
        sample.count = 30;
        aggregate.fold(&sample, &world.ground(NOW_S)).unwrap();
    }
    let (map, report) = first(&world, &aggregate);
    // The rest of the /20 follows; its parts need no rows of their own.
    assert!(ms(&map, "203.0.119.1", "us-east-1").is_some());
    assert_eq!(report.published, 1);
    assert!(map.look_up("203.0.128.1".parse().unwrap()).is_none());
}

#[test]
fn a_refused_sample_changes_nothing() {
    let world = World::new(40);
    let mut aggregate = Aggregate::new(Rules::default());
    let near = sample(&format!("{}/24", world.address(0)), "ap-southeast-2", 2.0);
    assert_eq!(
        aggregate.fold(&near, &world.ground(NOW_S)),
        Err(Refused::FasterThanLight)
    );
    let (_, report) = first(&world, &aggregate);
    assert_eq!(report.keys, 0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Whatever is measured, maps can be written and read, one after another, and what networks
    /// were told stays within what was measured of anybody.
    #[test]
    fn any_samples_make_sound_maps(
        builds in proptest::collection::vec(
            proptest::collection::vec(
                (0u32..64, 8u8..=28, 0usize..world::REGIONS.len(), 100_000u32..900_000, 1u32..60, 0u64..6, proptest::bool::ANY),
                0..30,
            ),
            1..4,
        ),
    ) {
        let world = World::new(16);
        let mut aggregate = Aggregate::new(Rules::default());
        let (mut hysteresis, mut map, mut now_s) = (Hysteresis::default(), None, NOW_S);
        for samples in builds {
            now_s += 300;
            for (network, len, region, rtt_us, count, client, six) in samples {
                let address: IpAddr = if six {
                    std::net::Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::from(network) << 80).into()
                } else {
                    std::net::Ipv4Addr::from_bits(10 << 24 | network << 10).into()
                };
                let Some(network) = crate::Network::new(address, len) else { continue };
                let sample = Sample {
                    at_s: now_s,
                    network,
                    region: world::REGIONS[region].into(),
                    rtt_us,
                    count,
                    weight: 1.0,
                    kind: Kind::Rum,
                    client: (client > 0).then_some(client << 59),
                };
                let taken = aggregate.fold(&sample, &world.ground(now_s));
                proptest::prop_assert!(taken.is_ok() || taken == Err(Refused::FasterThanLight));
            }
            let (next, report) = made(&world, &aggregate, (map.as_ref(), now_s), &mut hysteresis);
            proptest::prop_assert!(report.coverage.v4 > 0.0 && report.coverage.v4 <= 1.0);
            proptest::prop_assert!((0.0..=1.0).contains(&report.coverage.measured));
            proptest::prop_assert_eq!(report.churn.is_some(), map.is_some());
            let map = map.insert(next);
            for (address, _) in world.clients() {
                let row = map.look_up(address);
                proptest::prop_assert!(row.is_some_and(|row| row.confidence() <= 100));
            }
        }
    }
}
