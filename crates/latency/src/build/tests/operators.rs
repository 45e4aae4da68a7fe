//! Operators in a country whose clients' ways differ from those of others there.

use meridian_atlas::Operator;

use super::*;

/// So many networks of each operator are measured, and others are not.
const MEASURED: u8 = 30;

/// 10.0.0.0/16 of one operator, 10.1.0.0/16 of another, 10.2.0.0/16 of nobody, all in Spain.
fn spain() -> Atlas {
    let mut layer = Layer::new(Source::named("made up"));
    let place = Place::in_country(Country::new("ES").unwrap()).completed();
    layer.add("10.0.0.0/8".parse().unwrap(), place).unwrap();
    for (network, asn) in [
        ("10.0.0.0/16", 64500),
        ("10.1.0.0/16", 64501),
        ("2001:db8::/40", 64500),
    ] {
        let operator = Operator {
            asn: Some(asn),
            name: None,
        };
        layer
            .add_operator(network.parse().unwrap(), &operator)
            .unwrap();
    }
    layer.add("2001:db8::/32".parse().unwrap(), place).unwrap();
    Atlas::new(vec![layer]).unwrap()
}

/// What the networks of these operators measure: how long it takes to two regions.
fn measured(atlas: &Atlas, of: &[(u8, f32, f32)], clients: u64) -> Aggregate {
    let mut aggregate = Aggregate::new(Rules::default());
    let regions = Regions::default();
    let ground = Ground {
        atlas,
        regions: &regions,
        now_s: NOW_S,
    };
    for (operator, west, east) in of {
        for network in 0..MEASURED {
            for number in 0..clients {
                for (region, ms) in [("eu-west-3", west), ("us-east-1", east)] {
                    let network = format!("10.{operator}.{network}.0/24");
                    let mut sample = sample(&network, region, *ms);
                    sample.client = client(number);
                    aggregate.fold(&sample, &ground).unwrap();
                }
            }
        }
    }
    aggregate
}

fn built(
    atlas: &Atlas,
    aggregate: &Aggregate,
    previous: Option<&LatencyMap>,
    hysteresis: &mut Hysteresis,
) -> LatencyMap {
    let regions = Regions::default();
    let making = Making {
        aggregate,
        matrix: &Matrix::default(),
        ground: Ground {
            atlas,
            regions: &regions,
            now_s: NOW_S,
        },
        previous,
    };
    let (draft, _) = build(&making, hysteresis);
    LatencyMap::read(&draft.write().unwrap()).unwrap()
}

const SLOW: (u8, f32, f32) = (0, 150.0, 110.0);
const FAST: (u8, f32, f32) = (1, 25.0, 110.0);

#[test]
fn networks_of_an_operator_that_nobody_measured_are_told_what_its_others_are() {
    let atlas = spain();
    let aggregate = measured(&atlas, &[SLOW, FAST], 8);
    let map = built(&atlas, &aggregate, None, &mut Hysteresis::default());
    let west = |address: &str| ms(&map, address, "eu-west-3").unwrap();
    let (slow, fast, other) = (west("10.0.200.1"), west("10.1.200.1"), west("10.2.200.1"));
    assert!((140.0..160.0).contains(&slow), "{slow}");
    assert!((22.0..30.0).contains(&fast), "{fast}");
    assert!(fast <= other && other < slow, "{fast} {other} {slow}");
    // Wherever its networks are.
    assert!((west("2001:db8:1::1") - slow).abs() < 1.0);
    assert!((west("2001:db8:ff00::1") - other).abs() < 1.0);
    let row = |address: &str| map.look_up(address.parse().unwrap()).unwrap();
    let operators = row("10.0.200.1");
    let region = map.region("eu-west-3").unwrap();
    assert_eq!(operators.origin(region), Origin::Inherited);
    assert_eq!(operators.country(), Country::new("ES"));
    assert!(operators.samples() > 0 && operators.confidence() > 50);
    // What an operator has is told once, not again for each of its networks.
    assert!(map.size().rows < 10, "{:?}", map.size());
}

#[test]
fn an_operator_with_few_clients_is_like_everybody_there() {
    let atlas = spain();
    let aggregate = measured(&atlas, &[SLOW], 1);
    assert!(aggregate.size().keys > 20);
    let map = built(&atlas, &aggregate, None, &mut Hysteresis::default());
    let west = |address: &str| ms(&map, address, "eu-west-3").unwrap();
    assert!((west("10.0.200.1") - west("10.2.200.1")).abs() < f32::EPSILON);
}

#[test]
fn an_operators_numbers_change_in_the_third_build_and_nobody_elses() {
    let atlas = spain();
    let mut hysteresis = Hysteresis::default();
    let none = measured(&atlas, &[FAST], 8);
    let mut map = built(&atlas, &none, None, &mut hysteresis);
    let west = |map: &LatencyMap, address: &str| ms(map, address, "eu-west-3").unwrap();
    let before = ["10.0.200.1", "10.1.200.1"].map(|address| west(&map, address));
    let both = measured(&atlas, &[SLOW, FAST], 8);
    let mut seen = Vec::new();
    for _ in 0..4 {
        map = built(&atlas, &both, Some(&map), &mut hysteresis);
        seen.push(west(&map, "10.0.200.1"));
        assert!((west(&map, "10.1.200.1") - before[1]).abs() < f32::EPSILON);
    }
    let changed: Vec<bool> = seen.iter().map(|ms| *ms > before[0] * 2.0).collect();
    assert_eq!(changed, [false, false, true, true], "{before:?} {seen:?}");
}
