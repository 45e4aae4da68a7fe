//! Who is how far from where: no file brings the reader down, even with a right checksum, what a map
//! says of an address holds for every address inside of the scope it tells, and what is drafted is
//! what is read.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use meridian_atlas::{
    Cell, Country, Latencies, LatencyMap, MapDraft, MapRegion, MapRow, Origin, Point, RegionIndex,
};

/// Where the checksum stands in a file, and how long it is.
const DIGEST_AT: usize = 44;
const DIGEST: usize = 32;

/// An address that differs from this one only behind so many bits.
fn within(address: IpAddr, len: u8, random: u128) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let behind = u32::MAX.checked_shr(len.into()).unwrap_or(0);
            let [.., a, b, c, d] = random.to_be_bytes();
            let random = u32::from_be_bytes([a, b, c, d]);
            Ipv4Addr::from_bits((v4.to_bits() & !behind) | (random & behind)).into()
        }
        IpAddr::V6(v6) => {
            let behind = u128::MAX.checked_shr(len.into()).unwrap_or(0);
            Ipv6Addr::from_bits((v6.to_bits() & !behind) | (random & behind)).into()
        }
    }
}

/// All that is said of the regions of a map.
fn steps(map: &LatencyMap, latencies: Option<Latencies<'_>>) -> Option<Vec<Option<u8>>> {
    let latencies = latencies?;
    let regions = (0..=u8::MAX).take(map.regions().len());
    Some(
        regions
            .map(|region| latencies.step(RegionIndex(region)))
            .collect(),
    )
}

fn check(map: &LatencyMap, asked: u128) {
    let [a, b, c, d, ..] = asked.to_be_bytes();
    let v4 = Ipv4Addr::new(a, b, c, d);
    let v6 = Ipv6Addr::from_bits(asked);
    for address in [v4.into(), v6.into(), v4.to_ipv6_mapped().into()] {
        let located = map.locate(address);
        let said = steps(map, located.latencies);
        let scope = located.scope;
        assert!(scope.order <= scope.record);
        assert!(scope.record <= if address.is_ipv4() { 32 } else { 128 });
        for random in [0, u128::MAX, asked.reverse_bits(), asked.rotate_left(17)] {
            let near = map.look_up(within(address, scope.record, random));
            assert_eq!(steps(map, near), said);
            let far = map.look_up(within(address, scope.order, random));
            let range = |latencies: Option<Latencies<'_>>| latencies.map(|row| row.range());
            assert_eq!(range(far), range(located.latencies));
        }
    }
    let mut before = None;
    for range in map.ranges() {
        assert!(range.first <= range.last && before.is_none_or(|last| last < range.first));
        before = Some(range.last);
        for region in 0..3 {
            let region = RegionIndex(region);
            let told = range.latencies.ms(region);
            assert!(told.is_none_or(|ms| (0.5..1001.0).contains(&ms)));
            range.latencies.origin(region);
        }
        assert!(range.latencies.confidence() <= 100);
        range.latencies.country();
    }
}

/// A draft that is one.
#[derive(Debug, Arbitrary)]
struct Drafted {
    asked: u128,
    rows: Vec<[(u8, bool); 3]>,
    v4: Vec<(u32, u8)>,
    v6: Vec<(u64, u8)>,
}

/// The rows of these firsts, in order.
fn ranges<T: Copy + Default + Ord>(firsts: &[(T, u8)], rows: usize) -> Vec<(T, u32)> {
    let row = |row: u8| match usize::from(row).checked_rem(rows + 1) {
        Some(row) if row < rows => u32::try_from(row).unwrap_or(u32::MAX),
        _ => u32::MAX,
    };
    let mut ranges = vec![(T::default(), u32::MAX)];
    ranges.extend(firsts.iter().map(|(first, number)| (*first, row(*number))));
    ranges.sort_unstable();
    ranges.dedup_by_key(|(first, _)| *first);
    ranges
}

fn write_and_read(drafted: &Drafted) {
    let row = |cells: &[(u8, bool); 3]| MapRow {
        country: Country::new("DE"),
        samples: 1,
        confidence: 100,
        age_h: 0,
        cells: cells
            .map(|(ms, known)| Cell {
                ms: known.then_some(f32::from(ms) * 5.0),
                origin: Origin::Inherited,
            })
            .to_vec(),
    };
    let point = Point::new(0.0, 0.0);
    let regions = ["a", "b", "c"].into_iter().zip(point.into_iter().cycle());
    let draft = MapDraft {
        build: 1,
        made_s: 2,
        regions: regions
            .map(|(name, point)| MapRegion {
                name: name.into(),
                point,
            })
            .collect(),
        rows: drafted.rows.iter().map(row).collect(),
        v4: ranges(&drafted.v4, drafted.rows.len()),
        v6: ranges(&drafted.v6, drafted.rows.len()),
    };
    let kept = draft.clone();
    let file = draft.write().expect("it is a map");
    let map = LatencyMap::read(&file).expect("it was just written");
    for (first, row) in &kept.v4 {
        let told = map.look_up(Ipv4Addr::from_bits(*first).into());
        let cells = kept.rows.get(*row as usize).map(|row| &row.cells);
        let known = |cell: &Cell| cell.ms.is_some();
        assert_eq!(
            steps(&map, told).map(|steps| steps.iter().map(Option::is_some).collect::<Vec<_>>()),
            cells.map(|cells| cells.iter().map(known).collect())
        );
    }
    check(&map, drafted.asked);
}

// A byte that says what it is; then a draft, or sixteen bytes of an address and a file.
fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    if kind % 2 == 0 {
        if let Ok(drafted) = Drafted::arbitrary(&mut Unstructured::new(bytes)) {
            write_and_read(&drafted);
        }
        return;
    }
    let Some((asked, file)) = bytes.split_first_chunk() else {
        return;
    };
    let mut file = file.to_vec();
    if kind % 4 == 1
        && let Some((before, rest)) = file.split_at_mut_checked(DIGEST_AT)
        && let Some((digest, behind)) = rest.split_at_mut_checked(DIGEST)
    {
        let mut hasher = blake3::Hasher::new();
        hasher.update(before).update(behind);
        digest.copy_from_slice(hasher.finalize().as_bytes());
    }
    match LatencyMap::read(&file) {
        Ok(map) => check(&map, u128::from_be_bytes(*asked)),
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
});
