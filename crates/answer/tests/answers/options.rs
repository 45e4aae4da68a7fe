//! Each option by its own rules: cookies, identity, zone version, keepalive, padding, subnet.

use std::collections::BTreeSet;

use meridian_answer::{Identity, Transport};

use crate::attack::world_of_one_set;
use crate::raw::{AA, Query, Reply, TC, TCP, UDP, ask, ask_as, ask_in, identity, opt};

const NSID: u16 = 3;
const SUBNET: u16 = 8;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const ZONEVERSION: u16 = 19;

const ENCRYPTED: [Transport; 3] = [
    Transport::Tls { idle: 70 },
    Transport::Quic,
    Transport::Https,
];
const NOW: u64 = 1_700_000_000;

/// Queries of which every option here is a part; for the test that nothing allocates.
pub(crate) fn packets() -> Vec<Vec<u8>> {
    let all: &[(u16, &[u8])] = &[
        (NSID, b""),
        (SUBNET, b"\x00\x01\x18\x00\xc0\x00\x02"),
        (COOKIE, b"clientcoserverco"),
        (KEEPALIVE, b""),
        (ZONEVERSION, b""),
        (PADDING, b"\0\0\0"),
    ];
    let alone = Query {
        name: None,
        ..Query::default()
    };
    let queries = [
        Query::of("alias.p.test", 1).with(all),
        Query::of("nowhere.example", 1).with(all),
        chaos("version.bind", 16).with(all),
        alone.with(all),
    ];
    queries.iter().map(Query::packet).collect()
}

fn cookie(option: &[u8]) -> Query {
    Query::default().with(&[(COOKIE, option)])
}

fn from(client: &str, now_s: u64, query: &Query) -> Reply {
    ask_as(&identity(), client, now_s, UDP, query)
}

#[test]
fn a_cookie_is_learned_and_then_known() {
    let first = ask(UDP, &cookie(b"clientco"));
    assert_eq!(
        (first.rcode, first.counts[1], first.valid_cookie),
        (0, 1, false)
    );
    let ours = first.option(COOKIE).unwrap();
    assert_eq!((ours.len(), &ours[..12]), (24, &b"clientco\x01\0\0\0"[..]));
    let again = ask(TCP, &cookie(ours));
    assert!(again.valid_cookie);
    assert_eq!(again.option(COOKIE), Some(ours), "it is still good");
    // Another client with the same cookie, and one whose is forged: answered, but not known.
    let mut forged = ours.to_vec();
    forged[20] ^= 1;
    for (client, shown) in [("192.0.2.78", ours), ("192.0.2.77", &forged)] {
        let reply = from(client, NOW, &cookie(shown));
        assert_eq!(
            (reply.rcode, reply.counts[1], reply.valid_cookie),
            (0, 1, false)
        );
        let fresh = reply.option(COOKIE).unwrap();
        assert!(from(client, NOW, &cookie(fresh)).valid_cookie);
    }
    // An old one is replaced.
    let later = from("192.0.2.77", NOW + 2000, &cookie(ours));
    assert!(later.valid_cookie && later.option(COOKIE) != Some(ours));
}

#[test]
fn every_reply_to_a_cookie_has_one_but_those_that_did_not_read_it() {
    for (query, rcode) in [
        (Query::of("nowhere.p.test", 1), 3),
        (Query::of("nowhere.example", 1), 5),
        (chaos("else.bind", 16), 5),
        (Query::of("p.test", 252), 5),
        (Query::of("w.p.test", 1), 2),
        (Query::of("x.d.p.test", 1), 0),
    ] {
        let reply = ask(UDP, &query.with(&[(COOKIE, b"clientco")]));
        assert_eq!((reply.rcode, reply.option(COOKIE).is_some()), (rcode, true));
    }
    let other_version = Query::default().with_opt(opt(1400, 1, 0, &[(COOKIE, b"clientco")]));
    assert_eq!(ask(UDP, &other_version).options, []);
    for len in [0, 1, 7, 9, 15, 41] {
        let reply = ask(UDP, &cookie(&vec![1; len]));
        assert_eq!((reply.rcode, reply.options), (1, Vec::new()), "{len} bytes");
    }
}

