//! Maps against a trie that holds the same, and files that are not as they were written.
#![expect(clippy::indexing_slicing, reason = "tests may panic")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meridian_model::Country;
use prefix_trie::PrefixMap;
use proptest::prelude::*;

use crate::tests::{as_v4, within};
use crate::{
    Cell, Latencies, LatencyMap, Located, MapDraft, MapFault, MapRegion, MapRow, Needs, Origin,
    Point, RegionIndex,
};

fn region(name: &str) -> MapRegion {
    MapRegion {
        name: name.into(),
        point: Point::new(1.0, 2.0).unwrap(),
    }
}

fn measured(ms: &[f32]) -> MapRow {
    let cell = |ms: &f32| Cell {
        ms: (*ms >= 0.0).then_some(*ms),
        origin: Origin::Measured,
    };
    MapRow {
        country: Country::new("DE"),
        samples: 12,
        confidence: 50,
        age_h: 3,
        cells: ms.iter().map(cell).collect(),
    }
}

fn v4(text: &str) -> u32 {
    text.parse::<Ipv4Addr>().unwrap().to_bits()
}

fn v6(text: &str) -> u64 {
    let upper = text.parse::<Ipv6Addr>().unwrap().to_bits() >> 64;
    u64::try_from(upper).unwrap()
}

const NOTHING: u32 = u32::MAX;

/// Two regions, and some networks.
fn sample() -> MapDraft {
    let mut other = measured(&[80.0, 20.0]);
    other.country = Country::new("JP");
    other.cells[1].origin = Origin::Inherited;
    other.cells[0].origin = Origin::Model;
    MapDraft {
        build: 7,
        made_s: 1_790_000_000,
        regions: vec![region("a"), region("b")],
        rows: vec![measured(&[10.0, 90.0]), other, measured(&[11.0, 100.0])],
        v4: vec![
            (0, NOTHING),
            (v4("10.0.0.0"), 0),
            (v4("10.64.0.0"), 2),
            (v4("10.128.0.0"), 1),
            (v4("11.0.0.0"), NOTHING),
        ],
        v6: vec![
            (0, NOTHING),
            (v6("2001:db8::"), 1),
            (v6("2001:db9::"), NOTHING),
        ],
    }
}

fn map_of(draft: MapDraft) -> LatencyMap {
    LatencyMap::read(&draft.write().unwrap()).unwrap()
}

#[test]
fn a_map_says_what_was_drafted() {
    let map = map_of(sample());
    assert_eq!((map.build(), map.made_s()), (7, 1_790_000_000));
    assert_eq!(map.regions(), [region("a"), region("b")]);
    assert_eq!(map.region("b"), Some(RegionIndex(1)));
    assert_eq!(map.region("c"), None);
    let row = map.look_up("10.200.1.1".parse().unwrap()).unwrap();
    assert!((row.ms(RegionIndex(0)).unwrap() / 80.0 - 1.0).abs() < 0.016);
    assert_eq!(row.origin(RegionIndex(0)), Origin::Model);
    assert_eq!(row.origin(RegionIndex(1)), Origin::Inherited);
    assert_eq!(row.ms(RegionIndex(2)), None);
    assert_eq!(row.country(), Country::new("JP"));
    assert_eq!((row.samples(), row.confidence(), row.age_h()), (12, 50, 3));
    for nowhere in ["9.255.255.255", "11.0.0.0", "2001:db9::", "::1"] {
        assert!(map.look_up(nowhere.parse().unwrap()).is_none(), "{nowhere}");
    }
    for embedded in ["::ffff:10.200.1.1", "2002:ac8:101::9"] {
        let same = map.look_up(embedded.parse().unwrap()).unwrap();
        assert_eq!(same.country(), Country::new("JP"), "{embedded}");
    }
}

