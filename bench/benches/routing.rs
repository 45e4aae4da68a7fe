//! What a choice costs: whole answers for each policy beside the answer of a plain set, in the
//! process, with a client subnet as resolvers tell one.
//!
//! `cargo bench -p meridian-bench --bench routing`. Each figure is the least of the rounds, in CPU
//! time of the thread: on a machine that does other things it is nearest to the truth.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use meridian_answer::{
    Broken, CidrCollections, Health, Identity, Moment, Outcome, Packet, Scratch, Transport, World,
    ZoneImage, ZoneMeta, answer,
};
use meridian_atlas::{Atlas, Country, Layer, Place, Point, Source};
use meridian_bench::images::{KEY, VIEW};
use meridian_bench::timing::{ROUNDS, cpu};
use meridian_dns::{Name, RecordType};
use meridian_model::{
    AliasTarget, FailoverRole, Generation, GeoLocation, GeoproximityLocation, GeoproximityPlace,
    RecordSet, Region, Routing, SetData, Timestamp, ZoneId,
};

const APEX: &str = "example.test";
/// Answers per round.
const ANSWERS: u32 = 200_000;
/// Networks that the atlas and the collection know.
const NETWORKS: u32 = 10_000;
/// Blocks of the collections that differ in nothing but that.
const BLOCKS: [u32; 3] = [10, 1_000, NETWORKS];
/// From one network that is asked for to the next, where few are: those that each collection has.
const STEP: u32 = NETWORKS / BLOCKS[0];

fn main() {
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let world = world();
    println!("| policy | sets | ns per answer | ns beside the plain set |");
    println!("|---|---|---|---|");
    let sick = world.clone().with_health(sick());
    let plain = least(&world, "plain");
    for (name, sets, world) in [
        ("plain", 1, &world),
        ("simple", 1, &world),
        ("weighted", 2, &world),
        ("weighted", 2, &sick),
        ("many", 100, &world),
        ("many", 100, &sick),
        ("failover", 2, &world),
        ("multivalue", 8, &world),
        ("latency", 8, &world),
        ("geolocation", 8, &world),
        ("geoproximity", 8, &world),
        ("cidr", 8, &world),
        ("alias", 1, &world),
        ("tree", 2, &world),
    ] {
        let ns = least(world, name).as_nanos();
        let more = ns.saturating_sub(plain.as_nanos());
        println!("| {name} | {sets} | {ns} | {more} |");
    }
    println!();
    println!("| blocks of the collection | clients' networks | ns per answer |");
    println!("|---|---|---|");
    for blocks in BLOCKS {
        let ns = of_rounds(&world, &queries(&by_blocks(blocks), STEP)).as_nanos();
        println!("| {blocks} | {} | {ns} |", BLOCKS[0]);
    }
    let ns = of_rounds(&world, &queries(&by_blocks(NETWORKS), 1)).as_nanos();
    println!("| {NETWORKS} | {NETWORKS} | {ns} |");
}

/// The owner of sets for the locations of a collection of so many blocks, and the collection.
fn by_blocks(blocks: u32) -> String {
    format!("cidr-{blocks}")
}

/// Every tenth of the checks that sets have is down.
fn sick() -> Health {
    let ids: Vec<String> = (0..100).step_by(10).map(check).collect();
    Health::of_down(KEY, ids.iter().map(String::as_str))
}