#[test]
fn a_cookie_can_be_asked_for_alone() {
    let alone = |option: &[u8]| {
        let query = Query {
            name: None,
            flags: 0x0100,
            ..Query::default()
        };
        let reply = ask(UDP, &query.with(&[(COOKIE, option)]));
        assert_eq!((reply.flags, reply.counts), (0x0100, [0, 0, 0, 1]));
        reply
    };
    let first = alone(b"clientco");
    assert_eq!((first.rcode, first.valid_cookie), (0, false));
    let ours = first.option(COOKIE).unwrap();
    let again = alone(ours);
    assert_eq!((again.rcode, again.valid_cookie), (0, true));
    let wrong = alone(b"clientcoserverco");
    assert_eq!((wrong.rcode, wrong.valid_cookie), (23, false));
    assert_eq!(wrong.option(COOKIE), Some(ours));
    // Without a cookie it is no query at all; nor with another opcode.
    let bare = Query {
        name: None,
        ..Query::default()
    };
    assert_eq!(ask(UDP, &bare.clone().with(&[(NSID, b"")])).rcode, 1);
    let notify = Query {
        flags: 4 << 11,
        ..bare
    };
    assert_eq!(ask(UDP, &notify.with(&[(COOKIE, b"clientco")])).rcode, 4);
}

#[test]
fn the_identifier_is_told_when_asked_for() {
    let asks = Query::default().with(&[(NSID, b"")]);
    assert_eq!(ask(UDP, &asks).option(NSID), Some(&b"ns-1.here"[..]));
    assert_eq!(ask(UDP, &Query::default().with(&[])).options, []);
    let nobody = Identity::default();
    let reply = ask_as(&nobody, "192.0.2.77", NOW, UDP, &asks);
    assert_eq!(reply.options, []);
    let long = Identity {
        server: "ü".repeat(200),
        ..Identity::default()
    };
    let reply = ask_as(&long, "192.0.2.77", NOW, UDP, &asks);
    assert_eq!(reply.option(NSID), Some("ü".repeat(127).as_bytes()));
}

fn chaos(name: &'static str, qtype: u16) -> Query {
    Query {
        class: 3,
        ..Query::of(name, qtype)
    }
}

#[test]
fn class_chaos_tells_server_and_version() {
    let text = |text: &str| {
        let mut data = vec![u8::try_from(text.len()).unwrap()];
        data.extend(text.as_bytes());
        vec![(16, data)]
    };
    for (name, expected) in [
        ("version.bind", "meridian 0"),
        ("Version.Server", "meridian 0"),
        ("id.server", "ns-1.here"),
        ("HOSTNAME.BIND", "ns-1.here"),
    ] {
        for qtype in [16, 255] {
            let reply = ask(UDP, &chaos(name, qtype));
            assert_eq!(
                (reply.rcode, reply.flags, reply.counts),
                (0, AA, [1, 1, 0, 0])
            );
            assert_eq!(reply.records, text(expected), "{name}");
        }
        let reply = ask(UDP, &chaos(name, 1));
        assert_eq!(
            (reply.rcode, reply.flags, reply.counts),
            (0, AA, [1, 0, 0, 0])
        );
        let nobody = Identity::default();
        let reply = ask_as(&nobody, "192.0.2.77", NOW, UDP, &chaos(name, 16).with(&[]));
        assert_eq!(
            (reply.rcode, reply.flags, reply.counts),
            (5, 0, [1, 0, 0, 1])
        );
        assert_eq!(reply.option(15).map(|data| &data[..2]), Some(&[0, 21][..]));
        // The same names in class IN are nobody's here.
        assert_eq!(ask(UDP, &Query::of(name, 16)).rcode, 5);
    }
    for name in ["authors.bind", "bind", "x.version.bind", ".", "www.p.test"] {
        assert_eq!(ask(UDP, &chaos(name, 16)).rcode, 5, "{name}");
    }
}