#[test]
fn scopes_reach_as_far_as_rows_and_orders_are_alike() {
    let map = map_of(sample());
    let scopes = |address: &str| {
        let scope = map.locate(address.parse().unwrap()).scope;
        [scope.record, scope.order]
    };
    // The rows of the first two differ, and both have the same region first.
    assert_eq!(scopes("10.1.1.1"), [10, 9]);
    assert_eq!(scopes("10.65.1.1"), [10, 9]);
    assert_eq!(scopes("10.200.1.1"), [9, 9]);
    assert_eq!(scopes("11.1.1.1"), [8, 8]);
    assert_eq!(scopes("128.0.0.1"), [1, 1]);
    assert_eq!(scopes("::ffff:10.1.1.1"), [106, 105]);
    assert_eq!(scopes("2002:a01:101::"), [26, 25]);
    assert_eq!(scopes("2001:db8::1"), [32, 32]);
    // Some of its neighbours are as good as IPv4.
    assert_eq!(scopes("2003::"), [16, 16]);
    let range = |address: &str| map.look_up(address.parse().unwrap()).unwrap().range();
    assert_eq!(range("10.1.1.1"), range("10.65.1.1"));
    assert_ne!(range("10.1.1.1"), range("10.200.1.1"));
}

#[test]
fn all_ranges_are_told_once() {
    let map = map_of(sample());
    let ranges: Vec<_> = map
        .ranges()
        .map(|range| {
            let first = range.latencies.step(RegionIndex(0)).unwrap();
            (range.first.to_string(), range.last.to_string(), first)
        })
        .collect();
    let step = |ms| super::scale::step(ms).unwrap();
    let expected = [
        ("10.0.0.0", "10.63.255.255", step(10.0)),
        ("10.64.0.0", "10.127.255.255", step(11.0)),
        ("10.128.0.0", "10.255.255.255", step(80.0)),
        (
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            step(80.0),
        ),
    ];
    let expected = expected.map(|(first, last, step)| (first.to_owned(), last.to_owned(), step));
    assert_eq!(ranges, expected);
}

#[test]
fn a_map_of_nothing_says_nothing_of_everybody() {
    let with_row = MapDraft {
        rows: vec![measured(&[])],
        ..MapDraft::default()
    };
    for draft in [MapDraft::default(), with_row] {
        let map = map_of(draft);
        assert!(map.is_empty());
        assert_eq!(map.ranges().count(), 0);
        for address in ["0.0.0.0", "10.1.1.1", "::", "::ffff:10.1.1.1", "2002::1"] {
            let located = map.locate(address.parse().unwrap());
            assert!(located.latencies.is_none());
            assert_eq!((located.scope.record, located.scope.order), (0, 0));
        }
    }
}

#[test]
fn rows_that_say_the_same_are_stored_once() {
    let mut draft = sample();
    // Nobody has this one, and the other differs in what nothing comes from.
    draft.rows.push(measured(&[1.0, 1.0]));
    draft.rows[0].cells[0].ms = None;
    let mut same = draft.rows[0].clone();
    same.cells[0].origin = Origin::Model;
    draft.rows.push(same);
    draft.v4.push((v4("20.0.0.0"), 4));
    let map = map_of(draft);
    assert_eq!(map.size().rows, 3);
    assert!(map.look_up("20.0.0.0".parse().unwrap()).is_some());
}

#[test]
fn drafts_that_are_no_maps_are_refused() {
    type Change = fn(&mut MapDraft);
    let cases: [(Change, MapFault); 13] = [
        (|draft| draft.regions.swap(0, 1), MapFault::Regions),
        (|draft| draft.regions[1] = region("a"), MapFault::Regions),
        (|draft| draft.regions[0] = region(""), MapFault::Regions),
        (
            |draft| draft.regions[1] = region(&"x".repeat(256)),
            MapFault::Regions,
        ),
        (
            |draft| {
                let name = |number| region(&format!("r{number:03}"));
                draft.regions = (0..256).map(name).collect();
            },
            MapFault::TooLarge,
        ),
        (|draft| draft.rows[0].cells.truncate(1), MapFault::Row),
        (|draft| draft.rows[0].confidence = 101, MapFault::Row),
        (
            |draft| draft.rows[0].cells[0].ms = Some(f32::NAN),
            MapFault::Row,
        ),
        (
            |draft| draft.rows[0].cells[0].ms = Some(-1.0),
            MapFault::Row,
        ),
        (|draft| draft.v4[0].0 = 1, MapFault::Ranges),
        (|draft| draft.v4.swap(1, 2), MapFault::Ranges),
        (
            |draft| draft.v6.push((v6("2001:db9::"), 0)),
            MapFault::Ranges,
        ),
        (|draft| draft.v6[1].1 = 3, MapFault::Ranges),
    ];
    for (number, (change, fault)) in cases.into_iter().enumerate() {
        let mut draft = sample();
        change(&mut draft);
        assert_eq!(draft.write(), Err(fault), "{number}");
    }
}

