//! What is looked up of clients ahead, with a batch: answers are those of queries asked alone, whoever
//! else is asked about beside them.

use std::net::IpAddr;

use meridian_answer::{
    BATCH, Identity, Moment, Outcome, Packet, Scratch, Transport, ViewId, World, answer,
};
use meridian_dns::Name;

use crate::scenario::{Ask, Edns, parse};
use crate::{wire, zones};

/// Networks that a map has numbers for, side by side, in each other and of either family; places
/// where it has none; a VPC.
const ZONES: &str = "
place 198.18.0.0/15 country=DE at=52.5,13.4
place 10.0.0.0/8 country=JP at=35.7,139.7
measured 198.18.0.0/17 eu-central-1=80 us-east-1=20 ap-southeast-1=200
measured 198.18.64.0/18 eu-central-1=90 us-east-1=300 ap-southeast-1=20
measured 198.19.0.0/24 eu-central-1=10 us-east-1=95
measured 127.0.0.0/8 eu-central-1=90 us-east-1=10
measured 2001:db8::/32 eu-central-1=80 us-east-1=20 ap-southeast-1=200
vpc vpc-1 127.1.0.0/16 in=ap-southeast-1

zone a.test
a.test 900 SOA ns1.a.test. admin.a.test. 1 7200 900 1209600 86400
l.a.test 60 A 192.0.2.1 | region=eu-central-1 id=fra
l.a.test 60 A 192.0.2.2 | region=us-east-1 id=iad
l.a.test 60 A 192.0.2.3 | region=ap-southeast-1 id=sin
g.a.test 60 A 192.0.2.4 | country=DE id=de
g.a.test 60 A 192.0.2.5 | country=* id=all
s.a.test 60 A 192.0.2.6

zone private.test vpcs=vpc-1
private.test 900 SOA ns1.private.test. admin.private.test. 1 7200 900 1209600 86400
l.private.test 60 A 192.0.2.1 | region=eu-central-1 id=fra
l.private.test 60 A 192.0.2.3 | region=ap-southeast-1 id=sin
";

const SUBNETS: [Option<(&str, u8)>; 8] = [
    None,
    Some(("198.18.1.0", 24)),
    Some(("198.18.65.0", 24)),
    Some(("198.19.0.0", 24)),
    Some(("10.1.2.0", 24)),
    Some(("2001:db8:1::", 48)),
    Some(("2002:c612:4100::", 40)),
    Some(("0.0.0.0", 0)),
];
const SOURCES: [&str; 5] = [
    "198.18.1.1",
    "::ffff:198.18.65.1",
    "127.0.0.1",
    "127.1.0.1",
    "2001:db8::1",
];
const NAMES: [&str; 5] = [
    "l.a.test",
    "g.a.test",
    "s.a.test",
    "l.private.test",
    "no.b.test",
];

/// The replies to a batch, those of none empty.
fn replies(scratch: &mut Scratch, world: &World, batch: &[(Vec<u8>, IpAddr)]) -> Vec<Vec<u8>> {
    let mut replies = vec![vec![0; 1232]; batch.len()];
    let mut packets: Vec<Packet<'_>> = batch
        .iter()
        .zip(&mut replies)
        .map(|((query, client), reply)| Packet {
            query,
            client: *client,
            view: ViewId(0),
            transport: Transport::Udp { max_payload: 1232 },
            reply,
        })
        .collect();
    let mut outcomes = vec![Outcome::Drop; batch.len()];
    let moment = Moment { now_s: 0, seed: 1 };
    answer(
        scratch,
        world,
        &Identity::default(),
        &mut packets,
        &mut outcomes,
        moment,
    );
    for (reply, outcome) in replies.iter_mut().zip(outcomes) {
        reply.truncate(match outcome {
            Outcome::Reply(answered) => answered.len.into(),
            Outcome::Drop => 0,
        });
    }
    replies
}

/// Every name by every sender for every subnet, in no order, and packets among them that are no
/// queries.
fn asked() -> Vec<(Vec<u8>, IpAddr)> {
    let all = NAMES.len() * SOURCES.len() * SUBNETS.len();
    let ask = |number: usize| {
        // No small number divides it.
        let number = number * 67 % all;
        let subnet = SUBNETS[number % SUBNETS.len()];
        let source = number / SUBNETS.len();
        let name = NAMES[source / SOURCES.len()];
        let source: IpAddr = SOURCES[source % SOURCES.len()].parse().unwrap();
        let edns = subnet.map(|(address, len)| Edns {
            payload: 1232,
            version: 0,
            dnssec_ok: false,
            subnet: Some((address.parse().unwrap(), len)),
        });
        let mut packet = wire::packet(&Ask {
            name: Name::parse(name).unwrap(),
            qtype: 1,
            class: 1,
            opcode: 0,
            tcp: false,
            client: source,
            edns,
        });
        if number.is_multiple_of(7) {
            packet.truncate(packet.len().min(20));
        }
        (packet, source)
    };
    (0..all).map(ask).collect()
}

#[test]
fn answers_of_a_batch_are_those_of_its_queries_alone() {
    let world = zones::world_of(&parse(ZONES));
    let asked = asked();
    let alone = |query: &(Vec<u8>, IpAddr)| {
        let mut scratch = Scratch::default();
        replies(&mut scratch, &world, std::slice::from_ref(query)).remove(0)
    };
    let expected: Vec<Vec<u8>> = asked.iter().map(alone).collect();
    let mut scratch = Scratch::default();
    // The second time, all is looked up ahead that any answer may go by.
    for _ in 0..2 {
        let together: Vec<Vec<u8>> = asked
            .chunks(BATCH)
            .flat_map(|batch| replies(&mut scratch, &world, batch))
            .collect();
        for ((query, expected), reply) in asked.iter().zip(&expected).zip(&together) {
            assert_eq!(reply, expected, "{query:?}");
        }
    }
}
