//! What gathering samples costs in the process, how much memory a million networks take, and how
//! long it takes to make a map of them.
//!
//! `cargo bench -p meridian-bench --bench latency`. Each figure is CPU time of the thread; of what
//! takes seconds there are fewer rounds.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use meridian_atlas::{Atlas, LatencyMap, MapDraft, Network, Regions, countries};
use meridian_bench::data::{low, mix};
use meridian_bench::process::resident;
use meridian_bench::timing::timed;
use meridian_latency::{Aggregate, Ground, Hysteresis, Kind, Making, Matrix, Rules, Sample, build};

const KEYS: u64 = 1_000_000;
/// Of so many regions in all, each network measures a few.
const REGIONS: usize = 30;
const MEASURED: u64 = 6;
/// Samples of each region of a network.
const SAMPLES: u64 = 4;
const NOW_S: u64 = 1_800_000_000;
const COUNTRIES: &[u8] = include_bytes!("../../data/geo/countries");

fn main() {
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let layer = countries::read(COUNTRIES).expect("the file is tested");
    let atlas = Atlas::new(vec![layer]).expect("there is room");
    let regions = Regions::default();
    let names: Vec<&str> = regions.iter().map(|(name, _)| name).take(REGIONS).collect();
    let ground = Ground {
        atlas: &atlas,
        regions: &regions,
        now_s: NOW_S,
    };
    println!("| | |");
    println!("|---|---|");
    let (aggregate, took) = timed(|| gathered(&names, &ground));
    let count = KEYS * MEASURED * SAMPLES;
    let tally = aggregate.tally();
    println!("| samples | {count}, {} refused |", tally.refused.total());
    per_second("samples of a million networks, each once more", count, took);
    let (again, took) = timed(|| few(&names, &ground));
    per_second("samples of a thousand networks", again, took);
    let size = aggregate.size();
    println!(
        "| networks, histograms, bytes | {}, {}, {} |",
        size.keys, size.histograms, size.bytes
    );
    println!("| bytes resident | {} |", resident().unwrap_or(0));
    let (bytes, took) = timed(|| aggregate.to_bytes());
    println!("| write the aggregate: {} bytes | {took:?} |", bytes.len());
    let (read, took) = timed(|| Aggregate::from_bytes(&bytes, Rules::default()));
    println!("| read it | {took:?} |");
    black_box(read.is_ok());
    drop((read, bytes));
    builds(&aggregate, &ground);
}

/// First without a map before, then with one: that is compared, too.
fn builds(aggregate: &Aggregate, ground: &Ground<'_>) {
    let matrix = Matrix::default();
    let mut hysteresis = Hysteresis::default();
    let mut previous: Option<LatencyMap> = None;
    for what in ["the first map", "the second", "the third"] {
        let making = Making {
            aggregate,
            matrix: &matrix,
            ground: *ground,
            previous: previous.as_ref(),
        };
        let ((draft, report), took) = timed(|| build(&making, &mut hysteresis));
        println!(
            "| {what}: {} networks of their own, {} rows, {} + {} ranges | {took:?} |",
            report.published,
            draft.rows.len(),
            draft.v4.len(),
            draft.v6.len()
        );
        previous = written(draft);
    }
}

fn written(draft: MapDraft) -> Option<LatencyMap> {
    let (bytes, took) = timed(|| draft.write());
    let bytes = bytes.ok()?;
    println!("| write it: {} bytes | {took:?} |", bytes.len());
    let (map, took) = timed(|| LatencyMap::read(&bytes));
    println!("| read it | {took:?} |");
    map.ok()
}

/// Networks in no order, two thirds of them of IPv4.
fn gathered(names: &[&str], ground: &Ground<'_>) -> Aggregate {
    let mut aggregate = Aggregate::new(Rules::default());
    for round in 0..SAMPLES {
        for key in 0..KEYS {
            for number in 0..MEASURED {
                black_box(
                    aggregate
                        .fold(&sample(key, number, round, names), ground)
                        .is_ok(),
                );
            }
        }
    }
    aggregate
}

/// Few networks, which measure all the time: what a processor has at hand.
fn few(names: &[&str], ground: &Ground<'_>) -> u64 {
    let mut aggregate = Aggregate::new(Rules::default());
    let mut count = 0;
    for round in 0..500 {
        for key in 0..1000 {
            for number in 0..MEASURED {
                count += 1;
                black_box(
                    aggregate
                        .fold(&sample(key, number, round, names), ground)
                        .is_ok(),
                );
            }
        }
    }
    count
}

fn sample(key: u64, number: u64, round: u64, names: &[&str]) -> Sample {
    let random = mix(key);
    let network = if key % 3 < 2 {
        // In 1.0.0.0 to 223.255.255.0.
        let v4 = Ipv4Addr::from_bits(0x0100_0000 + low(random) % 0xDE00_0000);
        Network::new(v4.into(), 24)
    } else {
        let bits = (0x2a00_u128 << 112) | (u128::from(random & 0xFF_FFFF_FFFF) << 80);
        Network::new(Ipv6Addr::from_bits(bits).into(), 48)
    };
    let lot = mix(random ^ (number << 32) ^ (round << 48));
    let region = usize::try_from(random.rotate_left(20) + number * 5).unwrap_or(0) % names.len();
    Sample {
        at_s: NOW_S - 4000 + round,
        network: network.expect("a possible length"),
        region: names[region].into(),
        // Between 200 and 300 ms by the network, and some more by the sample.
        rtt_us: 200_000 + low(random) % 100_000 + low(lot) % 20_000,
        count: 10,
        weight: 1.0,
        kind: Kind::Agent,
        client: Some(lot),
    }
}

fn per_second(what: &str, count: u64, took: Duration) {
    let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
    let each = nanoseconds / count;
    println!(
        "| {what}: {} a second | {each} ns each |",
        count.saturating_mul(1_000_000_000) / nanoseconds
    );
}
