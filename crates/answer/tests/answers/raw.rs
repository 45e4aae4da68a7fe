//! Queries put together bit by bit, and replies taken apart likewise: for what a well-behaved
//! client would not send, and for options that crate `domain` does not know.

use std::net::IpAddr;

use meridian_answer::{
    Answered, CookieSecret, CookieSecrets, Identity, Moment, Outcome, Packet, Scratch, Transport,
    ViewId, World, answer,
};
use meridian_dns::Name;

use crate::scenario::parse;
use crate::zones;

/// Bits of the header's second word.
pub(crate) const AA: u16 = 0x0400;
pub(crate) const TC: u16 = 0x0200;
pub(crate) const RD: u16 = 0x0100;
pub(crate) const Z: u16 = 0x0040;
pub(crate) const AD: u16 = 0x0020;
pub(crate) const CD: u16 = 0x0010;

pub(crate) const UDP: Transport = Transport::Udp { max_payload: 1400 };
pub(crate) const TCP: Transport = Transport::Tcp { idle: 100 };

/// What is told, and the secret.
pub(crate) fn identity() -> Identity {
    Identity {
        server: "ns-1.here".to_owned(),
        version: "meridian 0".to_owned(),
        cookie_secrets: CookieSecrets {
            current: CookieSecret(*b"a cluster secret"),
            accepted: Some(CookieSecret(*b"the one before..")),
        },
    }
}

/// A zone with every kind of answer, and a zone below it that its parent knows.
pub(crate) fn world() -> World {
    let text = "
zone p.test
p.test 900 SOA ns.p.test. admin.p.test. 16909060 7200 900 1209600 300
p.test 900 NS ns.p.test
www.p.test 60 A 192.0.2.1
alias.p.test 60 CNAME www.p.test
w.p.test ALIAS A w.nowhere.test in=nowhere.test
c.p.test 300 NS ns.c.p.test
d.p.test 300 NS ns.else.example
big.p.test 60 TXT \"{100..140} xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"
zone c.p.test
c.p.test 900 SOA ns.p.test. admin.p.test. 7 7200 900 1209600 300
";
    zones::world(&parse(text).zones)
}

/// A query; `Default` is a plain one for `www.p.test A`.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// The second word of the header: opcode and bits.
    pub(crate) flags: u16,
    /// None for no question at all.
    pub(crate) name: Option<&'static str>,
    pub(crate) qtype: u16,
    pub(crate) class: u16,
    /// What stands behind the question, and how many records it is.
    pub(crate) additional: (u16, Vec<u8>),
}

impl Default for Query {
    fn default() -> Self {
        Self {
            flags: 0,
            name: Some("www.p.test"),
            qtype: 1,
            class: 1,
            additional: (0, Vec::new()),
        }
    }
}

/// An OPT record: payload size, version, flags, options.
pub(crate) fn opt(payload: u16, version: u8, flags: u16, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (code, option) in options {
        data.extend(code.to_be_bytes());
        data.extend(u16::try_from(option.len()).unwrap().to_be_bytes());
        data.extend(*option);
    }
    let mut record = vec![0, 0, 41];
    record.extend(payload.to_be_bytes());
    record.extend([0, version]);
    record.extend(flags.to_be_bytes());
    record.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    record.extend(data);
    record
}

impl Query {
    /// For this name and type.
    pub(crate) fn of(name: &'static str, qtype: u16) -> Self {
        Self {
            name: Some(name),
            qtype,
            ..Self::default()
        }
    }

    /// With an OPT record of version 0 and these options.
    pub(crate) fn with(mut self, options: &[(u16, &[u8])]) -> Self {
        self.additional = (1, opt(1400, 0, 0, options));
        self
    }

    /// With this OPT record.
    pub(crate) fn with_opt(mut self, record: Vec<u8>) -> Self {
        self.additional = (1, record);
        self
    }

    pub(crate) fn packet(&self) -> Vec<u8> {
        let mut packet = vec![0xab, 0xcd];
        let questions = u16::from(self.name.is_some());
        for word in [self.flags, questions, 0, 0, self.additional.0] {
            packet.extend(word.to_be_bytes());
        }
        if let Some(name) = self.name {
            packet.extend(Name::parse(name).unwrap().as_wire());
            packet.extend(self.qtype.to_be_bytes());
            packet.extend(self.class.to_be_bytes());
        }
        packet.extend(&self.additional.1);
        packet
    }
}

