//! Look-ups against a model that scans all rows.

use std::net::IpAddr;

use meridian_model::{Country, Network, Subdivision};
use proptest::prelude::*;

use crate::{Atlas, Layer, Place, Point, Source};

fn place(country: &str) -> Place {
    Place::in_country(Country::new(country).unwrap())
}

fn atlas(layers: &[&[(&str, Place)]]) -> Atlas {
    let layers = layers.iter().zip(1..).map(|(rows, number)| {
        let mut layer = Layer::new(Source::named(&number.to_string()));
        for (network, place) in *rows {
            layer.add(network.parse().unwrap(), *place).unwrap();
        }
        layer
    });
    Atlas::new(layers.collect()).unwrap()
}

fn scopes(atlas: &Atlas, address: &str) -> [u8; 4] {
    let scope = atlas.look_up(address.parse().unwrap()).scope;
    [
        scope.record,
        scope.subdivision,
        scope.country,
        scope.continent,
    ]
}

#[test]
fn an_empty_atlas_knows_nothing_about_everybody() {
    for atlas in [Atlas::default(), Atlas::new(Vec::new()).unwrap()] {
        for address in ["0.0.0.0", "192.0.2.1", "::", "::ffff:192.0.2.1", "2002::1"] {
            let found = atlas.look_up(address.parse().unwrap());
            assert_eq!(*found.place, Place::UNKNOWN);
            assert_eq!(found.source, None);
            assert_eq!(scopes(&atlas, address), [0; 4], "{address}");
        }
    }
}

#[test]
fn the_longest_prefix_says_where_an_address_is_and_the_first_layer_that_knows() {
    let (de, fr, us) = (place("DE"), place("FR"), place("US"));
    let atlas = atlas(&[
        &[
            ("192.0.2.64/26", fr),
            ("192.0.2.0/24", de),
            ("192.0.2.65", us),
            ("192.0.2.65", de),
            ("192.0.2.128/25", Place::UNKNOWN),
        ],
        &[("192.0.0.0/16", us), ("2001:db8::/32", us)],
    ]);
    for (address, place, source) in [
        ("192.0.2.1", de, "1"),
        ("192.0.2.64", fr, "1"),
        ("192.0.2.65", de, "1"),
        ("192.0.2.66", fr, "1"),
        ("192.0.2.200", us, "2"),
        ("192.0.3.1", us, "2"),
        ("::ffff:192.0.2.64", fr, "1"),
        ("2002:c000:240::1", fr, "1"),
        ("2001:db8:1::", us, "2"),
    ] {
        let found = atlas.look_up(address.parse().unwrap());
        assert_eq!(*found.place, place, "{address}");
        assert_eq!(found.source.unwrap().name, source, "{address}");
    }
    for unknown in ["192.1.0.0", "2001:db9::", "::192.0.2.64"] {
        assert!(!atlas.look_up(unknown.parse().unwrap()).place.is_known());
    }
}

#[test]
fn scopes_reach_as_far_as_places_are_alike() {
    let part = |country, part, point| Place {
        subdivision: Subdivision::new(part),
        point,
        ..place(country)
    };
    let atlas = atlas(&[&[
        ("10.0.0.0/10", part("US", "CA", Point::new(34.0, -118.0))),
        ("10.64.0.0/10", part("US", "CA", Point::new(37.8, -122.4))),
        ("10.128.0.0/10", part("US", "OR", None)),
        ("10.192.0.0/10", place("CA")),
    ]]);
    assert_eq!(scopes(&atlas, "10.1.1.1"), [10, 9, 9, 8]);
    assert_eq!(scopes(&atlas, "10.70.1.1"), [10, 9, 9, 8]);
    assert_eq!(scopes(&atlas, "10.128.1.1"), [10, 10, 10, 8]);
    assert_eq!(scopes(&atlas, "10.200.1.1"), [10, 10, 10, 8]);
    assert_eq!(scopes(&atlas, "11.0.0.1"), [8; 4]);
    assert_eq!(scopes(&atlas, "128.0.0.1"), [1; 4]);
    assert_eq!(scopes(&atlas, "::ffff:10.1.1.1"), [106, 105, 105, 104]);
    assert_eq!(scopes(&atlas, "2002:a01:101::"), [26, 25, 25, 24]);
    // Nothing is known of IPv6, but some of its addresses are as good as IPv4.
    assert_eq!(scopes(&atlas, "2003::"), [16; 4]);
    assert_eq!(scopes(&atlas, "8000::"), [1; 4]);
}

