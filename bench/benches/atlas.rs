//! What finding out where clients are costs in the process, and what making an atlas does.
//!
//! `cargo bench -p meridian-bench --bench atlas`. Each figure is CPU time of the thread: the
//! median of the rounds, with the least and the most.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arrayvec::ArrayVec;
use meridian_answer::{BATCH, Near};
use meridian_atlas::{
    Atlas, Country, Layer, LookUp, Needs, Network, Place, Point, Source, countries, mmdb,
};
use meridian_bench::data::{low, mix, popular};
use meridian_bench::timing::{per, report, rounds, timed};
use meridian_server::Prefetch;

#[path = "../../crates/atlas/tests/mmdb/mod.rs"]
#[expect(dead_code, reason = "not every kind of file is needed here")]
#[expect(clippy::unwrap_used, reason = "a test's, which may panic")]
mod file;

const PREFIXES: usize = 1_000_000;
/// Different places: as many as a file of cities may have.
const PLACES: u32 = 200_000;
/// Steps that most look-ups take: to a part, a branch, a leaf, a record.
const STEPS: usize = 3;
/// Look-ups per round.
const LOOK_UPS: usize = 1 << 20;
const COUNTRIES: &[u8] = include_bytes!("../../data/geo/countries");

fn main() {
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| | median | least | most |");
    println!("|---|---|---|---|");
    let rows = rows(PREFIXES);
    report(
        "1M prefixes in 200k places: make an atlas",
        rounds(|| timed(|| made(&rows)).1),
    );
    let atlas = made(&rows);
    let equal = inside(&rows, |random, count| low(random) as usize % count);
    let popular = inside(&rows, popular);
    for (what, asked) in [
        ("1M prefixes, each as often", equal),
        ("1M prefixes, by popularity", popular),
    ] {
        look_ups(what, &atlas, &asked);
        in_steps(what, &atlas, &asked);
    }
    size(&atlas);
    drop((rows, atlas));
    report(
        "the countries that come with the program: read and make",
        rounds(|| timed(built_in).1),
    );
    let atlas = built_in();
    let anybody: Vec<IpAddr> = (0..LOOK_UPS as u64)
        .map(|number| Ipv4Addr::from_bits(low(mix(number))).into())
        .collect();
    look_ups("built-in countries, any address", &atlas, &anybody);
    in_steps("built-in countries, any address", &atlas, &anybody);
    size(&atlas);
    let bytes = cities();
    println!("| file of 1M networks, bytes | {} | | |", bytes.len());
    report(
        "the same: read and make",
        rounds(|| timed(|| of_file(&bytes)).1),
    );
    size(&of_file(&bytes));
    let (a, b) = (Point::new(48.9, 2.4), Point::new(35.7, 139.7));
    if let (Some(a), Some(b)) = (a, b) {
        let times = rounds(|| {
            per(LOOK_UPS, || {
                for _ in 0..LOOK_UPS {
                    black_box(black_box(a).direction());
                }
            })
        });
        report("a point's direction", times);
        let (a, b) = (a.direction(), b.direction());
        let times = rounds(|| {
            per(LOOK_UPS, || {
                for _ in 0..LOOK_UPS {
                    black_box(black_box(a).distance_km(black_box(b)));
                }
            })
        });
        report("distance of two directions", times);
    }
}

/// Two thirds of IPv4, of 16 to 24 bits, and one of IPv6, of 32 to 48, in the networks that are
/// given out.
fn rows(count: usize) -> Vec<(Network, Place)> {
    let countries: Vec<Country> = Country::all().collect();
    let row = |number: u64| {
        let (random, more) = (mix(2 * number), mix(2 * number + 1));
        let network = if number % 3 < 2 {
            // Half of all prefixes are /24.
            let len = 24
                - u8::try_from((more >> 40) % 16)
                    .unwrap_or(0)
                    .saturating_sub(7);
            Network::new(Ipv4Addr::from_bits(low(random)).into(), len)
        } else {
            let registry = [0x2001_u128, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00]
                [usize::try_from(more % 6).unwrap_or(0)];
            let bits = (registry << 112) | (u128::from(random & 0xFF_FFFF_FFFF) << 80);
            let len = 32 + u8::try_from((more >> 40) % 17).unwrap_or(0);
            Network::new(Ipv6Addr::from_bits(bits).into(), len)
        };
        let number = u16::try_from(low(more) % PLACES / 4).unwrap_or(0);
        let point = Point::new(
            f32::from(number % 180) - 90.0,
            f32::from(number / 180) - 180.0,
        );
        let country = countries[usize::from(number) % countries.len()];
        (
            network.expect("a possible length"),
            Place {
                point,
                ..Place::in_country(country)
            },
        )
    };
    (0..count as u64).map(row).collect()
}