#[test]
fn the_version_of_the_zone_goes_with_all_that_comes_from_it() {
    let (p, c) = (&b"\x02\0\x01\x02\x03\x04"[..], &b"\x03\0\0\0\0\x07"[..]);
    for (query, rcode, expected) in [
        (Query::of("www.p.test", 1), 0, Some(p)),
        (Query::of("alias.p.test", 1), 0, Some(p)),
        (Query::of("www.p.test", 28), 0, Some(p)),
        (Query::of("nowhere.p.test", 1), 3, Some(p)),
        // SERVFAIL, and a referral, whose version is that of the zone that refers.
        (Query::of("w.p.test", 1), 2, Some(p)),
        (Query::of("x.d.p.test", 1), 0, Some(p)),
        (Query::of("c.p.test", 6), 0, Some(c)),
        // The parent answers for DS.
        (Query::of("c.p.test", 43), 0, Some(p)),
        (Query::of("nowhere.example", 1), 5, None),
        (Query::of("p.test", 252), 5, None),
        (chaos("version.bind", 16), 0, None),
        (chaos("www.p.test", 16), 5, None),
    ] {
        let reply = ask(UDP, &query.clone().with(&[(ZONEVERSION, b"")]));
        let got = (reply.rcode, reply.option(ZONEVERSION));
        assert_eq!(got, (rcode, expected), "{query:?}");
        assert_eq!(ask(UDP, &query.with(&[])).option(ZONEVERSION), None);
    }
    let told = Query::default().with(&[(ZONEVERSION, p)]);
    assert_eq!(ask(UDP, &told).rcode, 1, "a query brings it empty");
    let other_version = Query::default().with_opt(opt(1400, 1, 0, &[(ZONEVERSION, b"")]));
    assert_eq!(ask(UDP, &other_version).options, []);
}

#[test]
fn a_truncated_reply_keeps_its_options() {
    let options: &[(u16, &[u8])] = &[(COOKIE, b"clientco"), (ZONEVERSION, b""), (NSID, b"")];
    let reply = ask(UDP, &Query::of("big.p.test", 16).with(options));
    assert_eq!((reply.flags, reply.counts), (AA | TC, [1, 0, 0, 1]));
    assert_eq!(reply.options.len(), 3);
}

#[test]
fn options_give_way_to_records_where_there_is_no_longer_transport() {
    let identity = Identity {
        server: "x".repeat(255),
        ..identity()
    };
    let options: &[(u16, &[u8])] = &[
        (SUBNET, &[&[0, 2, 128, 0][..], &[1; 16]].concat()),
        (COOKIE, b"clientco"),
        (ZONEVERSION, b""),
        (KEEPALIVE, b""),
        (NSID, b""),
        (PADDING, b""),
    ];
    let query = Query::of("z", 16).with(options);
    let mut seen = BTreeSet::new();
    // From sets that leave room for everything to the largest that can be stored.
    for bytes in (64_700..65_300).step_by(3) {
        let Some(world) = world_of_one_set("z", bytes) else {
            continue;
        };
        let reply = ask_in(&world, &identity, Transport::Tls { idle: 70 }, &query);
        assert_eq!(
            (reply.flags, reply.records.len()),
            (AA, 20),
            "{bytes} bytes"
        );
        let codes: Vec<u16> = reply.options.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes[..2], [SUBNET, COOKIE], "{bytes} bytes");
        seen.insert(codes);
    }
    assert!(seen.contains(&vec![SUBNET, COOKIE, ZONEVERSION, KEEPALIVE, NSID, PADDING]));
    assert!(seen.iter().any(|codes| !codes.contains(&NSID)));
}