/// Addresses that are close together often enough to hit each other's prefixes, in both families
/// and where IPv6 contains IPv4.
fn address() -> impl Strategy<Value = IpAddr> {
    let few = prop::sample::select(vec![0_u8, 1, 2, 127, 128, 254, 255]);
    let v4 = prop::array::uniform4(few).prop_map(u32::from_be_bytes);
    let v6 = (v4.clone(), v4.clone()).prop_map(|(high, low)| {
        // The middle is zero or all ones, by one bit of the rest.
        let middle = if low & 2 == 0 {
            0
        } else {
            u128::from(u64::MAX) << 32
        };
        (u128::from(high) << 96) | middle | u128::from(low)
    });
    prop_oneof![
        v4.clone().prop_map(|bits| IpAddr::V4(bits.into())),
        v6.prop_map(|bits| IpAddr::V6(bits.into())),
        v4.clone()
            .prop_map(|bits| IpAddr::V6(((0xFFFF << 32) | u128::from(bits)).into())),
        v4.prop_map(|bits| IpAddr::V6(((0x2002 << 112) | (u128::from(bits) << 80)).into())),
    ]
}

fn network() -> impl Strategy<Value = Network> {
    (address(), 0_u8..=128).prop_map(|(address, len)| {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        Network::new(address, len % (longest + 1))
            .or_else(|| Network::new(address, 128))
            .unwrap()
    })
}

fn any_place() -> impl Strategy<Value = Place> {
    let point = prop_oneof![
        Just(None),
        Just(Point::new(1.0, 2.0)),
        Just(Point::new(3.0, 4.0))
    ];
    let known = (
        prop::sample::select(vec!["US", "CA", "DE", "FR"]),
        prop::sample::select(vec!["", "CA", "OR"]),
        point,
    );
    prop_oneof![
        1 => Just(Place::UNKNOWN),
        6 => known.prop_map(|(country, part, point)| Place {
            subdivision: Subdivision::new(part),
            point,
            ..place(country)
        }),
    ]
}

type Rows = Vec<(Network, Place)>;

fn contains(network: &Network, address: IpAddr) -> bool {
    Network::new(address, network.prefix_len()) == Some(*network)
}

/// What an IPv6 address is looked up as.
pub(crate) fn as_v4(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else {
        return address.to_canonical();
    };
    match v6.segments() {
        [0x2002, high, low, ..] => IpAddr::V4(((u32::from(high) << 16) | u32::from(low)).into()),
        _ => address,
    }
}

/// The slow way: each layer's longest row that contains the address, the later of two.
fn model(layers: &[Rows], address: IpAddr) -> (Place, Option<usize>) {
    for (number, rows) in layers.iter().enumerate() {
        let row = rows
            .iter()
            .filter(|(network, _)| contains(network, as_v4(address)))
            .max_by_key(|(network, _)| network.prefix_len());
        if let Some((_, place)) = row.filter(|(_, place)| place.is_known()) {
            return (*place, Some(number));
        }
    }
    (Place::UNKNOWN, None)
}

fn class(found: (Place, Option<usize>), level: usize) -> (Place, Option<usize>) {
    match level {
        0 => found,
        1 => (found.0.to_subdivision(), None),
        2 => (found.0.to_country(), None),
        _ => (found.0.to_continent(), None),
    }
}

/// Another address of the prefix of this length around an address.
pub(crate) fn within(address: IpAddr, len: u8, other: u128) -> IpAddr {
    let behind = |bits: u32| u128::MAX.checked_shr(bits).unwrap_or(0);
    match address {
        IpAddr::V4(v4) => {
            let behind = behind(u32::from(len) + 96);
            let bits = (u128::from(v4.to_bits()) & !behind) | (other & behind);
            IpAddr::V4(u32::try_from(bits).unwrap().into())
        }
        IpAddr::V6(v6) => {
            let behind = behind(len.into());
            IpAddr::V6(((v6.to_bits() & !behind) | (other & behind)).into())
        }
    }
}

/// The first and the last address of a network: where classes change, if anywhere.
fn ends(network: &Network) -> [IpAddr; 2] {
    [0, u128::MAX].map(|other| within(network.address(), network.prefix_len(), other))
}