fn made(rows: &[(Network, Place)]) -> Atlas {
    let mut layer = Layer::new(Source::named("made up"));
    for (network, place) in rows {
        layer.add(*network, *place).expect("there is room");
    }
    Atlas::new(vec![layer]).expect("there is room")
}

fn built_in() -> Atlas {
    let layer = countries::read(COUNTRIES).expect("the file is tested");
    Atlas::new(vec![layer]).expect("there is room")
}

/// Addresses in the rows that are drawn by random numbers, in no order.
fn inside(rows: &[(Network, Place)], draw: impl Fn(u64, usize) -> usize) -> Vec<IpAddr> {
    let address = |number: u64| {
        let random = mix(!number);
        let (network, _) = &rows[draw(mix(random), rows.len())];
        match network.address() {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() | (low(random) & 0xFF)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() | u128::from(random)).into(),
        }
    };
    (0..LOOK_UPS as u64).map(address).collect()
}

/// A file in MaxMind's format, as its files of cities have it.
fn cities() -> Vec<u8> {
    use file::{Shape, Value, Writer};
    let mut writer = Writer::new(Shape {
        ip_version: 6,
        record_size: 28,
        database_type: "bench-City",
    });
    let map = |fields: Vec<(&'static str, Value)>| Value::Map(fields);
    for (network, place) in rows(PREFIXES) {
        let country = place
            .country
            .map_or(String::new(), |country| country.to_string());
        let point = place.point.expect("made up with one");
        let names = || map(vec![("de", "Ein Name".into()), ("en", "A name".into())]);
        let record = map(vec![
            ("city", map(vec![("names", names())])),
            (
                "country",
                map(vec![
                    ("iso_code", country.as_str().into()),
                    ("names", names()),
                ]),
            ),
            (
                "location",
                map(vec![
                    ("latitude", Value::Double(point.latitude().into())),
                    ("longitude", Value::Double(point.longitude().into())),
                ]),
            ),
            (
                "subdivisions",
                Value::List(vec![map(vec![("iso_code", "CA".into())])]),
            ),
        ]);
        writer.add(&network.to_string(), &record);
    }
    writer.finish()
}

fn of_file(bytes: &[u8]) -> Atlas {
    let layer = mmdb::read("bench", bytes).expect("just written");
    Atlas::new(vec![layer]).expect("there is room")
}

fn look_ups(what: &str, atlas: &Atlas, addresses: &[IpAddr]) {
    let times = rounds(|| {
        per(addresses.len(), || {
            for address in addresses {
                black_box(atlas.look_up(*address));
            }
        })
    });
    report(&format!("{what}: look up"), times);
    let memory = chain(atlas.size().bytes);
    let times = rounds(|| {
        per(LOOK_UPS, || {
            let mut at = 0;
            for _ in 0..LOOK_UPS {
                at = memory[at as usize];
            }
            black_box(at);
        })
    });
    report("one read anywhere in as much memory", times);
}

/// As `answer` looks them up: a batch of them, each a step at a time.
fn in_steps(what: &str, atlas: &Atlas, addresses: &[IpAddr]) {
    let times = rounds(|| {
        per(addresses.len(), || {
            for batch in addresses.chunks(BATCH) {
                let begin = |address: &IpAddr| {
                    let look_up = atlas.begin(*address);
                    ask_for(&look_up);
                    look_up
                };
                let mut all: ArrayVec<LookUp<'_>, BATCH> = batch.iter().map(begin).collect();
                for _ in 0..STEPS {
                    for look_up in &mut all {
                        look_up.step();
                        ask_for(look_up);
                    }
                }
                for look_up in all {
                    black_box(look_up.found());
                }
            }
        })
    });
    report(&format!("{what}: look up, {BATCH} in steps"), times);
}

fn ask_for(look_up: &LookUp<'_>) {
    match look_up.needs() {
        Needs::Words(words) => Prefetch.near(words),
        Needs::Record(Some(record)) => Prefetch.near(record),
        Needs::Record(None) | Needs::Row(_) => {}
    }
}

/// So many bytes of places, each of which leads to another one, until all have been seen.
fn chain(bytes: usize) -> Vec<u32> {
    let count = u32::try_from(bytes / size_of::<u32>()).unwrap_or(u32::MAX);
    let mut places: Vec<u32> = (0..count).collect();
    // Sattolo's shuffle makes one circle of them.
    for last in (1..places.len()).rev() {
        let other = usize::try_from(mix(last as u64)).unwrap_or(usize::MAX) % last;
        places.swap(last, other);
    }
    places
}

fn size(atlas: &Atlas) {
    let size = atlas.size();
    println!(
        "| its ranges of IPv4, of IPv6, bytes | {} | {} | {} |",
        size.v4, size.v6, size.bytes
    );
}
