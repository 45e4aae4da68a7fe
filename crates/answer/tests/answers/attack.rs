//! Hostile packets, hostile buffers, names and sets of every extreme.

use std::net::{IpAddr, Ipv4Addr};

use meridian_answer::{
    BATCH, Broken, Identity, Moment, Outcome, Packet, Scratch, Transport, ViewId, World, ZoneImage,
    answer,
};
use meridian_dns::{Name, RecordType};
use meridian_model::ProbeRights;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::oracle::Oracle;
use crate::scenario::{Ask, Edns, Scenario, Set, Zone, parse};
use crate::wire;
use crate::wire::normal;
use crate::zones::{KEY, meta, rows, with_down, with_targets, world, world_of};

fn set(name: &Name, rtype: RecordType, values: Vec<String>) -> Set {
    Set::simple(name.clone(), rtype, 60, values)
}

fn ask(name: Name, qtype: u16) -> Ask {
    Ask {
        name,
        qtype,
        class: 1,
        opcode: 0,
        client: IpAddr::from([127, 0, 0, 1]),
        tcp: true,
        edns: Some(Edns::default()),
    }
}

/// A world in which every kind of answer can be had, from the files of the scenarios.
pub(crate) fn small_world() -> (World, Vec<Ask>) {
    let mut all = Scenario::default();
    let (mut asks, mut targets) = (Vec::new(), Vec::new());
    for text in [
        include_str!("../scenarios/external/aliases.txt"),
        include_str!("../scenarios/external/health.txt"),
        include_str!("../scenarios/external/subnets.txt"),
        include_str!("../scenarios/delegations.txt"),
        include_str!("../scenarios/wildcards.txt"),
        include_str!("../scenarios/chains.txt"),
        include_str!("../scenarios/edns-and-size.txt"),
        include_str!("../scenarios/routing/aliases.txt"),
        include_str!("../scenarios/routing/cidr.txt"),
        include_str!("../scenarios/routing/failover.txt"),
        include_str!("../scenarios/routing/geolocation.txt"),
        include_str!("../scenarios/routing/geoproximity.txt"),
        include_str!("../scenarios/routing/latency.txt"),
        include_str!("../scenarios/routing/multivalue.txt"),
        include_str!("../scenarios/measured/latency.txt"),
        include_str!("../scenarios/routing/weighted.txt"),
        include_str!("../scenarios/rfc1034.txt"),
    ] {
        let scenario = parse(text);
        all.zones.extend(scenario.zones);
        all.places.extend(scenario.places);
        all.regions.extend(scenario.regions);
        all.measured.extend(scenario.measured);
        all.blocks.extend(scenario.blocks);
        // What is known after the first few queries: in the end it may be nothing any more.
        let known = scenario.queries.iter().map(|query| &query.targets);
        targets.extend(
            known
                .filter(|known| !known.is_empty())
                .take(1)
                .flatten()
                .cloned(),
        );
        asks.extend(scenario.queries.into_iter().map(|query| query.ask));
    }
    let down = ["hc-a", "hc-ca", "hc-e1", "hc-e2", "hc-fra", "hc-p", "hc-t"];
    let world = with_down(world_of(&all), &down.map(str::to_owned));
    (with_targets(world, &targets), asks)
}

/// A change of one packet.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Append(Vec<u8>),
    Insert(Index, u8),
    Remove(Index),
    /// The counts of the header.
    Counts([u8; 4]),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (place(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        place().prop_map(Damage::Cut),
        vec(any::<u8>(), 0..80).prop_map(Damage::Append),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        place().prop_map(Damage::Remove),
        any::<[u8; 4]>().prop_map(|counts| Damage::Counts(counts.map(|count| count % 3))),
    ]
}

fn apply(packet: &mut Vec<u8>, damage: &Damage) {
    let len = packet.len().max(1);
    match damage {
        Damage::Append(bytes) => packet.extend(bytes),
        Damage::Insert(at, byte) => packet.insert(at.index(packet.len() + 1), *byte),
        Damage::Cut(at) => packet.truncate(at.index(len)),
        _ if packet.is_empty() => {}
        Damage::Set(at, byte) => packet[at.index(len)] = *byte,
        Damage::Flip(at, bit) => packet[at.index(len)] ^= 1 << bit,
        Damage::Remove(at) => drop(packet.remove(at.index(len))),
        Damage::Counts(counts) => {
            for (place, count) in packet.iter_mut().skip(5).step_by(2).zip(counts) {
                *place = *count;
            }
        }
    }
}

