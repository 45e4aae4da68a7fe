//! Answering: batches of any packets, over any transport, into buffers of any size. Every reply
//! fits, can be read, is to its query, and is the same whenever it is asked for.
//!
//! An input is packets one after the other, each behind a head of four bytes: how it comes, whose
//! view it sees, and its length. See `Way` for the first byte. A packet is given as it is, or made
//! from a few bytes, so that names that are there are met more often than by chance.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use meridian_answer::{
    Answered, BATCH, CookieSecret, CookieSecrets, Identity, Moment, Outcome, Packet, Scratch,
    Transport, ViewId, World, answer,
};
use meridian_dns::message::{Query, Unreadable};
use meridian_fuzz::judge;
use meridian_fuzz::world::world;

static WORLD: LazyLock<(World, Vec<Vec<u8>>)> = LazyLock::new(world);

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| Identity {
    server: "ns-1.here".to_owned(),
    version: "meridian 0".to_owned(),
    cookie_secrets: CookieSecrets {
        current: CookieSecret(*b"a cluster secret"),
        accepted: Some(CookieSecret(*b"the one before..")),
    },
});

/// One more than answered, so that the rest is seen to be dropped.
const MAX_PACKETS: usize = BATCH + 1;
const SIZES: [u16; 8] = [0, 11, 12, 40, 300, 512, 1232, u16::MAX];
const QTYPES: [u16; 16] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 43, 64, 65, 252, 255, 257, 0];
const CLASSES: [u16; 4] = [1, 1, 255, 3];
const GUARD: u8 = 0xee;

/// A packet and how it comes.
struct Sent {
    bytes: Vec<u8>,
    view: ViewId,
    transport: Transport,
    client: IpAddr,
    size: usize,
}

/// The first byte of a head: three bits of transport, three of the buffer's size, one for the
/// client's family, one for packets that are made.
#[derive(Clone, Copy)]
struct Way(u8);

fuzz_target!(|input: &[u8]| {
    let sent = packets(input);
    let (outcomes, replies) = answer_all(&sent);
    for (place, (sent, outcome)) in sent.iter().zip(&outcomes).enumerate() {
        let reply = &replies[place];
        match outcome {
            Outcome::Drop => check_drop(sent, place),
            Outcome::Reply(answered) => check_reply(sent, answered, reply),
        }
    }
    assert_eq!(answer_all(&sent), (outcomes, replies));
});

fn packets(mut input: &[u8]) -> Vec<Sent> {
    let mut sent = Vec::new();
    while let Some(([way, view, high, low], rest)) = input.split_first_chunk()
        && sent.len() < MAX_PACKETS
    {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (bytes, rest) = rest.split_at(len);
        let way = Way(*way);
        sent.push(Sent {
            bytes: if way.is_made() {
                made(bytes)
            } else {
                bytes.to_vec()
            },
            view: ViewId(view % 64),
            transport: way.transport(),
            client: way.client(),
            size: way.size(),
        });
        input = rest;
    }
    sent
}

impl Way {
    fn transport(self) -> Transport {
        match self.0 & 7 {
            0 => Transport::Udp { max_payload: 512 },
            1 => Transport::Udp { max_payload: 1232 },
            2 => Transport::Udp { max_payload: 4096 },
            3 => Transport::Udp {
                max_payload: u16::MAX,
            },
            4 => Transport::Tcp { idle: 100 },
            5 => Transport::Tls { idle: 70 },
            6 => Transport::Quic,
            _ => Transport::Https,
        }
    }

    fn size(self) -> usize {
        // Turned over, so that the least input has room for any reply.
        SIZES[usize::from(!self.0 >> 3 & 7)].into()
    }

    fn client(self) -> IpAddr {
        if self.0 & 0x40 == 0 {
            Ipv4Addr::new(192, 0, 2, 77).into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        }
    }