fn check(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A set of a policy with an address, and a check where it has a number for one.
fn set(owner: &str, number: usize, routing: Routing, checked: Option<usize>) -> RecordSet {
    let name = name(owner);
    let values = vec![format!("192.0.2.{}", number + 1)];
    let mut set = RecordSet::simple(name, RecordType::A, 60, values);
    set.key.set_identifier = (routing != Routing::Simple).then(|| format!("{number:03}"));
    set.routing = routing;
    set.health_check_id = checked.map(check);
    set
}

fn alias(owner: &str, number: usize, target: &str, routing: Routing) -> RecordSet {
    let mut alias = set(owner, number, routing, None);
    alias.data = SetData::Alias(AliasTarget {
        zone: id(),
        name: name(target),
        evaluate_target_health: true,
    });
    alias
}

fn name(owner: &str) -> Name {
    Name::parse(&format!("{owner}.{APEX}")).expect("made-up owners are names")
}

fn id() -> ZoneId {
    ZoneId::new("Z1").expect("an id")
}

/// Sets for the locations of a collection.
fn by_location(owner: &str, collection: &str) -> Vec<RecordSet> {
    let location = |n| match n {
        0 => "*".to_owned(),
        _ => n.to_string(),
    };
    let sets = (0..8).map(|n| {
        let collection_id = collection.to_owned();
        let location = location(n);
        let routing = Routing::Cidr {
            collection_id,
            location,
        };
        set(owner, n, routing, None)
    });
    sets.collect()
}

/// A group of each policy.
fn groups() -> Vec<Vec<RecordSet>> {
    let eight = |owner, routing: fn(usize) -> Routing| {
        (0..8).map(|n| set(owner, n, routing(n), None)).collect()
    };
    let role = |primary| match primary {
        0 => Routing::Failover(FailoverRole::Primary),
        _ => Routing::Failover(FailoverRole::Secondary),
    };
    let both = |n| set("failover", n, role(n), Some(n));
    vec![
        vec![set("plain", 0, Routing::Simple, None)],
        vec![set("simple", 0, Routing::Simple, Some(0))],
        (0..2)
            .map(|n| set("weighted", n, Routing::Weighted(7), Some(n)))
            .collect(),
        (0..100)
            .map(|n| set("many", n, Routing::Weighted(7), Some(n)))
            .collect(),
        (0..2).map(both).collect(),
        eight("multivalue", |_| Routing::Multivalue),
        eight("latency", |n| {
            let region = Region::known().nth(n * 4).unwrap_or("us-east-1");
            Routing::Latency(Region::stored(region))
        }),
        eight("geolocation", |n| {
            let country = ["DE", "FR", "US", "JP", "BR", "ZA", "AU", "*"][n];
            Routing::Geolocation(GeoLocation {
                continent: None,
                country: Some(country.to_owned()),
                subdivision: None,
            })
        }),
        eight("geoproximity", |n| {
            let region = Region::known().nth(n * 4).unwrap_or("us-east-1");
            Routing::Geoproximity(GeoproximityLocation {
                place: GeoproximityPlace::Region(region.to_owned()),
                bias: Some(10),
            })
        }),
        by_location("cidr", "c"),
        vec![alias("alias", 0, "weighted", Routing::Simple)],
        (0..2)
            .map(|n| alias("tree", n, ["latency", "weighted"][n], role(n)))
            .collect(),
    ]
}

fn world() -> World {
    let meta = ZoneMeta {
        zone: id(),
        apex: Name::parse(APEX).expect("a name"),
        generation: Generation(1),
        created_at: Timestamp(0),
        views: 1 << VIEW.0,
        last_changed: 1,
    };
    let mut groups = groups();
    groups.extend(BLOCKS.map(|blocks| by_location(&by_blocks(blocks), &by_blocks(blocks))));
    let names = groups
        .iter()
        .map(|sets| (&sets[0].key.name, sets.as_slice()));
    let image = ZoneImage::build(KEY, meta, names, Broken::Refuse);
    let image = image.expect("made-up sets can be answered");
    let mut collections = CidrCollections::new(KEY);
    let locations: Vec<String> = (0..10).map(|n: u32| n.to_string()).collect();
    let block = |n: u32| {
        let location = &*locations[n as usize % locations.len()];
        (address(n).into(), 24, location)
    };
    collections.put("c", (0..NETWORKS).map(block));
    for blocks in BLOCKS {
        let networks = (0..NETWORKS).step_by((NETWORKS / blocks) as usize);
        collections.put(&by_blocks(blocks), networks.map(block));
    }
    World::new(KEY, vec![Arc::new(image)])
        .with_atlas(Arc::new(atlas()))
        .with_cidr_collections(collections)
}

fn address(number: u32) -> std::net::Ipv4Addr {
    (0x0100_0000 + number * 0x0001_0300).into()
}

fn atlas() -> Atlas {
    let mut layer = Layer::new(Source::named("made up"));
    let countries: Vec<Country> = Country::all().collect();
    for number in 0..NETWORKS {
        let degrees = |n: u32| f32::from(u16::try_from(n).unwrap_or(0));
        let place = Place {
            point: Point::new(degrees(number % 140) - 70.0, degrees(number % 350) - 175.0),
            ..Place::in_country(countries[number as usize % countries.len()])
        };
        let network = format!("{}/24", address(number))
            .parse()
            .expect("a network");
        layer.add(network, place).expect("few enough");
    }
    Atlas::new(vec![layer]).expect("few enough")
}

/// The least time of an answer to a query for this owner's address.
fn least(world: &World, owner: &str) -> Duration {
    let queries: Vec<Vec<u8>> = (0..64).map(|n| query(owner, n * 151)).collect();
    of_rounds(world, &queries)
}

/// From every such network on.
fn queries(owner: &str, step: u32) -> Vec<Vec<u8>> {
    let networks = (0..NETWORKS).step_by(step as usize);
    networks.map(|network| query(owner, network)).collect()
}

fn of_rounds(world: &World, queries: &[Vec<u8>]) -> Duration {
    let rounds = (0..ROUNDS).map(|_| round(world, queries));
    rounds.min().unwrap_or_default()
}

fn query(owner: &str, network: u32) -> Vec<u8> {
    let mut packet = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    packet.extend(name(owner).as_wire());
    packet.extend([0, 1, 0, 1]);
    let [a, b, c, _] = address(network).octets();
    packet.extend([
        0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, a, b, c,
    ]);
    packet
}

fn round(world: &World, queries: &[Vec<u8>]) -> Duration {
    let (mut scratch, identity) = (Scratch::default(), Identity::default());
    let mut room = vec![0; 1232];
    let before = cpu();
    for (query, seed) in queries.iter().cycle().zip(0..u64::from(ANSWERS)) {
        let mut outcome = [Outcome::Drop];
        let packet = Packet {
            query,
            client: [127, 0, 0, 1].into(),
            view: VIEW,
            transport: Transport::Udp { max_payload: 1232 },
            reply: &mut room,
        };
        let moment = Moment { now_s: 0, seed };
        answer(
            &mut scratch,
            world,
            &identity,
            &mut [packet],
            &mut outcome,
            moment,
        );
        assert!(black_box(outcome) != [Outcome::Drop], "an answer was due");
    }
    (cpu() - before) / ANSWERS
}