fn transport() -> impl Strategy<Value = Transport> {
    prop_oneof![
        1 => Just(Transport::Tcp { idle: 100 }),
        2 => any::<u16>().prop_map(|max_payload| Transport::Udp { max_payload }),
    ]
}

/// The length of a buffer, mostly near where replies stop fitting.
fn room() -> impl Strategy<Value = usize> {
    prop_oneof![2 => 0..80usize, 2 => 80..1500usize, 1 => Just(65_535), 1 => Just(100_000)]
}

proptest! {
    #[test]
    fn no_packet_panics_or_writes_past_its_limit(
        packets in vec((any::<Index>(), vec(damage(), 0..6), transport(), room()), 1..=BATCH),
        noise in vec(vec(any::<u8>(), 0..100), 1..=BATCH),
        seed in any::<u64>(),
    ) {
        const UNTOUCHED: u8 = 0xa5;
        let (world, asks) = small_world();
        let mut bytes: Vec<Vec<u8>> = Vec::new();
        for (which, damages, ..) in &packets {
            let mut packet = wire::packet(which.get(&asks));
            damages.iter().for_each(|damage| apply(&mut packet, damage));
            bytes.push(packet);
        }
        let mut jobs: Vec<(&[u8], Transport, Vec<u8>)> = Vec::new();
        for (bytes, (.., transport, room)) in bytes.iter().chain(&noise).zip(packets.iter().cycle()) {
            jobs.push((bytes, *transport, vec![UNTOUCHED; *room]));
        }
        for jobs in jobs.chunks_mut(BATCH) {
            let mut batch: Vec<Packet<'_>> = jobs.iter_mut().map(|(query, transport, reply)| Packet {
                query,
                client: IpAddr::V4(Ipv4Addr::LOCALHOST),
                view: ViewId(0),
                transport: *transport,
                reply,
            }).collect();
            let mut outcomes = vec![Outcome::Drop; batch.len()];
            let moment = Moment { now_s: 0, seed };
            answer(&mut Scratch::default(), &world, &Identity::default(), &mut batch, &mut outcomes, moment);
            for ((query, transport, reply), outcome) in jobs.iter().zip(outcomes) {
                let len = match outcome {
                    Outcome::Reply(answered) => usize::from(answered.len),
                    Outcome::Drop => 0,
                };
                let limit = match transport {
                    // An unreadable query may be told so in 512 bytes whatever the configuration.
                    Transport::Udp { max_payload } => usize::from(*max_payload).max(512),
                    _ => 65_535,
                };
                prop_assert!(len <= limit.min(reply.len()));
                prop_assert!(reply.iter().skip(limit).all(|byte| *byte == UNTOUCHED));
                if len > 0 {
                    prop_assert!(len >= 12);
                    prop_assert_eq!(&reply[..2], &query[..2]);
                    prop_assert_eq!(reply[2] & 0x80, 0x80);
                    prop_assert!(domain::base::Message::from_octets(&reply[..len]).is_ok());
                }
            }
        }
    }

    #[test]
    fn the_deepest_names_are_answered_as_the_oracle_says(
        apexes in vec(0..127usize, 1..4),
        names in vec((0..127usize, any::<bool>(), 0..4u8), 0..20),
        queries in vec((0..128usize, any::<bool>(), any::<bool>()), 1..30),
    ) {
        // At most 127 one-letter labels: 255 bytes with the root.
        let deep = |labels: usize, first: &str| {
            let mut text = vec!["a"; labels];
            text.extend((labels < 127 && !first.is_empty()).then_some(first));
            text.reverse();
            if text.is_empty() { Name::root() } else { Name::parse(&text.join(".")).unwrap() }
        };
        let mut zones = Vec::new();
        for labels in apexes {
            let apex = deep(labels, "");
            let mut sets = vec![set(&apex, RecordType::Soa, vec!["n m 1 2 3 4 5".to_owned()])];
            for (labels, star, kind) in &names {
                let name = deep(*labels, if *star { "*" } else { "" });
                let (rtype, value) = match kind {
                    0 => (RecordType::Ns, deep(127, "").to_string()),
                    _ => (RecordType::A, "192.0.2.1".to_owned()),
                };
                if name.is_within(&apex) && !sets.iter().any(|s| s.name == name && s.rtype == rtype) {
                    sets.push(set(&name, rtype, vec![value]));
                }
            }
            let rights = ProbeRights::Everything;
            zones.push(Zone { apex, views: vec![0], vpcs: None, rights, sets });
        }
        let (world, oracle) = (world(&zones), Oracle::new(&zones));
        for (labels, other, ds) in queries {
            let ask = ask(deep(labels, if other { "b" } else { "" }), if ds { 43 } else { 1 });
            let reply = wire::answer_all(&world, 0, 0, std::slice::from_ref(&ask));
            let reply = normal(wire::read(&ask, &reply[0]));
            let right = oracle.replies(0, &ask).into_iter().map(normal).collect::<Vec<_>>();
            prop_assert!(right.contains(&reply), "{:?}\n{:?}\n{:?}", ask, reply, right);
        }
    }
}