/// All addresses at which the class could begin or end to be another, in both forms of IPv6 that
/// contain IPv4, too.
fn edges(layers: &[Rows]) -> Vec<IpAddr> {
    let rows = layers
        .iter()
        .flatten()
        .flat_map(|(network, _)| ends(network));
    let fixed = ["2002::/16", "::ffff:0:0/96"].map(|text| {
        let (address, len) = text.split_once('/').unwrap();
        let (address, len) = (address.parse().unwrap(), len.parse().unwrap());
        [0, u128::MAX].map(|other| within(address, len, other))
    });
    let mut edges = Vec::new();
    for edge in rows.chain(fixed.into_iter().flatten()) {
        let neighbours = match edge {
            IpAddr::V4(v4) => [-1_i64, 0, 1].map(|step| {
                let bits = v4
                    .to_bits()
                    .wrapping_add_signed(i32::try_from(step).unwrap());
                IpAddr::V4(bits.into())
            }),
            IpAddr::V6(v6) => [-1_i64, 0, 1]
                .map(|step| IpAddr::V6(v6.to_bits().wrapping_add_signed(step.into()).into())),
        };
        for address in neighbours {
            edges.push(address);
            if let IpAddr::V4(v4) = address {
                let bits = u128::from(v4.to_bits());
                edges.push(IpAddr::V6(((0xFFFF << 32) | bits).into()));
                edges.push(IpAddr::V6(((0x2002 << 112) | (bits << 80)).into()));
                edges.push(IpAddr::V6(
                    ((0x2002 << 112) | (bits << 80) | (u128::MAX >> 48)).into(),
                ));
            }
        }
    }
    edges
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// A look-up finds what a scan finds, and every address inside a scope is of the same class:
    /// at all places where it could be another one. One bit wider, and some address is not.
    #[test]
    fn look_ups_and_scopes_are_those_of_a_scan(
        layers in prop::collection::vec(prop::collection::vec((network(), any_place()), 0..12), 1..4),
        asked in prop::collection::vec(address(), 20),
    ) {
        let made = layers.iter().map(|rows| {
            let mut layer = Layer::new(Source::named("any"));
            for (network, place) in rows {
                layer.add(*network, *place).unwrap();
            }
            layer
        });
        let atlas = Atlas::new(made.collect()).unwrap();
        let edges = edges(&layers);
        for address in asked.into_iter().chain(edges.iter().copied()) {
            let found = atlas.look_up(address);
            let expected = model(&layers, address);
            prop_assert_eq!(*found.place, expected.0, "{}", address);
            let lens = scopes(&atlas, &address.to_string());
            prop_assert!(lens.is_sorted_by(|a, b| a >= b));
            for (level, len) in lens.into_iter().enumerate() {
                let same = |other: &IpAddr| class(model(&layers, *other), level) == class(expected, level);
                let inside = |other: &&IpAddr, len: u8| {
                    other.is_ipv4() == address.is_ipv4() && within(**other, len, 0) == within(address, len, 0)
                };
                for other in edges.iter().filter(|other| inside(other, len)) {
                    prop_assert!(same(other), "{} /{} level {}: {}", address, len, level, other);
                    if level == 0 {
                        prop_assert_eq!(atlas.look_up(*other).range.id(), found.range.id());
                    }
                }
                let wider = |len: u8| edges.iter().filter(move |other| inside(other, len)).any(|other| !same(other));
                let embedded = as_v4(address) != address;
                prop_assert!(
                    len == 0 || wider(len - 1) || embedded || next_to_embedded(address, len),
                    "{} could be wider than /{} at level {}", address, len, level
                );
            }
        }
    }
}

/// Networks that crowd into two parts of the table: one of IPv4, and one of IPv6 where many differ
/// only behind 48, 80 or 112 bits.
fn crowded() -> impl Strategy<Value = Network> {
    let v4 = (any::<u16>(), 17_u8..=32).prop_map(|(low, len)| {
        let bits = (10 << 24) | u32::from(low);
        Network::new(IpAddr::V4(bits.into()), len)
    });
    let few = prop::sample::select(vec![0_u128, 1, 2, 0x8000, 0xFFFF]);
    let v6 = (any::<u16>(), prop::collection::vec(few, 5), 17_u8..=128).prop_map(
        |(high, groups, len)| {
            let start = (0x2A02 << 16) | u128::from(high);
            let bits = groups.iter().fold(start, |bits, group| bits << 16 | group) << 16;
            Network::new(IpAddr::V6(bits.into()), len)
        },
    );
    prop_oneof![v4, v6].prop_map(Option::unwrap)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// The same where lists are long and lie inside one another.
    #[test]
    fn a_crowd_is_found_as_by_a_scan(
        layers in prop::collection::vec(prop::collection::vec((crowded(), any_place()), 0..250), 1..3),
        random in any::<u128>(),
    ) {
        let made = layers.iter().map(|rows| {
            let mut layer = Layer::new(Source::named("any"));
            for (network, place) in rows {
                layer.add(*network, *place).unwrap();
            }
            layer
        });
        let atlas = Atlas::new(made.collect()).unwrap();
        for address in edges(&layers) {
            let found = atlas.look_up(address);
            let expected = model(&layers, address);
            prop_assert_eq!(*found.place, expected.0, "{}", address);
            let lens = scopes(&atlas, &address.to_string());
            for (level, len) in lens.into_iter().enumerate() {
                for other in [0, u128::MAX, random].map(|other| within(address, len, other)) {
                    prop_assert!(
                        class(model(&layers, other), level) == class(expected, level),
                        "{} /{} level {}: {}", address, len, level, other
                    );
                    if level == 0 {
                        prop_assert_eq!(atlas.look_up(other).range.id(), found.range.id());
                    }
                }
            }
        }
    }
}

/// Whether one bit less would take in addresses that are looked up as IPv4: the table may stop
/// before those.
fn next_to_embedded(address: IpAddr, len: u8) -> bool {
    ["2002::", "::ffff:0:0"].iter().any(|other| {
        address.is_ipv6()
            && within(other.parse().unwrap(), len - 1, 0) == within(address, len - 1, 0)
    })
}
