//! What a latency map of a million networks and thirty regions costs: looking up, choosing the
//! fastest of four regions by it, whole answers, writing its file and reading that.
//!
//! `cargo bench -p meridian-bench --bench latency_map`. Each figure is CPU time of the thread: the
//! median of the rounds, with the least and the most.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;
use meridian_answer::{
    BATCH, Broken, Identity, Moment, Near, Outcome, Scratch, World, ZoneImage, ZoneMeta, answer,
};
use meridian_atlas::{
    Cell, Country, Latencies, LatencyMap, MapDraft, MapLookUp, MapRegion, MapRow, Needs, Origin,
    Point, RegionIndex,
};
use meridian_bench::data::{low, mix, popular};
use meridian_bench::images::{KEY, VIEW, packet};
use meridian_bench::timing::{per, report, rounds, timed};
use meridian_dns::{Name, RecordType};
use meridian_model::{Generation, RecordSet, Region, Routing, Timestamp, ZoneId};
use meridian_server::Prefetch;

/// Networks: two thirds of IPv4.
const NETWORKS: u32 = 1_000_000;
const V4: u32 = 660_000;
const REGIONS: u8 = 30;
/// The regions that are on offer.
const OFFERED: [RegionIndex; 4] = [
    RegionIndex(3),
    RegionIndex(11),
    RegionIndex(17),
    RegionIndex(28),
];
/// Look-ups per round.
const LOOK_UPS: usize = 1 << 20;
/// Steps of a look-up: to a part, a branch, a leaf, each of which tells what is needed next.
const STEPS: usize = 3;

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
        for (how, asked) in [("each as often", &equal), ("by popularity", &popular)] {
            for (family, asked) in ["IPv4", "IPv6"].into_iter().zip(asked) {
                look_ups(&format!("{family}, {how}"), &map, asked);
            }
        }
        let every = rounds(|| timed(|| black_box(map.ranges().count())).1);
        report("go through all ranges", every);
        let world = world(map);
        let (equal, popular, few) = (&equal[0], &popular[0], &equal[0][..64]);
        for (what, owner, asked) in [
            ("plain set, 64 networks", "plain", few),
            ("fastest of 4, 64 networks", "fast", few),
            ("plain set, each as often", "plain", equal),
            ("fastest of 4, each as often", "fast", equal),
            ("fastest of 4, by popularity", "fast", popular),
        ] {
            report(&format!("an answer: {what}"), answers(&world, owner, asked));
        }
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
    let fastest = |row: Option<Latencies<'_>>| {
        let ms = |region: &RegionIndex| row.and_then(|row| row.step(*region));
        black_box(OFFERED.iter().min_by_key(|region| ms(region)));
    };
    let times = rounds(|| each(&|address| fastest(map.look_up(address))));
    report(&format!("{family}: look up, fastest of 4"), times);
    let times = rounds(|| {
        per(asked.len(), || {
            for batch in asked.chunks(BATCH) {
                for look_up in in_steps(map, batch) {
                    black_box(look_up.located());
                }
            }
        })
    });
    report(&format!("{family}: {BATCH} look-ups in steps"), times);
    let times = rounds(|| {
        per(asked.len(), || {
            for batch in asked.chunks(BATCH) {
                for look_up in in_steps(map, batch) {
                    fastest(look_up.located().latencies);
                }
            }
        })
    });
    report(
        &format!("{family}: {BATCH} look-ups in steps, fastest of 4"),
        times,
    );
}

/// A batch of look-ups, a step of all at a time, as `answer` does it.
#[inline]
fn in_steps<'a>(map: &'a LatencyMap, batch: &[IpAddr]) -> ArrayVec<MapLookUp<'a>, BATCH> {
    let ask_for = |look_up: &MapLookUp<'_>| match look_up.needs() {
        Needs::Words(words) => Prefetch.near(words),
        Needs::Row(Some(row)) => Prefetch.near(row),
        Needs::Row(None) | Needs::Record(_) => {}
    };
    let begin = |address: &IpAddr| {
        let look_up = map.begin(*address);
        ask_for(&look_up);
        look_up
    };
    let mut all: ArrayVec<_, BATCH> = batch.iter().map(begin).collect();
    for _ in 0..STEPS {
        for look_up in &mut all {
            look_up.step();
            ask_for(look_up);
        }
    }
    all
}

/// A plain set, and one for each of the regions that are on offer.
fn world(map: LatencyMap) -> World {
    let set = |owner: &str, routing: Routing| {
        let owner = Name::parse(&format!("{owner}.example.test")).expect("a name");
        let mut set = RecordSet::simple(owner, RecordType::A, 60, vec!["192.0.2.1".to_owned()]);
        if let Routing::Latency(region) = &routing {
            set.key.set_identifier = Some(region.as_str().to_owned());
        }
        set.routing = routing;
        set
    };
    let region = |RegionIndex(number): RegionIndex| Region::stored(&region_name(number));
    let plain = vec![set("plain", Routing::Simple)];
    let fast = OFFERED.map(|number| set("fast", Routing::Latency(region(number))));
    let meta = ZoneMeta {
        zone: ZoneId::new("Z1").expect("an id"),
        apex: Name::parse("example.test").expect("a name"),
        generation: Generation(1),
        created_at: Timestamp(0),
        views: 1 << VIEW.0,
        last_changed: 1,
    };
    let groups = [plain, fast.into()];
    let names = groups
        .iter()
        .map(|sets| (&sets[0].key.name, sets.as_slice()));
    let image = ZoneImage::build(KEY, meta, names, Broken::Refuse).expect("they can be answered");
    World::new(KEY, vec![Arc::new(image)]).with_latency_map(Arc::new(map))
}

/// The time of an answer to a query for this owner's address that tells one of these as the client's
/// subnet, in batches as a name server answers them when it has much to do.
fn answers(world: &World, owner: &str, asked: &[IpAddr]) -> Vec<Duration> {
    let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    query.push(u8::try_from(owner.len()).expect("a label"));
    query.extend(owner.as_bytes());
    query.extend(b"\x07example\x04test\x00\x00\x01\x00\x01");
    query.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0]);
    let mut queries = vec![[query.as_slice(), &[0; 3]].concat(); BATCH];
    let mut rooms = vec![[0; 1232]; BATCH];
    let (mut scratch, identity) = (Scratch::new(Prefetch), Identity::default());
    rounds(|| {
        per(LOOK_UPS, || {
            let batches = asked.chunks_exact(BATCH).cycle();
            for (batch, seed) in batches.zip(0..(LOOK_UPS / BATCH) as u64) {
                for (query, address) in queries.iter_mut().zip(batch) {
                    let IpAddr::V4(address) = address else {
                        continue;
                    };
                    if let Some(subnet) = query.last_chunk_mut() {
                        let [a, b, c, _] = address.octets();
                        *subnet = [a, b, c];
                    }
                }
                let both = queries.iter().zip(&mut rooms);
                let mut packets: ArrayVec<_, BATCH> =
                    both.map(|(query, room)| packet(query, room)).collect();
                let mut outcomes = [Outcome::Drop; BATCH];
                let moment = Moment { now_s: 0, seed };
                answer(
                    &mut scratch,
                    world,
                    &identity,
                    &mut packets,
                    &mut outcomes,
                    moment,
                );
                assert!(!black_box(outcomes).contains(&Outcome::Drop), "all are due");
            }
        })
    })
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
        name: region_name(number).into(),
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

fn region_name(number: u8) -> String {
    format!("region-{number:02}")
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