#[test]
fn a_view_that_cannot_be_sees_nothing() {
    let (world, asks) = small_world();
    let ask = asks.iter().find(|ask| !ask.tcp && ask.class == 1).unwrap();
    let read = |view| {
        let reply = wire::answer_all(&world, view, 0, std::slice::from_ref(ask));
        wire::read(ask, &reply[0]).rcode
    };
    assert_eq!([0, 63, 64, 128, 255].map(read), [0, 5, 5, 5, 5]);
}

#[test]
fn packets_beyond_a_batch_are_dropped() {
    let (world, asks) = small_world();
    let asks = vec![asks[0].clone(); BATCH + 1];
    let replies = wire::answer_all(&world, 0, 0, &asks);
    assert!(replies[..BATCH].iter().all(|reply| !reply.is_empty()));
    assert!(replies[BATCH].is_empty());
}

/// A zone with one TXT set of twenty values whose record data has so many bytes in all.
fn large_zone(owner: &Name, mut bytes: usize) -> Zone {
    let mut texts = Vec::new();
    for i in (0..20usize).rev() {
        // 3,400 bytes each; what is left goes into the last, in strings of up to 255.
        let mut left = if i == 0 { bytes } else { 3400 };
        bytes -= left;
        let mut strings = Vec::new();
        while left > 0 {
            let len = left.min(256) - 1;
            let text = format!("{i:03}{}", "x".repeat(len));
            strings.push(format!("\"{}\"", &text[..len]));
            left -= len + 1;
        }
        texts.push(strings.join(" "));
    }
    let sets = vec![set(owner, RecordType::Txt, texts)];
    Zone {
        apex: Name::parse("z").unwrap(),
        views: vec![0],
        vpcs: None,
        rights: ProbeRights::Everything,
        sets,
    }
}

/// A world of such a zone; none where the set is too large to be sent.
pub(crate) fn world_of_one_set(owner: &str, bytes: usize) -> Option<World> {
    let zone = large_zone(&Name::parse(owner).unwrap(), bytes);
    let rows = rows(&zone.sets);
    let names = rows.values().map(|(name, sets)| (name, sets.as_slice()));
    let image = ZoneImage::build(KEY, meta(&zone, 0), names, Broken::Refuse).ok()?;
    Some(World::new(KEY, vec![image.into()]))
}

#[test]
fn a_set_that_compiles_can_be_sent() {
    let longest = format!(
        "{}.{}.z",
        "x".repeat(59),
        std::array::from_fn::<_, 3, _>(|_| "y".repeat(63)).join(".")
    );
    for owner in ["z", "y.z", &longest] {
        let owner = Name::parse(owner).unwrap();
        let (mut compiled, mut refused) = (0, 0);
        for bytes in (64_700..65_300).step_by(7) {
            let Some(world) = world_of_one_set(&owner.to_string(), bytes) else {
                refused += 1;
                continue;
            };
            compiled += 1;
            let mut ask = ask(owner.clone(), 16);
            let subnet = ("2001:db8::".parse().unwrap(), 128);
            ask.edns.as_mut().unwrap().subnet = Some(subnet);
            let reply = wire::answer_all(&world, 0, 0, std::slice::from_ref(&ask));
            let reply = wire::read(&ask, &reply[0]);
            assert!(!reply.truncated, "{bytes} bytes at {owner}");
            assert_eq!(reply.sections[0].len(), 20);
        }
        assert!(compiled > 0 && refused > 0);
    }
}
