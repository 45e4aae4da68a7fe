//! Any sequence of writes gives a message within its limit that crate `domain` reads back with
//! the same records.

use domain::base::iana::Class;
use domain::base::name::Name;
use domain::base::opt::UnknownOptData;
use domain::base::{Message, ParsedName, Record, ToName, UnknownRecordData};
use meridian_dns::message::{
    ClientSubnet, ExtendedError, Full, Owner, Query, Reply, ReplyEdns, Section, ZoneVersion,
};
use proptest::collection::vec;
use proptest::prelude::*;

const SECTIONS: [Section; 3] = [Section::Answer, Section::Authority, Section::Additional];

/// A record as it is to be read back: owner in wire form, type, TTL, data.
type Expected = (Vec<u8>, u16, u32, Vec<u8>);

#[derive(Debug, Clone)]
enum Write {
    /// The owner is the question's suffix of that many labels less.
    AtQuestion(u8, u32, Vec<u8>),
    Named(Vec<u8>, u32, Vec<u8>),
    NextSection,
    Mark,
    Rewind,
    Truncate,
}

fn write() -> impl Strategy<Value = Write> {
    let data = || vec(any::<u8>(), 0..60);
    prop_oneof![
        4 => (0..4u8, any::<u32>(), data()).prop_map(|(skip, ttl, data)| Write::AtQuestion(skip, ttl, data)),
        4 => (name(), any::<u32>(), data()).prop_map(|(name, ttl, data)| Write::Named(name, ttl, data)),
        2 => Just(Write::NextSection),
        1 => Just(Write::Mark),
        1 => Just(Write::Rewind),
        1 => Just(Write::Truncate),
    ]
}

/// Names of few letters, so that suffixes are often shared, in either case.
fn name() -> impl Strategy<Value = Vec<u8>> {
    vec("[aAbB]{1,2}", 0..6).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label.as_bytes());
        }
        wire.push(0);
        wire
    })
}

fn query(name: &[u8]) -> Vec<u8> {
    let mut packet = b"\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
    packet.extend(name);
    packet.extend(b"\x00\x10\x00\x01");
    packet
}

/// The suffix of a name with up to `skip` labels taken off, but not the last one.
fn suffix_at(name: &[u8], skip: u8) -> usize {
    let mut at = 0;
    for _ in 0..skip {
        let next = at + usize::from(name[at]) + 1;
        if name[next.min(name.len() - 1)] == 0 {
            break;
        }
        at = next;
    }
    at
}

/// What was written, kept the simple way.
#[derive(Debug, Clone, Default)]
struct Model {
    section: usize,
    records: [Vec<Expected>; 3],
    truncated: bool,
}

impl Model {
    fn apply(&mut self, reply: &mut Reply<'_>, write: &Write, name: &[u8]) {
        let (owner, wire, ttl, data) = match write {
            Write::AtQuestion(skip, ttl, data) => {
                let at = suffix_at(name, *skip);
                let owner = Owner::QuestionAt(u8::try_from(at).unwrap());
                (owner, name[at..].to_vec(), *ttl, data)
            }
            Write::Named(owner, ttl, data) => (Owner::Name(owner), owner.clone(), *ttl, data),
            _ => return,
        };
        let room = reply.room();
        let (front, back) = data.split_at(data.len() / 2);
        let section = SECTIONS[self.section];
        match reply.record_of_parts(section, owner, 65280, ttl, &[front, back]) {
            Ok(()) => self.records[self.section].push((wire, 65280, ttl, data.clone())),
            Err(Full) => {
                assert!(room < wire.len() + 10 + data.len());
                assert_eq!(reply.room(), room);
            }
        }
    }
}

fn read_back(message: &Message<[u8]>) -> [Vec<Expected>; 3] {
    let (_, answer, authority, additional) = message.sections().unwrap();
    [answer, authority, additional].map(|section| {
        let records = section.limit_to::<UnknownRecordData<_>>();
        records
            .map(|record| record.unwrap())
            .filter(|record| record.rtype().to_int() != 41)
            .map(|record: Record<ParsedName<_>, _>| {
                assert_eq!(record.class(), Class::IN);
                let owner: Name<Vec<u8>> = record.owner().to_name();
                let ttl = record.ttl().as_secs();
                let data: &[u8] = record.data().data();
                (
                    owner.as_slice().to_ascii_lowercase(),
                    record.rtype().to_int(),
                    ttl,
                    data.to_vec(),
                )
            })
            .collect()
    })
}