/// A reply taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The second word of the header without QR and response code.
    pub(crate) flags: u16,
    /// With the bits of the OPT record.
    pub(crate) rcode: u16,
    /// Questions, answers, authorities, additionals.
    pub(crate) counts: [u16; 4],
    /// Of the OPT record: payload size, version, flags.
    pub(crate) opt: Option<(u16, u8, u16)>,
    pub(crate) options: Vec<(u16, Vec<u8>)>,
    /// Types and data of the other records.
    pub(crate) records: Vec<(u16, Vec<u8>)>,
    pub(crate) len: usize,
    pub(crate) valid_cookie: bool,
}

impl Reply {
    /// The data of the only option with this code.
    pub(crate) fn option(&self, wanted: u16) -> Option<&[u8]> {
        let mut all = self.options.iter().filter(|(code, _)| *code == wanted);
        let (_, data) = all.next()?;
        assert!(all.next().is_none(), "option {wanted} stands twice");
        Some(data)
    }
}

/// Asks as `client` at a time.
pub(crate) fn ask_as(
    identity: &Identity,
    client: &str,
    now_s: u64,
    transport: Transport,
    query: &Query,
) -> Reply {
    exchange(&world(), identity, (client, now_s), transport, query)
}

/// Asks a world of its own.
pub(crate) fn ask_in(
    world: &World,
    identity: &Identity,
    transport: Transport,
    query: &Query,
) -> Reply {
    exchange(
        world,
        identity,
        ("192.0.2.77", 1_700_000_000),
        transport,
        query,
    )
}

fn exchange(
    world: &World,
    identity: &Identity,
    (client, now_s): (&str, u64),
    transport: Transport,
    query: &Query,
) -> Reply {
    let (packet, mut bytes) = (query.packet(), vec![0; 65_535]);
    let client: IpAddr = client.parse().unwrap();
    let view = ViewId(0);
    let mut batch = [Packet {
        query: &packet,
        client,
        view,
        transport,
        reply: &mut bytes,
    }];
    let mut outcomes = [Outcome::Drop];
    let moment = Moment { now_s, seed: 0 };
    let scratch = &mut Scratch::default();
    answer(scratch, world, identity, &mut batch, &mut outcomes, moment);
    let [Outcome::Reply(answered)] = outcomes else {
        panic!("no reply to {query:?}");
    };
    take_apart(&bytes[..usize::from(answered.len)], answered)
}

/// Asks as somebody at some time.
pub(crate) fn ask(transport: Transport, query: &Query) -> Reply {
    ask_as(&identity(), "192.0.2.77", 1_700_000_000, transport, query)
}

fn take_apart(bytes: &[u8], answered: Answered) -> Reply {
    let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    assert_eq!(word(0), 0xabcd);
    assert!(word(2) & 0x8000 != 0, "a reply");
    let mut reply = Reply {
        flags: word(2) & 0x7ff0,
        rcode: word(2) & 0xf,
        counts: [4, 6, 8, 10].map(word),
        opt: None,
        options: Vec::new(),
        records: Vec::new(),
        len: bytes.len(),
        valid_cookie: answered.valid_cookie,
    };
    let skip_name = |mut at: usize| {
        while bytes[at] != 0 && bytes[at] < 0xc0 {
            at += usize::from(bytes[at]) + 1;
        }
        at + if bytes[at] == 0 { 1 } else { 2 }
    };
    let mut at = 12;
    for _ in 0..reply.counts[0] {
        at = skip_name(at) + 4;
    }
    for _ in 0..reply.counts[1..].iter().sum::<u16>() {
        at = skip_name(at);
        let (rtype, data_at) = (word(at), at + 10);
        let end = data_at + usize::from(word(at + 8));
        if rtype == 41 {
            assert!(reply.opt.is_none(), "two OPT records");
            reply.rcode |= u16::from(bytes[at + 4]) << 4;
            reply.opt = Some((word(at + 2), bytes[at + 5], word(at + 6)));
            let mut option_at = data_at;
            while option_at < end {
                let data = option_at + 4..option_at + 4 + usize::from(word(option_at + 2));
                reply
                    .options
                    .push((word(option_at), bytes[data.clone()].to_vec()));
                option_at = data.end;
            }
            assert_eq!(
                (option_at, end),
                (end, bytes.len()),
                "OPT is the last record"
            );
        } else {
            reply.records.push((rtype, bytes[data_at..end].to_vec()));
        }
        at = end;
    }
    assert_eq!(at, bytes.len(), "nothing behind the records");
    assert_eq!(answered.rcode, reply.rcode);
    reply
}
