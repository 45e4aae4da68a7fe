//! Reading queries: any bytes are read, refused or dropped, and what is read stands in them.
#![no_main]

use domain::base::{Message, ToName};
use libfuzzer_sys::fuzz_target;
use meridian_dns::message::codes::{opcode, rcode};
use meridian_dns::message::{
    CookieQuery, Edns, HEADER_LEN, Header, Query, Question, Unreadable, error_reply,
};
use meridian_fuzz::judge::{self, is_inside};

/// An A record without data at the root. Nobody who reads a query looks at it.
const OTHER: [u8; 11] = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];

fuzz_target!(|packet: &[u8]| {
    let read = Query::read(packet);
    match &read {
        Ok(query) => check_query(packet, query),
        Err(Unreadable::Header(header)) => check_header(packet, header),
        Err(Unreadable::CookieAlone(query)) => check_cookie_alone(packet, query),
        Err(Unreadable::Drop) => {
            let reply = packet.get(2).is_some_and(|high| high & 0x80 != 0);
            assert!(packet.len() < HEADER_LEN || reply);
        }
    }
    let question = match &read {
        Ok(query) => Some(query.question),
        Err(Unreadable::Header(header)) => header.question,
        Err(_) => None,
    };
    if let Some(question) = question {
        check_other_way(packet, &question, read);
    }
});

/// The usual query is read in one pass, any other with care. A record that says nothing makes one
/// of the other kind, which must be read as the same.
fn check_other_way(
    packet: &[u8],
    question: &Question<'_>,
    read: Result<Query<'_>, Unreadable<'_>>,
) {
    let counts = &packet[6..HEADER_LEN];
    let additional = u16::from_be_bytes([counts[4], counts[5]]);
    let Some(more) = additional.checked_add(1) else {
        return;
    };
    if counts[..4] != [0; 4] {
        return;
    }
    let (head, tail) = packet.split_at(HEADER_LEN + question.name.len() + 4);
    let mut other = [head, &OTHER, tail].concat();
    other[10..12].copy_from_slice(&more.to_be_bytes());
    assert_eq!(Query::read(&other), read);
}

fn check_query(packet: &[u8], query: &Query<'_>) {
    assert_eq!(query.opcode, opcode::QUERY);
    check_head(packet, (query.id, query.opcode, query.recursion_desired));
    check_question(packet, &query.question);
    let end = HEADER_LEN + query.question.name.len() + 4;
    assert_eq!(query.question_end, end);
    let message = Message::from_slice(packet).expect("as long as a header");
    assert_eq!(query.checking_disabled, message.header().cd());
    let known = message.opt();
    // The options of other versions may be anything, and pointers in front of records that nobody
    // looks at may lead anywhere; `domain` lets neither pass.
    let is_usual = query.edns.is_none_or(|edns| edns.version == 0) && packet[8..11] == [0; 3];
    if known.is_some() || (is_usual && packet[11] < 2) {
        assert_eq!(known.is_some(), query.edns.is_some());
    }
    if let (Some(known), Some(edns)) = (known, &query.edns) {
        assert_eq!(known.udp_payload_size(), edns.udp_payload);
        assert_eq!(known.version(), edns.version);
        assert_eq!(known.dnssec_ok(), edns.dnssec_ok);
    }
    if let Some(edns) = &query.edns {
        check_edns(packet, edns);
    }
}

fn check_head(packet: &[u8], (id, opcode, recursion_desired): (u16, u8, bool)) {
    let header = Message::from_slice(packet)
        .expect("as long as a header")
        .header();
    assert!(!header.qr());
    assert_eq!(header.id(), id);
    assert_eq!(header.opcode().to_int(), opcode);
    assert_eq!(header.rd(), recursion_desired);
}

fn check_question(packet: &[u8], question: &Question<'_>) {
    assert!(is_inside(question.name, packet));
    let message = Message::from_slice(packet).expect("as long as a header");
    let known = message.first_question().expect("a question");
    let name = known.qname().to_name::<Vec<u8>>();
    assert_eq!(name.as_slice(), question.name);
    assert_eq!(known.qtype().to_int(), question.qtype);
    assert_eq!(known.qclass().to_int(), question.class);
    assert!(meridian_dns::Name::from_wire(question.name).is_ok());
}

fn check_edns(packet: &[u8], edns: &Edns<'_>) {
    assert!(is_inside(edns.options, packet));
    let asked = edns.asked;
    if edns.version != 0 {
        assert_eq!((edns.cookie, edns.client_subnet), (None, None));
        assert!(!asked.nsid() && !asked.zone_version() && !asked.keepalive() && !asked.padding());
    }
    if let Some(cookie) = edns.cookie {
        assert!(is_inside(cookie, edns.options));
        assert!(cookie.len() == 8 || (16..=40).contains(&cookie.len()));
    }
    if let Some(subnet) = edns.client_subnet {
        assert!(is_inside(subnet.address, edns.options));
        assert_eq!(subnet.scope, 0);
        if let Some((address, len)) = subnet.prefix() {
            assert_eq!(address.is_ipv4(), subnet.family == 1);
            assert_eq!(len, subnet.source);
        }
    }
}

fn check_cookie_alone(packet: &[u8], query: &CookieQuery<'_>) {
    check_head(packet, (query.id, opcode::QUERY, query.recursion_desired));
    assert_eq!(packet[4..6], [0, 0]);
    assert!(query.edns.cookie.is_some());
    check_edns(packet, &query.edns);
}

/// What is answered to a query that cannot be read, at every size that leaves something out.
fn check_header(packet: &[u8], header: &Header<'_>) {
    check_head(packet, (header.id, header.opcode, header.recursion_desired));
    let expected = match header.opcode {
        opcode::QUERY => rcode::FORMERR,
        _ => rcode::NOTIMP,
    };
    assert_eq!(header.rcode, expected);
    if let Some(question) = &header.question {
        check_question(packet, question);
    }
    let question_len = header
        .question
        .map_or(0, |question| question.name.len() + 4);
    let opt_len = if header.edns { 11 } else { 0 };
    let whole = HEADER_LEN + question_len + opt_len;
    for limit in [0, 11, 12, 13, HEADER_LEN + opt_len, whole - 1, whole, 512] {
        let mut buffer = [0xee; 600];
        let len = error_reply(&mut buffer, limit, header, 1232);
        assert!(len <= limit);
        assert_eq!(len == 0, limit < HEADER_LEN);
        assert!(buffer[limit..].iter().all(|byte| *byte == 0xee));
        if len == 0 {
            continue;
        }
        let reply = judge::read(&buffer[..len]).expect("a reply that can be read");
        assert_eq!((reply.id, reply.flags >> 15), (header.id, 1));
        assert_eq!(reply.rcode(), header.rcode);
        assert!(reply.sections.iter().all(Vec::is_empty));
        if limit >= whole {
            assert_eq!(len, whole);
            assert_eq!(reply.opt.is_some(), header.edns);
            assert_eq!(
                reply.questions.len(),
                usize::from(header.question.is_some())
            );
        }
    }
}