fn folded(mut records: [Vec<Expected>; 3]) -> [Vec<Expected>; 3] {
    for (owner, ..) in records.iter_mut().flatten() {
        owner.make_ascii_lowercase();
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_writes_are_read_back_by_domain(
        name in name(),
        writes in vec(write(), 0..30),
        limit in 0..1400usize,
        rcode in prop_oneof![0..16u16, Just(16), Just(23)],
        edns in any::<Option<(bool, u8, bool)>>(),
        reserves in any::<bool>(),
    ) {
        let packet = query(&name);
        let query = Query::read(&packet).unwrap();
        let mut buf = [0xee; 1280];
        let Ok(mut reply) = Reply::new(&mut buf, limit, &query) else {
            prop_assert!(limit < packet.len());
            return Ok(());
        };
        let subnet = |source| ClientSubnet { family: 2, source, scope: 1, address: &[9; 4] };
        let edns = edns.map(|(dnssec_ok, source, padded)| ReplyEdns {
            udp_payload: 1232,
            dnssec_ok,
            client_subnet: Some(subnet(source)),
            extended_error: Some(ExtendedError { code: 20, text: "why" }),
            cookie: (source % 2 == 0).then_some([source; 24]),
            zone_version: Some(ZoneVersion { labels: source, serial: 7 }),
            keepalive: Some(100),
            nsid: b"me",
            padded,
        });
        if let Some(edns) = edns.filter(|_| reserves) {
            reply.reserve(edns.wire_len());
        }
        reply.authoritative().rcode(rcode);
        let mut model = Model::default();
        let mut mark = (reply.mark(), model.clone());
        for write in &writes {
            match write {
                Write::NextSection => model.section = 2.min(model.section + 1),
                Write::Mark => mark = (reply.mark(), model.clone()),
                Write::Rewind => {
                    reply.rewind(mark.0);
                    model = mark.1.clone();
                }
                Write::Truncate => {
                    reply.truncate();
                    model = Model { truncated: true, ..Model::default() };
                    mark = (reply.mark(), model.clone());
                }
                write => model.apply(&mut reply, write, &name),
            }
        }
        // An OPT record for which nothing was reserved drops the records.
        let squeezed = edns.is_some() && !reserves && reply.room() < 11;
        if squeezed {
            model = Model { truncated: true, ..Model::default() };
        }
        let len = reply.finish(edns.as_ref());
        prop_assert!(len <= limit.min(1280));
        prop_assert!(buf.get(limit..).is_none_or(|rest| rest.iter().all(|&byte| byte == 0xee)));
        let message = Message::from_slice(&buf[..len]).unwrap();
        let header = message.header();
        prop_assert_eq!((header.id(), header.qr(), header.aa(), header.rd(), header.cd()), (0x1234, true, true, true, false));
        prop_assert_eq!(&buf[12..packet.len()], &packet[12..]);
        prop_assert_eq!(u16::from(header.rcode().to_int()), rcode & 0xf);
        let opt = message.opt();
        let tiny = edns.is_some() && limit < packet.len() + 11;
        prop_assert_eq!(header.tc(), model.truncated || tiny);
        prop_assert_eq!(read_back(message), folded(model.records));
        if let (Some(edns), Some(opt)) = (edns, opt) {
            prop_assert_eq!(opt.dnssec_ok(), edns.dnssec_ok);
            prop_assert_eq!(opt.udp_payload_size(), 1232);
            prop_assert_eq!(opt.rcode(header).to_int(), rcode);
            let options = opt.opt().iter::<UnknownOptData<_>>();
            let last = options.last().map(|option| option.unwrap().code().to_int());
            let limit = limit.min(1280);
            if last == Some(12) {
                prop_assert!(edns.padded && (len.is_multiple_of(468) || len == limit));
            } else {
                prop_assert!(!edns.padded || limit - len < 4);
            }
        } else if edns.is_some() {
            prop_assert!(tiny);
        }
    }
}
