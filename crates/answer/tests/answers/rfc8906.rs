//! What RFC 8906 wants of servers, section by section: unknown types, bits, opcodes, versions,
//! options and flags get the answer that a client can tell something from.

use crate::raw::{AA, AD, CD, Query, RD, TC, TCP, UDP, Z, ask, opt};

const SOA: u16 = 6;
const NOTIMP: u16 = 4;
const BADVERS: u16 = 16;
const DO: u16 = 0x8000;

fn soa() -> Query {
    Query::of("p.test", SOA)
}

fn soa_with_flags(flags: u16) -> Query {
    Query { flags, ..soa() }
}

#[test]
fn basic_dns_as_in_section_8_1() {
    let with_soa = (0, AA, [1, 1, 0, 0]);
    for (section, query, expected) in [
        ("8.1.1 the zone is served", soa(), with_soa),
        (
            "8.1.2 unknown type",
            Query::of("p.test", 1000),
            (0, AA, [1, 0, 1, 0]),
        ),
        ("8.1.3.1 CD", soa_with_flags(CD), with_soa),
        ("8.1.3.2 AD", soa_with_flags(AD), with_soa),
        ("8.1.3.3 reserved bit", soa_with_flags(Z), with_soa),
        ("8.1.3.4 RD", soa_with_flags(RD), (0, AA | RD, [1, 1, 0, 0])),
        (
            "AA and TC mean nothing in a query",
            soa_with_flags(AA | TC),
            with_soa,
        ),
    ] {
        for transport in [UDP, TCP] {
            let reply = ask(transport, &query);
            let got = (reply.rcode, reply.flags, reply.counts);
            assert_eq!(got, expected, "{section}");
            assert_eq!(reply.opt, None, "{section}: no OPT where none was sent");
        }
    }
}

#[test]
fn unknown_opcodes_as_in_section_8_1_4() {
    for opcode in 1..16_u16 {
        let flags = opcode << 11;
        let header_only = Query {
            flags,
            name: None,
            ..Query::default()
        };
        for (query, questions) in [(header_only, 0), (soa_with_flags(flags), 1)] {
            let reply = ask(UDP, &query);
            let got = (reply.rcode, reply.flags, reply.counts);
            assert_eq!(got, (NOTIMP, flags, [questions, 0, 0, 0]));
        }
        let reply = ask(UDP, &soa_with_flags(flags).with(&[]));
        assert_eq!((reply.rcode, reply.opt), (NOTIMP, Some((1232, 0, 0))));
    }
}

#[test]
fn unknown_classes_are_refused() {
    // HS, NONE, an unassigned one. (CH has names of its own.)
    for class in [4, 254, 1000] {
        let query = Query { class, ..soa() };
        let reply = ask(UDP, &query);
        assert_eq!(
            (reply.rcode, reply.flags, reply.counts),
            (5, 0, [1, 0, 0, 0])
        );
    }
}

#[test]
fn edns_as_in_section_8_2() {
    let known: &[(u16, &[u8])] = &[
        (3, b""),
        (8, b"\x00\x01\x18\x00\xc0\x00\x02"),
        (9, b""),
        (10, b"clientco"),
    ];
    let unknown: &[(u16, &[u8])] = &[(100, b""), (65_001, b"data")];
    let (yes, no) = ((0, [1, 1, 0, 1]), (BADVERS, [1, 0, 0, 1]));
    for (section, record, expected, flags, options) in [
        ("8.2.1 minimal EDNS", opt(1400, 0, 0, &[]), yes, 0, &[][..]),
        ("8.2.2 version", opt(1400, 1, 0, &[]), no, 0, &[]),
        (
            "8.2.3 unknown options",
            opt(1400, 0, 0, unknown),
            yes,
            0,
            &[],
        ),
        (
            "8.2.4 unknown flags",
            opt(1400, 0, 0x7fff, &[]),
            yes,
            0,
            &[],
        ),
        (
            "8.2.5 version and flags",
            opt(1400, 1, 0x40, &[]),
            no,
            0,
            &[],
        ),
        (
            "8.2.6 version and options",
            opt(1400, 1, 0, unknown),
            no,
            0,
            &[],
        ),
        ("8.2.8 DO", opt(1400, 0, DO, &[]), yes, DO, &[]),
        ("8.2.9 version and DO", opt(1400, 255, DO, &[]), no, DO, &[]),
        (
            "8.2.10 defined options",
            opt(1400, 0, 0, known),
            yes,
            0,
            &[8, 10, 3],
        ),
        (
            "8.2.10 of another version",
            opt(1400, 1, 0, known),
            no,
            0,
            &[],
        ),
    ] {
        for transport in [UDP, TCP] {
            let reply = ask(transport, &soa().with_opt(record.clone()));
            assert_eq!((reply.rcode, reply.counts), expected, "{section}");
            assert_eq!(
                reply.flags,
                if reply.rcode == 0 { AA } else { 0 },
                "{section}"
            );
            let told = 1232;
            assert_eq!(reply.opt, Some((told, 0, flags)), "{section}");
            let codes: Vec<u16> = reply.options.iter().map(|(code, _)| *code).collect();
            assert_eq!(codes, options, "{section}");
        }
    }
}

#[test]
fn truncated_responses_as_in_section_8_2_7() {
    let query = Query::of("big.p.test", 16).with_opt(opt(512, 0, DO, &[]));
    let reply = ask(UDP, &query);
    assert_eq!((reply.rcode, reply.flags), (0, AA | TC));
    assert_eq!(
        (reply.counts, reply.opt),
        ([1, 0, 0, 1], Some((1232, 0, DO)))
    );
}

#[test]
fn the_opt_record_is_one_and_at_the_root() {
    let one = opt(1400, 0, 0, &[]);
    let two = [one.clone(), one.clone()].concat();
    let elsewhere = [b"\x01a", &one[..]].concat();
    for (count, additional, told) in [(2, two, true), (1, elsewhere, false)] {
        let query = Query {
            additional: (count, additional),
            ..soa()
        };
        let reply = ask(UDP, &query);
        assert_eq!((reply.rcode, reply.opt.is_some()), (1, told));
    }
    // Anywhere among the additional records (RFC 6891 section 6.1.1).
    let record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x01\x02\x03\x04";
    for additional in [[&record[..], &one].concat(), [&one[..], record].concat()] {
        let query = Query {
            additional: (2, additional),
            ..soa()
        };
        let reply = ask(UDP, &query);
        assert_eq!((reply.rcode, reply.opt.is_some()), (0, true));
    }
}

#[test]
fn extended_errors_go_only_to_who_speaks_edns() {
    let elsewhere = Query::of("else.example", 1);
    let reply = ask(UDP, &elsewhere);
    assert_eq!((reply.rcode, reply.counts), (5, [1, 0, 0, 0]));
    let reply = ask(UDP, &elsewhere.with(&[]));
    assert_eq!(
        (reply.rcode, &reply.option(15).unwrap()[..2]),
        (5, &[0, 20][..])
    );
}