#[test]
fn the_idle_timeout_is_told_where_connections_are_ours() {
    for data in [&b""[..], b"\x00\x64"] {
        let asks = Query::default().with(&[(KEEPALIVE, data)]);
        for (transport, expected) in [
            (UDP, None),
            (TCP, Some(&[0, 100][..])),
            (Transport::Tls { idle: 70 }, Some(&[0, 70])),
            (Transport::Quic, None),
            (Transport::Https, None),
        ] {
            assert_eq!(ask(transport, &asks).option(KEEPALIVE), expected);
        }
    }
    assert_eq!(ask(TCP, &Query::default().with(&[])).options, []);
}

#[test]
fn encrypted_replies_are_padded_when_asked_and_no_others() {
    let asks = |name| {
        let options: &[(u16, &[u8])] = &[(PADDING, b"\0\0"), (NSID, b""), (COOKIE, b"clientco")];
        Query::of(name, 16).with(options)
    };
    for transport in ENCRYPTED {
        for (name, len) in [
            ("www.p.test", 468),
            ("nowhere.example", 468),
            ("big.p.test", 3276),
        ] {
            let reply = ask(transport, &asks(name));
            assert_eq!(reply.len, len, "{name}");
            assert_eq!(reply.options.last().unwrap().0, PADDING);
        }
        let unasked = ask(transport, &Query::of("www.p.test", 16).with(&[(NSID, b"")]));
        assert_eq!(unasked.option(PADDING), None);
    }
    for transport in [UDP, TCP] {
        assert_eq!(ask(transport, &asks("www.p.test")).option(PADDING), None);
    }
}

#[test]
fn the_client_subnet_comes_back_with_scope_0() {
    let longest = [&[0, 2, 128, 0][..], &[1; 16]].concat();
    for subnet in [
        &b"\x00\x01\x18\x00\xc0\x00\x02"[..],
        b"\x00\x01\x00\x00",
        b"\x00\x02\x00\x00",
        // Family 0 with nothing told, which dig sends for +subnet=0.
        b"\x00\x00\x00\x00",
        &longest,
    ] {
        for name in ["www.p.test", "nowhere.p.test", "nowhere.example"] {
            let query = Query::of(name, 1).with(&[(SUBNET, subnet)]);
            assert_eq!(ask(UDP, &query).option(SUBNET), Some(subnet));
        }
        let other = Query::default().with_opt(opt(1400, 1, 0, &[(SUBNET, subnet)]));
        assert_eq!(ask(UDP, &other).options, []);
    }
    // A scope in a query, bits behind the prefix, too many bytes, too few, no such family.
    for subnet in [
        &b"\x00\x01\x18\x18\xc0\x00\x02"[..],
        b"\x00\x01\x17\x00\xc0\x00\x03",
        b"\x00\x01\x18\x00\xc0\x00\x02\x00",
        b"\x00\x01\x18\x00\xc0\x00",
        b"\x00\x03\x08\x00\x01",
        b"\x00\x01\x21\x00\x01\x02\x03\x04\x00",
        b"\x00\x01\x18",
    ] {
        let reply = ask(UDP, &Query::default().with(&[(SUBNET, subnet)]));
        assert_eq!((reply.rcode, reply.options), (1, Vec::new()), "{subnet:?}");
        assert!(reply.opt.is_some());
    }
}

#[test]
fn the_payload_size_that_is_told_is_what_is_taken_whatever_is_sent() {
    for max_payload in [512, 1232, 4096] {
        let udp = Transport::Udp { max_payload };
        for query in [
            Query::default().with(&[]),
            Query::default().with(&[(COOKIE, b"")]),
            Query::default().with_opt(opt(512, 9, 0, &[])),
        ] {
            let reply = ask(udp, &query);
            assert_eq!(reply.opt, Some((1232, 0, 0)));
        }
    }
}
