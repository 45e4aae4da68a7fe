//! What a latency map of a million networks and thirty regions costs: looking up, choosing the
//! fastest of four regions by it, writing its file and reading that.
//!
//! `cargo bench -p meridian-bench --bench latency_map`. Each figure is CPU time of the thread: the
//! median of the rounds, with the least and the most.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meridian_atlas::{
    Cell, Country, LatencyMap, MapDraft, MapRegion, MapRow, Origin, Point, RegionIndex,
};
use meridian_bench::data::{low, mix, popular};
use meridian_bench::timing::{per, report, rounds, timed};

/// Networks: two thirds of IPv4.
const NETWORKS: u32 = 1_000_000;
const V4: u32 = 660_000;
const REGIONS: u8 = 30;
/// Look-ups per round.
const LOOK_UPS: usize = 1 << 20;

fn main() {
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| | median | least | most |");
    println!("|---|---|---|---|");
    for (what, different) in [("no two alike", NETWORKS), ("60k different rows", 60_000)] {
        let draft = draft(different);
        let written = rounds(|| {
            let draft = draft.clone();
            timed(|| draft.write()).1
        });
        report(&format!("1M networks, {what}: write"), written);
        let equal = asked(&draft, |random, count| low(random) as usize % count);
        let popular = asked(&draft, popular);
        let file = draft.write().expect("it is a map");
        println!("| its bytes | {} | | |", file.len());
        report("read", rounds(|| timed(|| LatencyMap::read(&file)).1));
        let map = LatencyMap::read(&file).expect("it was just written");
        drop(file);
        let size = map.size();
        println!(
            "| its ranges of IPv4, of IPv6, bytes | {} | {} | {} |",
            size.v4, size.v6, size.bytes
        );
        for (how, asked) in [("each as often", equal), ("by popularity", popular)] {
            for (family, asked) in ["IPv4", "IPv6"].into_iter().zip(&asked) {
                look_ups(&format!("{family}, {how}"), &map, asked);
            }
        }
        let every = rounds(|| timed(|| black_box(map.ranges().count())).1);
        report("go through all ranges", every);
    }
}

fn look_ups(family: &str, map: &LatencyMap, asked: &[IpAddr]) {
    let each = |work: &dyn Fn(IpAddr)| {
        per(asked.len(), || {
            for address in asked {
                work(*address);
            }
        })
    };
    let times = rounds(|| {
        each(&|address| {
            black_box(map.look_up(address));
        })
    });
    report(&format!("{family}: look up"), times);
    let offered = [3, 11, 17, 28].map(RegionIndex);
    let times = rounds(|| {
        each(&|address| {
            let row = map.look_up(address);
            let ms = |region: &RegionIndex| row.and_then(|row| row.step(*region));
            black_box(offered.iter().min_by_key(|region| ms(region)));
        })
    });
    report(&format!("{family}: look up, fastest of 4"), times);
}

/// Networks with so many different rows, in turn.
fn draft(different: u32) -> MapDraft {
    let country = Country::new("DE");
    let cell = |byte: &u8| Cell {
        ms: Some(1.0 + f32::from(*byte)),
        origin: match byte {
            0..50 => Origin::Measured,
            50..200 => Origin::Inherited,
            200.. => Origin::Model,
        },
    };
    let row = |number: u64| {
        let bytes = [0, 1, 2, 3].map(|part| mix(4 * number + part).to_be_bytes());
        let cells = bytes.as_flattened().iter().take(REGIONS.into());
        MapRow {
            country,
            samples: 100,
            confidence: 90,
            age_h: 2,
            cells: cells.map(cell).collect(),
        }
    };
    let point = Point::new(1.0, 2.0).expect("there is such a point");
    let region = |number: u8| MapRegion {
        name: format!("region-{number:02}").into(),
        point,
    };
    let v4 = drawn(0..V4, 20, different);
    let v6 = drawn(V4..NETWORKS, 60, different);
    let first_v6 = |at: u32| match at {
        0 => 0,
        at => 0x2400 << 48 | u64::from(at) << 16,
    };
    MapDraft {
        build: 1,
        made_s: 0,
        regions: (0..REGIONS).map(region).collect(),
        rows: (0..different.into()).map(row).collect(),
        v4: v4.into_iter().map(|(at, row)| (at << 8, row)).collect(),
        v6: v6
            .into_iter()
            .map(|(at, row)| (first_v6(at), row))
            .collect(),
    }
}

/// Networks in order, by their numbers, every other one beside the one before, the others at most
/// so far behind it.
fn drawn(rows: std::ops::Range<u32>, gap: u32, different: u32) -> Vec<(u32, u32)> {
    let (mut at, mut ranges) = (0, vec![(0, u32::MAX)]);
    for row in rows {
        let [a, b, ..] = mix(row.into()).to_be_bytes();
        at += match a {
            0..128 => 0,
            128.. => 1 + u32::from(b) % gap,
        };
        ranges.pop_if(|(first, _)| *first == at);
        ranges.extend([(at, row % different), (at + 1, u32::MAX)]);
        at += 1;
    }
    ranges
}

/// An address in each of many ranges that are drawn by random numbers, of IPv4 and of IPv6.
fn asked(draft: &MapDraft, draw: impl Fn(u64, usize) -> usize) -> [Vec<IpAddr>; 2] {
    // Those that are asked for most are not neighbours.
    let place = |number: u64, of: usize| low(mix(draw(mix(number), of) as u64)) as usize % of;
    let v4 = |number| Ipv4Addr::from_bits(draft.v4[place(number, draft.v4.len())].0 | 7).into();
    let v6 = |number| {
        let first = draft.v6[place(number, draft.v6.len())].0;
        Ipv6Addr::from_bits(u128::from(first) << 64 | 7).into()
    };
    let numbers = 0..LOOK_UPS as u64;
    [numbers.clone().map(v4).collect(), numbers.map(v6).collect()]
}