#[test]
fn a_file_that_was_cut_off_or_damaged_is_refused() {
    let file = sample().write().unwrap();
    for len in 0..file.len() {
        assert!(LatencyMap::read(&file[..len]).is_err(), "{len}");
    }
    for at in 0..file.len() {
        for bit in [1, 0x80] {
            let mut damaged = file.clone();
            damaged[at] ^= bit;
            assert!(LatencyMap::read(&damaged).is_err(), "{at}");
        }
    }
    let longer = [&file[..], &[0]].concat();
    assert_eq!(LatencyMap::read(&longer).unwrap_err(), MapFault::Checksum);
    assert_eq!(
        LatencyMap::read(&signed(longer)).unwrap_err(),
        MapFault::Length
    );
    assert_eq!(LatencyMap::read(b"").unwrap_err(), MapFault::NoMap);
    assert_eq!(
        LatencyMap::read(b"ZIP archive").unwrap_err(),
        MapFault::NoMap
    );
}

#[test]
fn a_file_of_another_version_is_refused_as_that() {
    let file = sample().write().unwrap();
    for version in [0, 2, 77] {
        let mut other = file.clone();
        other[8] = version;
        let fault = LatencyMap::read(&signed(other)).unwrap_err();
        assert_eq!(fault, MapFault::Version(version.into()));
        assert!(fault.to_string().contains("build it anew"));
    }
}

/// A file with the checksum of what it now has.
fn signed(mut file: Vec<u8>) -> Vec<u8> {
    super::file::Header::end(&mut file);
    file
}

#[test]
fn files_that_somebody_has_made_up_bring_nothing_down() {
    let file = sample().write().unwrap();
    for at in 8..file.len() {
        for value in [0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF] {
            let mut other = file.clone();
            other[at] = value;
            let Ok(map) = LatencyMap::read(&signed(other)) else {
                continue;
            };
            for range in map.ranges() {
                for region in 0..3 {
                    range.latencies.ms(RegionIndex(region));
                    range.latencies.origin(RegionIndex(region));
                }
                range.latencies.country();
            }
        }
    }
}

/// The places of rows by prefix, of either family.
type Tries = (PrefixMap<(u32, u8), u32>, PrefixMap<(u64, u8), u32>);

/// Networks of IPv4 and of IPv6 that crowd together, nested and side by side, host routes and all
/// addresses among them.
fn networks() -> impl Strategy<Value = Tries> {
    let few = prop::sample::select(vec![0_u8, 1, 2, 127, 128, 254, 255]);
    let bits = prop::array::uniform4(few);
    let near = (any::<u16>(), Just([10, 20, 0, 0])).prop_map(|(low, [a, b, ..])| {
        let [c, d] = low.to_be_bytes();
        [a, b, c, d]
    });
    let bits = prop_oneof![bits, near].prop_map(u32::from_be_bytes);
    let row = || prop_oneof![1 => Just(NOTHING), 8 => 0..ROWS];
    let short = (bits.clone(), 0_u8..=32, row());
    let long = (bits.clone(), bits, 0_u8..=64, row());
    let masked_v4 = |(bits, len, row): (u32, u8, u32)| {
        let mask = !u32::MAX.checked_shr(len.into()).unwrap_or(0);
        ((bits & mask, len), row)
    };
    let masked_v6 = |(high, low, len, row): (u32, u32, u8, u32)| {
        let mask = !u64::MAX.checked_shr(len.into()).unwrap_or(0);
        let bits = u64::from(high) << 32 | u64::from(low);
        ((bits & mask, len), row)
    };
    (
        prop::collection::vec(short.prop_map(masked_v4), 0..40),
        prop::collection::vec(long.prop_map(masked_v6), 0..40),
    )
        .prop_map(|(v4, v6)| (v4.into_iter().collect(), v6.into_iter().collect()))
}

