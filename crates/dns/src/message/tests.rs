//! Tables of queries and replies as bytes.

use std::net::IpAddr;

use super::codes::{class, ede, qtype, rcode};
use super::*;

/// A query for `example.com A IN` with these flags and counts, and these bytes after it.
fn packet(flags: u16, counts: [u16; 4], tail: &[u8]) -> Vec<u8> {
    let mut packet = vec![0xab, 0xcd];
    packet.extend(flags.to_be_bytes());
    packet.extend(counts.into_iter().flat_map(u16::to_be_bytes));
    packet.extend(b"\x07eXample\x03com\x00\x00\x01\x00\x01");
    packet.extend(tail);
    packet
}

/// An OPT record with these options.
fn opt(options: &[u8]) -> Vec<u8> {
    let mut record = vec![0, 0, 41, 0x10, 0, 0, 0, 0x80, 0];
    record.extend(u16::try_from(options.len()).unwrap().to_be_bytes());
    record.extend(options);
    record
}

fn with_options(options: &[u8]) -> Vec<u8> {
    packet(0, [1, 0, 0, 1], &opt(options))
}

#[track_caller]
fn refused(packet: &[u8]) -> Header<'_> {
    match Query::read(packet) {
        Err(Unreadable::Header(header)) => header,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_query_is_read_in_place() {
    let packet = packet(0x0110, [1, 0, 0, 0], &[]);
    let query = Query::read(&packet).unwrap();
    assert_eq!((query.id, query.opcode), (0xabcd, 0));
    assert!(query.recursion_desired && query.checking_disabled);
    assert_eq!(query.question.name, b"\x07eXample\x03com\x00");
    assert_eq!((query.question.qtype, query.question.class), (1, class::IN));
    assert_eq!(query.edns, None);
    assert_eq!(query.question_end, packet.len());
}

#[test]
fn what_must_not_be_answered_is_dropped() {
    assert_eq!(Query::read(&[]), Err(Unreadable::Drop));
    assert_eq!(Query::read(&[0; 11]), Err(Unreadable::Drop));
    let reply = packet(0x8000, [1, 0, 0, 0], &[]);
    assert_eq!(Query::read(&reply), Err(Unreadable::Drop));
}

#[test]
fn options_are_read() {
    let options = b"\x00\x03\x00\x00\
        \x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02\
        \x00\x0a\x00\x0812345678\
        \xff\xff\x00\x01x";
    let packet = with_options(options);
    let edns = Query::read(&packet).unwrap().edns.unwrap();
    assert_eq!((edns.udp_payload, edns.version), (4096, 0));
    assert!(edns.dnssec_ok && edns.asked.nsid());
    let asked = edns.asked;
    assert!(!(asked.zone_version() || asked.keepalive() || asked.padding()));
    assert_eq!(edns.cookie, Some(&b"12345678"[..]));
    assert_eq!(edns.options, options);
    let (address, len) = edns.client_subnet.unwrap().prefix().unwrap();
    assert_eq!((address, len), (IpAddr::from([192, 0, 2, 0]), 24));
}

#[test]
fn client_subnets_good_and_bad() {
    let read = |subnet: &[u8]| {
        let mut options = vec![0, 8, 0, u8::try_from(subnet.len()).unwrap()];
        options.extend(subnet);
        let packet = with_options(&options);
        Query::read(&packet)
            .ok()
            .map(|query| query.edns.unwrap().client_subnet.unwrap().prefix())
    };
    let v4 = |octets: [u8; 4], len| Some(Some((IpAddr::from(octets), len)));
    assert_eq!(read(&[0, 1, 0, 0]), v4([0; 4], 0));
    assert_eq!(read(&[0, 1, 32, 0, 1, 2, 3, 4]), v4([1, 2, 3, 4], 32));
    assert_eq!(read(&[0, 1, 9, 0, 1, 0x80]), v4([1, 128, 0, 0], 9));
    assert_eq!(read(&[0, 0, 0, 0]), Some(None));
    let v6 = IpAddr::from([0x2001, 0xdb8, 0x100, 0, 0, 0, 0, 0]);
    assert_eq!(
        read(&[0, 2, 40, 0, 0x20, 1, 0xd, 0xb8, 1]),
        Some(Some((v6, 40)))
    );
    for bad in [
        &[0, 1, 24][..],
        &[0, 1, 24, 0, 1, 2],
        &[0, 1, 24, 0, 1, 2, 3, 0],
        &[0, 1, 24, 24, 1, 2, 3],
        &[0, 1, 9, 0, 1, 0xc0],
        &[0, 1, 33, 0, 1, 2, 3, 4, 0],
        &[
            0, 2, 129, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ],
        &[0, 0, 8, 0, 1],
        &[0, 3, 0, 0],
    ] {
        assert_eq!(read(bad), None, "{bad:?}");
    }
    let twice = b"\x00\x08\x00\x04\x00\x01\x00\x00\x00\x08\x00\x04\x00\x01\x00\x00";
    assert!(refused(&with_options(twice)).edns);
}

#[test]
fn malformed_queries_get_formerr() {
    let opt = opt(&[]);
    let two_opts = [opt.clone(), opt.clone()].concat();
    let opt_below_root = [b"\x01a", &opt[..]].concat();
    let record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00";
    let tsig = b"\x00\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x00";
    let tsig_first = [&tsig[..], &opt].concat();
    let tsig_last = [&opt[..], tsig].concat();
    for (counts, tail, edns) in [
        ([1, 0, 0, 0], &b"x"[..], false),
        ([1, 0, 0, 1], b"", false),
        ([1, 0, 0, 1], &opt[..opt.len() - 1], false),
        ([1, 0, 0, 2], &two_opts, true),
        ([1, 0, 0, 1], &opt_below_root, false),
        ([1, 0, 0, 2], &tsig_first, false),
        ([1, 1, 0, 0], record, false),
        ([1, 0, 1, 0], record, false),
        (
            [1, 0, 0, 1],
            b"\x40\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00",
            false,
        ),
    ] {
        let packet = packet(0x0100, counts, tail);
        let header = refused(&packet);
        assert_eq!((header.id, header.rcode), (0xabcd, rcode::FORMERR));
        assert!(header.question.is_some() && header.recursion_desired);
        assert_eq!(header.edns, edns, "{counts:?} {tail:?}");
    }
    for (counts, tail) in [([1, 0, 0, 1], &record[..]), ([1, 0, 0, 2], &tsig_last)] {
        assert!(Query::read(&packet(0, counts, tail)).is_ok());
    }
    for counts in [[0, 0, 0, 0], [2, 0, 0, 0], [0xffff; 4]] {
        assert_eq!(refused(&packet(0, counts, &[])).question, None);
    }
    for options in [&b"\x00"[..], b"\x00\x03\x00\x01", b"\x00\x0a\x00\x04abcd"] {
        assert!(refused(&with_options(options)).edns);
    }
}

#[test]
fn the_question_must_be_whole_and_uncompressed() {
    let header = [0xab, 0xcd, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for question in [
        &b""[..],
        b"\x00",
        b"\x00\x00\x01\x00",
        b"\xc0\x0c\x00\x01\x00\x01",
        b"\x01a\xc0\x0c\x00\x01\x00\x01",
        b"\x40a\x00\x00\x01\x00\x01",
    ] {
        let packet = [&header[..], question].concat();
        assert_eq!(refused(&packet).question, None);
    }
    let root = [&header[..], b"\x00\x00\x02\x00\x01"].concat();
    assert_eq!(Query::read(&root).unwrap().question.name, [0]);
}

#[test]
fn an_ixfr_query_brings_its_soa() {
    let mut packet = packet(
        0,
        [1, 0, 1, 0],
        b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x00",
    );
    packet[26] = 251;
    assert_eq!(Query::read(&packet).unwrap().question.qtype, qtype::IXFR);
}

#[test]
fn other_opcodes_get_notimp_with_what_could_be_read() {
    let notify = packet(0x2400, [1, 0, 0, 1], &opt(&[]));
    let header = refused(&notify);
    assert_eq!((header.opcode, header.rcode), (4, rcode::NOTIMP));
    assert!(header.question.is_some() && header.edns);
    let bare = [0, 1, 0x78, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(refused(&bare).rcode, rcode::NOTIMP);
    let mut buf = [0; 512];
    assert_eq!(error_reply(&mut buf, 512, &refused(&bare), 1232), 12);
    assert_eq!(buf[..12], [0, 1, 0xf8, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn another_version_is_left_to_the_caller_with_its_options_unread() {
    let mut packet = with_options(b"\xff");
    packet[35] = 1;
    let edns = Query::read(&packet).unwrap().edns.unwrap();
    assert_eq!((edns.version, edns.options), (1, &b"\xff"[..]));
}

#[test]
fn an_error_reply_repeats_the_question_and_the_presence_of_opt() {
    let packet = packet(0x0100, [1, 0, 0, 1], &opt(b"\x00"));
    let header = refused(&packet);
    let mut buf = [0xee; 512];
    let len = error_reply(&mut buf, 512, &header, 1232);
    let mut expected = self::packet(0x8101, [1, 0, 0, 1], &[]);
    expected.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(buf[..len], expected);
    assert_eq!(error_reply(&mut buf, 20, &header, 1232), 12);
    assert_eq!(buf[5], 0);
    assert_eq!(error_reply(&mut buf, 11, &header, 1232), 0);
}

#[test]
fn a_reply_is_written_byte_for_byte() {
    let packet = packet(0x0110, [1, 0, 0, 0], &[]);
    let query = Query::read(&packet).unwrap();
    let mut buf = [0; 512];
    let mut reply = Reply::new(&mut buf, 512, &query).unwrap();
    reply.authoritative().rcode(rcode::NXDOMAIN);
    let soa = [&b"\x00"[..], b"\x01a\x00"];
    reply
        .record_of_parts(Section::Authority, Owner::QuestionAt(8), 6, 60, &soa)
        .unwrap();
    let name = Owner::Name(b"\x02ns\x07EXAMPLE\x03com\x00");
    reply
        .record(Section::Additional, name, 1, 5, &[192, 0, 2, 1])
        .unwrap();
    assert_eq!(reply.count(Section::Authority), 1);
    let len = reply.finish(None);
    let mut expected = self::packet(0x8503, [1, 0, 1, 1], &[]);
    expected.extend(b"\xc0\x14\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x04\x00\x01a\x00");
    expected.extend(b"\x02ns\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\xc0\x00\x02\x01");
    assert_eq!(buf[..len], expected);
}

#[test]
fn the_opt_record_carries_subnet_error_and_the_high_bits_of_the_code() {
    let packet = with_options(b"\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02");
    let query = Query::read(&packet).unwrap();
    let subnet = query.edns.unwrap().client_subnet.unwrap();
    let edns = ReplyEdns {
        udp_payload: 1232,
        dnssec_ok: true,
        client_subnet: Some(ClientSubnet {
            scope: 20,
            ..subnet
        }),
        extended_error: Some(ExtendedError {
            code: ede::NOT_AUTHORITATIVE,
            text: "no",
        }),
        nsid: b"x",
        ..ReplyEdns::default()
    };
    let expected = b"\x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x18\
        \x00\x08\x00\x07\x00\x01\x18\x14\xc0\x00\x02\
        \x00\x03\x00\x01x\
        \x00\x0f\x00\x04\x00\x14no";
    assert_eq!(edns.wire_len(), expected.len());
    let mut buf = [0; 512];
    let mut reply = Reply::new(&mut buf, 512, &query).unwrap();
    reply.reserve(edns.wire_len()).rcode(rcode::BADVERS);
    let len = reply.finish(Some(&edns));
    assert_eq!(buf[..len], self::packet(0x8000, [1, 0, 0, 1], expected));
    // With room for less, the options that matter least are left out.
    let reply = Reply::new(&mut buf, 29 + 22, &query).unwrap();
    let len = reply.finish(Some(&edns));
    assert_eq!(len, 29 + 22);
    assert_eq!(buf[38..40], [0, 11]);
}

#[test]
fn a_record_that_does_not_fit_leaves_the_message_as_it_was() {
    let packet = packet(0, [1, 0, 0, 0], &[]);
    let query = Query::read(&packet).unwrap();
    let mut buf = [0; 512];
    let mut reply = Reply::new(&mut buf, packet.len() + 16 + 11, &query).unwrap();
    reply.reserve(11);
    let owner = Owner::QuestionAt(0);
    let long = &[0; 5];
    assert_eq!(reply.record(Section::Answer, owner, 1, 0, long), Err(Full));
    assert_eq!(reply.room(), 16);
    let start = reply.mark();
    reply.record(Section::Answer, owner, 1, 0, &[0; 4]).unwrap();
    assert_eq!(reply.room(), 0);
    reply.rewind(start);
    reply.record(Section::Answer, owner, 1, 0, &[1; 4]).unwrap();
    let after = reply.mark();
    let huge = [0; 40_000];
    assert_eq!(
        reply.record_of_parts(Section::Answer, owner, 1, 0, &[&huge, &huge]),
        Err(Full)
    );
    reply.truncate();
    reply.rewind(after);
    let len = reply.finish(Some(&ReplyEdns::default()));
    assert_eq!(len, packet.len() + 11);
    assert_eq!(buf[2..12], [0x82, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn an_owner_stands_in_a_message_once() {
    let packet = packet(0, [1, 0, 0, 0], &[]);
    let query = Query::read(&packet).unwrap();
    let near = b"\x02ns\x07example\x03com\x00";
    let mut buf = [0; 512];
    let mut reply = Reply::new(&mut buf, 512, &query).unwrap();
    let mut lengths = Vec::new();
    let start = reply.mark();
    let owners = [
        &near[..],
        near,
        b"\x02NS\x07example\x03com\x00",
        near,
        b"\x00",
        b"\x00",
    ];
    for owner in owners {
        let room = reply.room();
        let owner = Owner::Name(owner);
        reply.record(Section::Answer, owner, 1, 0, &[]).unwrap();
        lengths.push(room - reply.room() - 10);
    }
    // Once more after a rewind: what a pointer would lead to is gone.
    reply.rewind(start);
    let room = reply.room();
    reply
        .record(Section::Answer, Owner::Name(near), 1, 0, &[])
        .unwrap();
    lengths.push(room - reply.room() - 10);
    assert_eq!(lengths, [5, 2, 5, 5, 1, 1, 5]);
}

#[test]
fn a_name_is_compressed_where_its_end_is_written_in_the_same_case() {
    let packet = packet(0, [1, 0, 0, 0], &[]);
    let query = Query::read(&packet).unwrap();
    let name = query.question.name;
    let suffix = Owner::QuestionAt(0);
    let below = [b"\x03ns1", name].concat();
    let other_case = below.to_ascii_uppercase();
    for (name, labels_len, suffix, expected) in [
        (&below[..], 4, suffix, &b"\x03ns1\xc0\x0c"[..]),
        (name, 0, suffix, b"\xc0\x0c"),
        (&other_case, 4, suffix, &other_case),
        (&below, 4, Owner::Name(name), &below),
        (&below, 3, suffix, &below),
        (&below, 99, suffix, &below),
    ] {
        let mut buf = [0; 512];
        let mut reply = Reply::new(&mut buf, 512, &query).unwrap();
        let name = (name, labels_len, suffix);
        let at = reply.record_of_name(Section::Authority, Owner::QuestionAt(0), 2, 60, name);
        assert_eq!(at, Ok(packet.len() + 12));
        let len = reply.finish(None);
        let (head, data) = buf[..len].split_at(packet.len() + 12);
        let data_len = u16::try_from(data.len()).unwrap();
        assert_eq!(head.last_chunk::<2>(), Some(&data_len.to_be_bytes()));
        assert_eq!(data, expected);
    }
}

#[test]
fn a_failure_leaves_nothing_of_the_answer() {
    let packet = packet(0x0100, [1, 0, 0, 0], &[]);
    let query = Query::read(&packet).unwrap();
    let mut buf = [0; 512];
    let mut reply = Reply::new(&mut buf, 512, &query).unwrap();
    reply.authoritative();
    reply
        .record(Section::Authority, Owner::QuestionAt(0), 1, 0, &[0; 4])
        .unwrap();
    reply.fail(rcode::SERVFAIL);
    assert_eq!(reply.finish(None), packet.len());
    assert_eq!(buf[2..12], [0x81, 2, 0, 1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn an_opt_record_without_reserved_room_truncates() {
    let packet = packet(0, [1, 0, 0, 0], &[]);
    let query = Query::read(&packet).unwrap();
    let mut buf = [0; 512];
    let mut reply = Reply::new(&mut buf, packet.len() + 16, &query).unwrap();
    reply
        .record(Section::Answer, Owner::QuestionAt(0), 1, 0, &[0; 4])
        .unwrap();
    assert_eq!(reply.finish(Some(&ReplyEdns::default())), packet.len() + 11);
    assert_eq!(buf[2..12], [0x82, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    assert!(Reply::new(&mut buf, packet.len() - 1, &query).is_err());
    assert!(Reply::new(&mut buf[..11], 512, &query).is_err());
}
