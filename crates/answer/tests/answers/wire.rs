//! Queries as bytes, and replies as crate `domain` reads them.

use std::net::IpAddr;

use domain::base::iana::OptRcode;
use domain::base::opt::{AllOptData, ClientSubnet};
use domain::base::rdata::ComposeRecordData;
use domain::base::{Message, ParsedName, ToName};
use domain::rdata::AllRecordData;
use meridian_answer::{
    Identity, Moment, Outcome, Packet, Scratch, Transport, ViewId, World, answer,
};

use crate::scenario::{Ask, Expected, Record};

/// The packet of a query.
pub(crate) fn packet(ask: &Ask) -> Vec<u8> {
    let mut packet = vec![0xab, 0xcd, ask.opcode << 3 | 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend(ask.name.as_wire());
    packet.extend(ask.qtype.to_be_bytes());
    packet.extend(ask.class.to_be_bytes());
    if let Some(edns) = &ask.edns {
        packet[11] = 1;
        packet.extend([0, 0, 41]);
        packet.extend(edns.payload.to_be_bytes());
        packet.extend([0, edns.version, u8::from(edns.dnssec_ok) << 7, 0]);
        let mut option = Vec::new();
        if let Some((address, len)) = edns.subnet {
            let (family, octets) = match address {
                IpAddr::V4(v4) => (1, v4.octets().to_vec()),
                IpAddr::V6(v6) => (2, v6.octets().to_vec()),
            };
            let told = usize::from(len.div_ceil(8));
            option.extend([0, 8, 0, 4 + len.div_ceil(8), 0, family, len, 0]);
            option.extend(&octets[..told]);
        }
        packet.extend(u16::try_from(option.len()).unwrap().to_be_bytes());
        packet.extend(option);
    }
    packet
}

/// Answers up to a batch of queries.
pub(crate) fn answer_all(world: &World, view: u8, seed: u64, asks: &[Ask]) -> Vec<Vec<u8>> {
    let packets: Vec<Vec<u8>> = asks.iter().map(packet).collect();
    let mut replies = vec![vec![0; 65_535]; asks.len()];
    let mut jobs: Vec<Packet<'_>> = Vec::new();
    for ((ask, packet), reply) in asks.iter().zip(&packets).zip(&mut replies) {
        jobs.push(Packet {
            query: packet,
            client: ask.client,
            view: ViewId(view),
            transport: if ask.tcp {
                Transport::Tcp { idle: 100 }
            } else {
                Transport::Udp { max_payload: 1232 }
            },
            reply,
        });
    }
    let mut outcomes = vec![Outcome::Drop; jobs.len()];
    let (scratch, moment) = (&mut Scratch::default(), Moment { now_s: 0, seed });
    answer(
        scratch,
        world,
        &Identity::default(),
        &mut jobs,
        &mut outcomes,
        moment,
    );
    for (outcome, reply) in outcomes.iter().zip(&mut replies) {
        match outcome {
            Outcome::Reply(answered) => reply.truncate(answered.len.into()),
            Outcome::Drop => reply.clear(),
        }
    }
    replies
}

/// Reads a reply, records sorted within each set (answer) or section, and checks what every
/// reply to this query owes it: id, flags, question, EDNS.
pub(crate) fn read(ask: &Ask, reply: &[u8]) -> Expected {
    let message = Message::from_octets(reply).unwrap();
    let (header, sent) = (message.header(), packet(ask));
    assert_eq!(header.id(), 0xabcd);
    assert!(header.qr() && header.rd() && !header.ra() && !header.ad() && !header.cd());
    assert!(!header.z());
    assert_eq!(header.opcode().to_int(), ask.opcode);
    let question_end = 12 + ask.name.as_wire().len() + 4;
    assert_eq!(reply[4..6], [0, 1], "one question");
    assert_eq!(
        reply[12..question_end],
        sent[12..question_end],
        "the question as sent"
    );
    let limit = match (&ask.edns, ask.tcp) {
        (_, true) => 65_535,
        (Some(edns), false) => usize::from(edns.payload.clamp(512, 1232)),
        (None, false) => 512,
    };
    assert!(reply.len() <= limit, "{} of {limit} bytes", reply.len());
    let (mut extended_error, mut scope) = (None, 0);
    assert_eq!(message.opt().is_some(), ask.edns.is_some(), "OPT if asked");
    if let (Some(opt), Some(edns)) = (message.opt(), &ask.edns) {
        assert_eq!((opt.version(), opt.dnssec_ok()), (0, edns.dnssec_ok));
        let mut subnet = None;
        for option in opt.opt().iter::<AllOptData<_, _>>() {
            match option.unwrap() {
                AllOptData::ClientSubnet(echoed) => subnet = Some(echoed),
                AllOptData::ExtendedError(error) => extended_error = Some(error.code().to_int()),
                other => panic!("{other:?}"),
            }
        }
        let told = edns.subnet.filter(|_| edns.version == 0);
        scope = subnet.map_or(0, |subnet| subnet.scope_prefix_len());
        assert_eq!(
            subnet,
            told.map(|(a, len)| ClientSubnet::new(len, scope, a))
        );
    }
    let opt_rcode = message.opt_rcode();
    Expected {
        rcode: if opt_rcode == OptRcode::BADVERS {
            16
        } else {
            opt_rcode.to_int()
        },
        authoritative: header.aa(),
        truncated: header.tc(),
        extended_error,
        scope,
        sections: sections(&message),
    }
}

fn sections(message: &Message<&[u8]>) -> [Vec<Record>; 3] {
    let (_, answer, authority, additional) = message.sections().unwrap();
    [answer, authority, additional].map(|section| {
        section
            .limit_to::<AllRecordData<_, ParsedName<_>>>()
            .map(|record| record.unwrap())
            .filter(|record| !matches!(record.data(), AllRecordData::Opt(_)))
            .map(|record| {
                let mut data = Vec::new();
                record.data().compose_rdata(&mut data).unwrap();
                Record {
                    owner: record.owner().to_name::<Vec<u8>>().into_octets(),
                    rtype: record.rtype().to_int(),
                    ttl: record.ttl().as_secs(),
                    data,
                }
            })
            .collect()
    })
}

/// Sorts what has no order: records in a set of the answer, records in the other sections, whose
/// owners are also folded, as pointers into the question give them its case.
pub(crate) fn normal(mut reply: Expected) -> Expected {
    let [answer, others @ ..] = &mut reply.sections;
    let same_set = |a: &Record, b: &Record| (&a.owner, a.rtype) == (&b.owner, b.rtype);
    for set in answer.chunk_by_mut(same_set) {
        set.sort();
    }
    for record in others.iter_mut().flatten() {
        record.owner.make_ascii_lowercase();
    }
    for section in others {
        section.sort();
    }
    reply
}