/// How many rows there are to choose from.
const ROWS: u32 = 12;

/// Rows of four regions, some of which have the same order.
fn rows() -> impl Strategy<Value = Vec<MapRow>> {
    let ms = prop::sample::select(vec![-1.0_f32, 5.0, 5.02, 10.0, 20.0, 300.0]);
    let row = prop::collection::vec(ms, 4).prop_map(|ms| measured(&ms));
    prop::collection::vec(row, ROWS as usize)
}

/// The first addresses of all ranges.
fn edges<T: Copy + Ord>(prefixes: impl Iterator<Item = (T, Option<T>)>, zero: T) -> Vec<T> {
    let mut edges = vec![zero];
    for (first, behind) in prefixes {
        edges.push(first);
        edges.extend(behind);
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn edges_v4(trie: &PrefixMap<(u32, u8), u32>) -> Vec<u32> {
    let of = |((first, len), _): (&(u32, u8), &u32)| {
        let last = first | u32::MAX.checked_shr((*len).into()).unwrap_or(0);
        (*first, last.checked_add(1))
    };
    edges(trie.iter().map(of), 0)
}

fn edges_v6(trie: &PrefixMap<(u64, u8), u32>) -> Vec<u64> {
    let of = |((first, len), _): (&(u64, u8), &u32)| {
        let last = first | u64::MAX.checked_shr((*len).into()).unwrap_or(0);
        (*first, last.checked_add(1))
    };
    edges(trie.iter().map(of), 0)
}

fn row_v4(trie: &PrefixMap<(u32, u8), u32>, bits: u32) -> u32 {
    trie.get_lpm(&(bits, 32)).map_or(NOTHING, |(_, row)| *row)
}

fn row_v6(trie: &PrefixMap<(u64, u8), u32>, bits: u64) -> u32 {
    trie.get_lpm(&(bits, 64)).map_or(NOTHING, |(_, row)| *row)
}

/// What a trie says of an address.
fn row_of(tries: &Tries, address: IpAddr) -> u32 {
    match as_v4(address) {
        IpAddr::V4(v4) => row_v4(&tries.0, v4.to_bits()),
        IpAddr::V6(v6) => row_v6(&tries.1, u64::try_from(v6.to_bits() >> 64).unwrap()),
    }
}

fn drafted(tries: &Tries, rows: &[MapRow]) -> MapDraft {
    let v4 = edges_v4(&tries.0).into_iter();
    let v6 = edges_v6(&tries.1).into_iter();
    MapDraft {
        regions: ["a", "b", "c", "d"].map(region).to_vec(),
        rows: rows.to_vec(),
        v4: v4.map(|first| (first, row_v4(&tries.0, first))).collect(),
        v6: v6.map(|first| (first, row_v6(&tries.1, first))).collect(),
        ..MapDraft::default()
    }
}

/// All addresses at which something could change, on both sides, and those that contain them.
fn asked(tries: &Tries) -> Vec<IpAddr> {
    let mut asked = Vec::new();
    for edge in edges_v4(&tries.0) {
        for bits in [edge.wrapping_sub(1), edge, edge.wrapping_add(1)] {
            let within = u128::from(bits);
            asked.push(IpAddr::V4(bits.into()));
            asked.push(IpAddr::V6((0xFFFF << 32 | within).into()));
            for behind in [0, u128::MAX >> 48] {
                asked.push(IpAddr::V6((0x2002 << 112 | within << 80 | behind).into()));
            }
        }
    }
    let barriers = [(0x2002 << 112, 16_u32), (0xFFFF << 32, 96)];
    let ends = barriers.map(|(first, len): (u128, u32)| [first, first | u128::MAX >> len]);
    let edges = edges_v6(&tries.1)
        .into_iter()
        .map(|edge| u128::from(edge) << 64);
    for edge in edges.chain(ends.into_iter().flatten()) {
        for bits in [edge.wrapping_sub(1), edge, edge.wrapping_add(1)] {
            asked.push(IpAddr::V6(bits.into()));
        }
    }
    asked
}

/// What a row says of each region, as steps; none where nothing is said.
fn steps(rows: &[MapRow], row: u32) -> Option<Vec<Option<u8>>> {
    let row = rows.get(row as usize)?;
    let step = |cell: &Cell| cell.ms.and_then(super::scale::step);
    Some(row.cells.iter().map(step).collect())
}

/// How each pair of regions compares, and of which there is a number.
fn order(steps: &Option<Vec<Option<u8>>>) -> Option<Vec<(bool, std::cmp::Ordering)>> {
    let steps = steps.as_ref()?;
    let pairs = steps.iter().flat_map(|a| steps.iter().map(move |b| (a, b)));
    Some(pairs.map(|(a, b)| (a.is_some(), a.cmp(b))).collect())
}

fn told(latencies: Option<Latencies<'_>>) -> Option<Vec<Option<u8>>> {
    let latencies = latencies?;
    Some(
        (0..4)
            .map(|region| latencies.step(RegionIndex(region)))
            .collect(),
    )
}

/// What a map says of an address, which it says in steps, too, however many have been taken.
fn locate(map: &LatencyMap, address: IpAddr) -> Located<'_> {
    let located = map.locate(address);
    let mut look_up = map.begin(address);
    for _ in 0..6 {
        let other = look_up.located();
        assert_eq!(told(other.latencies), told(located.latencies), "{address}");
        assert_eq!(other.scope, located.scope, "{address}");
        if let Needs::Row(row) = look_up.needs() {
            assert_eq!(row, located.latencies.map(|latencies| latencies.row));
        }
        look_up.step();
    }
    located
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    /// A look-up finds what a trie finds. All addresses inside a scope are alike, at all places
    /// where they could be otherwise; one bit wider, and some are not.
    #[test]
    fn look_ups_and_scopes_are_those_of_a_trie(tries in networks(), rows in rows()) {
        let map = map_of(drafted(&tries, &rows));
        let asked = asked(&tries);
        for &address in &asked {
            let located = locate(&map, address);
            let expected = steps(&rows, row_of(&tries, address));
            prop_assert_eq!(&told(located.latencies), &expected, "{}", address);
            let scope = located.scope;
            prop_assert!(scope.order <= scope.record);
            let inside = |len: u8| {
                asked.iter().filter(move |other| {
                    other.is_ipv4() == address.is_ipv4()
                        && within(**other, len, 0) == within(address, len, 0)
                })
            };
            let other = |other: &IpAddr| steps(&rows, row_of(&tries, *other));
            for near in inside(scope.record) {
                prop_assert_eq!(&other(near), &expected, "{} /{}: {}", address, scope.record, near);
            }
            for near in inside(scope.order) {
                prop_assert_eq!(
                    order(&other(near)), order(&expected), "{} /{}: {}", address, scope.order, near
                );
                let range = |latencies: Option<Latencies<'_>>| latencies.map(|row| row.range());
                prop_assert_eq!(range(map.look_up(*near)), range(located.latencies));
            }
            let narrow = as_v4(address) != address || map.is_empty();
            for (len, level) in [(scope.record, 0), (scope.order, 1)] {
                let differs = |near: &IpAddr| match level {
                    0 => other(near) != expected,
                    _ => order(&other(near)) != order(&expected),
                };
                prop_assert!(
                    len <= 1 || narrow || inside(len - 1).any(differs) || next_to_embedded(address, len),
                    "{} could be wider than /{}", address, len
                );
            }
        }
    }

    /// Ranges are all that a map says, in order, and nothing twice.
    #[test]
    fn ranges_are_those_of_a_trie(tries in networks(), rows in rows()) {
        let map = map_of(drafted(&tries, &rows));
        let mut before = None;
        for range in map.ranges() {
            prop_assert!(range.first <= range.last);
            prop_assert!(before.is_none_or(|last| last < range.first));
            before = Some(range.last);
            let expected = steps(&rows, row_of(&tries, range.first));
            prop_assert_eq!(told(Some(range.latencies)), expected);
        }
        let said = |address: IpAddr| map.ranges().any(|range| (range.first..=range.last).contains(&address));
        for address in asked(&tries).into_iter().filter(|address| as_v4(*address) == *address) {
            prop_assert_eq!(said(address), row_of(&tries, address) != NOTHING, "{}", address);
        }
    }
}

/// Whether one bit less would take in addresses that are looked up as IPv4: a map may stop before
/// those.
fn next_to_embedded(address: IpAddr, len: u8) -> bool {
    ["2002::", "::ffff:0:0"].iter().any(|other| {
        address.is_ipv6()
            && within(other.parse().unwrap(), len - 1, 0) == within(address, len - 1, 0)
    })
}

/// However many ranges crowd behind the same bits: as many as a line has room for, one more, and as
/// many as take a line more above those that lead to them.
#[test]
fn crowds_of_any_size_are_found() {
    for count in [2_u32, 5, 6, 79, 80, 81, 1279, 1280, 1281, 20_480, 20_481] {
        let first = |number: u32| match number {
            0 => 0,
            _ => 0x2400 << 48 | u64::from(7 * number) << 16,
        };
        let map = map_of(MapDraft {
            regions: vec![region("a")],
            rows: vec![measured(&[10.0]), measured(&[90.0])],
            v6: (0..count)
                .map(|number| (first(number), number % 2))
                .collect(),
            ..MapDraft::default()
        });
        let fast = |at: u64| {
            let address = Ipv6Addr::from_bits(u128::from(at) << 64);
            locate(&map, address.into())
                .latencies
                .unwrap()
                .ms(RegionIndex(0))
                .unwrap()
                < 50.0
        };
        for number in 1..count {
            assert_eq!(fast(first(number)), number % 2 == 0, "{number} of {count}");
            assert_eq!(
                fast(first(number) - 1),
                number % 2 == 1,
                "{number} of {count}"
            );
        }
        let last = (0x2401 << 48) - 1;
        assert_eq!(fast(last), count % 2 == 1, "{count}");
    }
}

/// A million networks, two thirds of them of IPv4, each as likely as not beside another, no two of
/// them alike, and thirty regions: as much as a name server is to give for it.
#[test]
fn a_million_networks_with_thirty_regions_take_64_mb() {
    let mut random = 1_u64;
    let mut next = move || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        random.to_be_bytes()
    };
    let cell = |byte: &u8| Cell {
        ms: super::scale::ms(byte / 2),
        origin: match byte {
            0..50 => Origin::Measured,
            50..200 => Origin::Inherited,
            200.. => Origin::Model,
        },
    };
    let like = measured(&[]);
    let mut row = || {
        let bytes = [next(), next(), next(), next()];
        MapRow {
            cells: bytes.as_flattened().iter().take(30).map(cell).collect(),
            ..like.clone()
        }
    };
    let rows = (0..1_000_000).map(|_| row()).collect();
    let mut drawn = |rows: std::ops::Range<u32>, gap: u32| {
        let (mut at, mut ranges) = (0, vec![(0, NOTHING)]);
        for row in rows {
            let [a, b, ..] = next();
            at += match a {
                0..128 => 0,
                128.. => 1 + u32::from(b) % gap,
            };
            ranges.pop_if(|(first, _)| *first == at);
            ranges.extend([(at, row), (at + 1, NOTHING)]);
            at += 1;
        }
        ranges
    };
    let first_v4 = |(at, row): &(u32, u32)| (at << 8, *row);
    let first_v6 = |(at, row): &(u32, u32)| match at {
        0 => (0, *row),
        at => (0x2400 << 48 | u64::from(*at) << 16, *row),
    };
    let draft = MapDraft {
        regions: (0..30)
            .map(|number| region(&format!("r{number:02}")))
            .collect(),
        rows,
        v4: drawn(0..660_000, 20).iter().map(first_v4).collect(),
        v6: drawn(660_000..1_000_000, 60).iter().map(first_v6).collect(),
        ..MapDraft::default()
    };
    let size = map_of(draft).size();
    assert_eq!(size.rows, 1_000_000);
    assert!(size.v4 + size.v6 > 1_450_000, "{size:?}");
    assert!(size.bytes <= 64_000_000, "{size:?}");
}