    fn is_made(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// A query for a name that is there, or near one. Bytes: which name (two), how many of its labels
/// are left out, type, class and capitals, label in front of it (none if empty), then what follows
/// the question; its count is 1 if there is anything.
fn made(bytes: &[u8]) -> Vec<u8> {
    let byte = |place: usize| bytes.get(place).copied().unwrap_or_default();
    let names = &WORLD.1;
    let which = usize::from(u16::from_be_bytes([byte(0), byte(1)]));
    let mut name = names[which % names.len()].as_slice();
    for _ in 0..byte(2) % 4 {
        name = &name[if name[0] == 0 {
            0
        } else {
            usize::from(name[0]) + 1
        }..];
    }
    let (qtype, class) = (
        QTYPES[usize::from(byte(3) & 15)],
        CLASSES[usize::from(byte(4) & 3)],
    );
    let label_len = usize::from(byte(5) & 63);
    let rest = bytes.get(6..).unwrap_or_default();
    let (label, rest) = rest.split_at(label_len.min(rest.len()));
    let mut packet = vec![0x12, 0x34, byte(3) >> 7, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet[11] = u8::from(!rest.is_empty());
    if !label.is_empty() {
        packet.push(u8::try_from(label.len()).expect("63 at most"));
        packet.extend(label);
    }
    packet.extend(name);
    if byte(4) & 0x80 != 0 {
        packet[12..].make_ascii_uppercase();
    }
    packet.extend(qtype.to_be_bytes());
    packet.extend(class.to_be_bytes());
    packet.extend(rest);
    packet
}

fn answer_all(sent: &[Sent]) -> (Vec<Outcome>, Vec<Vec<u8>>) {
    let mut replies: Vec<_> = sent.iter().map(|sent| vec![GUARD; sent.size]).collect();
    let mut batch = Vec::new();
    for (sent, reply) in sent.iter().zip(&mut replies) {
        batch.push(Packet {
            query: &sent.bytes,
            client: sent.client,
            view: sent.view,
            transport: sent.transport,
            reply,
        });
    }
    let mut outcomes = vec![Outcome::Drop; sent.len()];
    let moment = Moment {
        now_s: 1_700_000_000,
        seed: 7,
    };
    let scratch = &mut Scratch::default();
    answer(
        scratch,
        &WORLD.0,
        &IDENTITY,
        &mut batch,
        &mut outcomes,
        moment,
    );
    (outcomes, replies)
}

/// Only what is no query, or has no room for its reply.
fn check_drop(sent: &Sent, place: usize) {
    let read = Query::read(&sent.bytes);
    let question_end = read.map_or(0, |query| query.question_end);
    let no_query = matches!(read, Err(Unreadable::Drop));
    assert!(no_query || place >= BATCH || sent.size < question_end.max(12));
}

fn check_reply(sent: &Sent, answered: &Answered, buffer: &[u8]) {
    let len = usize::from(answered.len);
    let query = &sent.bytes;
    let limit = match (sent.transport, Query::read(query).map(|query| query.edns)) {
        (Transport::Udp { max_payload }, Ok(Some(edns))) => {
            edns.udp_payload.clamp(512, max_payload)
        }
        (Transport::Udp { max_payload }, Err(Unreadable::CookieAlone(query))) => {
            query.edns.udp_payload.clamp(512, max_payload)
        }
        (Transport::Udp { .. }, _) | (_, Err(Unreadable::Header(_))) => 512,
        _ => u16::MAX,
    };
    assert!(
        len <= sent.size && len <= usize::from(limit),
        "{len} bytes of {limit}"
    );
    let reply = judge::read(&buffer[..len]).expect("a reply that can be read");
    assert_eq!(reply.id.to_be_bytes(), query[..2]);
    assert_eq!(reply.flags >> 15, 1, "a reply");
    let (sent_flags, flags) = (u16::from_be_bytes([query[2], query[3]]), reply.flags);
    assert_eq!(
        flags & 0x7900,
        sent_flags & 0x7900,
        "opcode and RD are copied"
    );
    assert_eq!(flags & 0x00f0, 0, "RA, Z, AD and CD are never set");
    if reply.opt.is_some() || answered.rcode < 16 {
        assert_eq!(reply.rcode(), answered.rcode);
    }
    let read = Query::read(query);
    let (question, room) = match &read {
        Ok(query) => (Some(query.question), true),
        Err(Unreadable::Header(header)) => (header.question, sent.size >= 300),
        Err(_) => (None, true),
    };
    let question = question.filter(|_| room || !reply.questions.is_empty());
    let expected = question.map(|question| {
        assert_eq!(answered.qtype, question.qtype);
        let end = 12 + question.name.len() + 4;
        assert_eq!(
            buffer[12..end],
            query[12..end],
            "the question, byte for byte"
        );
        (
            question.name.to_ascii_lowercase(),
            question.qtype,
            question.class,
        )
    });
    assert_eq!(reply.questions, Vec::from_iter(expected));
    if let Ok(query) = &read
        && sent.size >= 300
    {
        assert_eq!(reply.opt.is_some(), query.edns.is_some());
    }
}
