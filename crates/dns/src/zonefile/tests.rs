//! Files line by line, tables of types and refusals.
#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use super::*;
use crate::{Name, RecordType};

/// What a file is: `owner ttl type value` for records, `line: reason` for refusals.
fn read(file: &str) -> Vec<String> {
    read_at("z.test", file)
}

fn read_at(origin: &str, file: &str) -> Vec<String> {
    let origin = (!origin.is_empty()).then(|| Name::parse(origin).unwrap());
    let mut reader = Reader::new(origin);
    let mut items = Vec::new();
    for line in file.lines() {
        items.extend(reader.line(line.as_bytes()));
        while let Some(item) = reader.generated() {
            items.push(item);
        }
    }
    items.extend(reader.end());
    let shown = items.into_iter().map(|item| match item {
        Item::Record(Record {
            owner,
            ttl,
            rtype,
            value,
            ..
        }) => format!("{owner} {ttl} {rtype} {value}"),
        Item::Refused(refused) => format!("{}: {}", refused.line, refused.reason),
        Item::Include(include) => format!("{}: include {}", include.line, include.file),
    });
    shown.collect()
}

#[test]
fn a_file_as_people_write_them() {
    let file = "\
$TTL 1h ; the default
@       IN SOA ns hostmaster.z.test. ( 2026112101 ; serial
                2h 15M 2w
                1d )
        IN NS   ns
        86400   NS  ns.other.test.
ns      A       192.0.2.1
        AAAA    2001:db8::1
WWW     300 IN CNAME  @
www2    IN 300  CNAME  www
$ORIGIN sub
a       MX      10 mail
*       TXT     \"one two\" three \"a\\\"b\\; c\" ; a comment
";
    let expected = [
        "z.test. 3600 SOA ns.z.test. hostmaster.z.test. 2026112101 7200 900 1209600 86400",
        "z.test. 3600 NS ns.z.test.",
        "z.test. 86400 NS ns.other.test.",
        "ns.z.test. 3600 A 192.0.2.1",
        "ns.z.test. 3600 AAAA 2001:db8::1",
        "www.z.test. 300 CNAME z.test.",
        "www2.z.test. 300 CNAME www.z.test.",
        "a.sub.z.test. 3600 MX 10 mail.sub.z.test.",
        r#"\052.sub.z.test. 3600 TXT "one two" "three" "a\"b; c""#,
    ];
    assert_eq!(read(file), expected);
}

#[test]
fn every_type_becomes_route_53s_text() {
    let table = [
        ("A 192.0.2.1", "A 192.0.2.1"),
        ("AAAA 2001:DB8::1", "AAAA 2001:DB8::1"),
        (
            r#"CAA 0 issue "ca.test; a=b""#,
            r#"CAA 0 issue "ca.test; a=b""#,
        ),
        ("CAA 0 issue ca.test", r#"CAA 0 issue "ca.test""#),
        ("CNAME x", "CNAME x.z.test."),
        ("DS 1 13 2 ( ab cd )", "DS 1 13 2 ab cd"),
        (
            r#"HTTPS 1 . alpn="h3,h2" port=8443 no-default-alpn"#,
            r#"HTTPS 1 . alpn="h3,h2" port="8443" no-default-alpn"#,
        ),
        ("MX 10 .", "MX 10 ."),
        (
            r#"NAPTR 1 2 S "SIP+D2U" "!^.*$!a\\b!" _sip"#,
            r#"NAPTR 1 2 "S" "SIP+D2U" "!^.*$!a\\b!" _sip.z.test."#,
        ),
        ("NS ns", "NS ns.z.test."),
        (r"PTR a\.b\032c.", r"PTR a\056b\040c."),
        (r#"SPF "v=spf1 -all""#, r#"SPF "v=spf1 -all""#),
        ("SRV 1 2 443 host", "SRV 1 2 443 host.z.test."),
        ("SSHFP 1 1 ab ( cd\n ef )", "SSHFP 1 1 ab cd ef"),
        ("SVCB 0 other.test.", "SVCB 0 other.test."),
        ("TLSA 3 1 1 abcdef", "TLSA 3 1 1 abcdef"),
        (r#"TXT "\200\"\\" a\ b"#, r#"TXT "\310\"\\" "a b""#),
        ("TYPE1 192.0.2.1", "A 192.0.2.1"),
        (r"A \# 4 c0000201", "A 192.0.2.1"),
        (r"TYPE16 \# 3 02 6869", r#"TXT "hi""#),
    ];
    for (given, expected) in table {
        let records = read(&format!("n 60 IN {given}"));
        assert_eq!(records, [format!("n.z.test. 60 {expected}")], "{given}");
    }
}

#[test]
fn what_cannot_be_a_record_says_where_and_why() {
    let table = [
        (
            "n 60 IN A \"x",
            "1: a quotation mark is not closed on its line",
        ),
        (
            "n 60 A 192.0.2.1 )",
            "1: a closing parenthesis without an opening one",
        ),
        ("\n\nn 60 A (\n1", "3: a parenthesis is not closed"),
        ("n 60 A 192.0.2.1\\", "1: a backslash at the end of a line"),
        ("n 60 CH TXT x", "1: class CH: Route 53 has IN only"),
        ("n 60 CLASS3 TXT x", "1: class CLASS3: Route 53 has IN only"),
        (
            "n 60 TYPE65280 \\# 1 00",
            "1: type TYPE65280 is none of those that Route 53 has",
        ),
        (
            "n 60 DNAME x",
            "1: type DNAME is none of those that Route 53 has",
        ),
        ("n 60 A \\# 5 c0000201", "1: \\# says 5 bytes, but 4 follow"),
        ("n 60 A \\# 3 c00002", "1: the bytes are no data of type A"),
        ("n 60 A \\# 1 c", "1: \\# has an odd number of digits"),
        (
            "n A 192.0.2.1",
            "1: no TTL: neither here, nor above, nor by $TTL",
        ),
        (
            "n 2147483648 A 1",
            "1: '2147483648' is no TTL: seconds up to 2147483647",
        ),
        ("n 1x A 1", "1: '1x' is no TTL: seconds up to 2147483647"),
        (
            "a..b 1 A 1",
            "1: 'a..b' is no domain name: a label is empty",
        ),
        (
            "a\\256 1 A 1",
            "1: 'a\\\\256' is no domain name: a bad escape",
        ),
        ("n 60 IN", "1: an owner without a type"),
        ("$TTL", "1: $TTL without a time"),
        ("$TTL 1 2", "1: '2' is too much"),
        ("$NOPE", "1: $NOPE is not known"),
        (
            "$GENERATE 1-0 a A 1",
            "1: 1-0: 1 to 65536 lines may be generated",
        ),
        (
            "$GENERATE 0-65536 a A 1",
            "1: 0-65536: 1 to 65536 lines may be generated",
        ),
        (
            "$GENERATE x a A 1",
            "1: 'x' is no range as in 1-100 or 0-62/2",
        ),
        ("$INCLUDE other.zone sub", "1: include other.zone"),
    ];
    for (file, expected) in table {
        assert_eq!(read(file), [expected], "{file}");
    }
    let long = format!("{}.test. 1 A 1", "a".repeat(64));
    assert!(read(&long)[0].ends_with("a label is longer than 63 bytes"));
    let long = format!("{}test. 1 A 1", "a.".repeat(126));
    assert!(read(&long)[0].ends_with("it is longer than 255 bytes"));
    let relative = read_at("", "n 60 A 192.0.2.1");
    assert!(relative[0].ends_with("there is no $ORIGIN"), "{relative:?}");
}

#[test]
fn a_refused_owner_does_not_lend_its_name() {
    let found = read("a 60 A 192.0.2.1\nb..c 60 A 192.0.2.2\n  60 A 192.0.2.3\n");
    assert_eq!(found.len(), 3);
    assert_eq!(
        found[2],
        "3: a record whose owner is not known: that above it was refused"
    );
}

#[test]
fn times_to_live_go_on() {
    let file = "a 60 A 1\nb A 1\n$TTL 5\nc A 1\nd 7 A 1\ne A 1\n";
    let ttls: Vec<String> = read(file)
        .iter()
        .map(|record| record.split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(ttls, ["60", "60", "5", "7", "5"]);
    let minimum = read("@ SOA a. b. 1 2 3 4 1m\nn A 1");
    assert_eq!(minimum[1], "n.z.test. 60 A 1");
    assert_eq!(read("n 1w2d3h4m5s A 1"), ["n.z.test. 788645 A 1"]);
}

#[test]
fn templates_are_filled() {
    let file = "$TTL 60
$GENERATE 1-3/2 host-$ A 192.0.2.$
$GENERATE 9-10 ${0,3}.x CNAME ${-9,2,x}-\\$-${250,0,X}
$GENERATE 18-18 ${0,8,n} PTR p$.test.
";
    let expected = [
        "host-1.z.test. 60 A 192.0.2.1",
        "host-3.z.test. 60 A 192.0.2.3",
        r"009.x.z.test. 60 CNAME 00-\044-103.z.test.",
        r"010.x.z.test. 60 CNAME 01-\044-104.z.test.",
        "2.1.0.0.z.test. 60 PTR p18.test.",
    ];
    assert_eq!(read(file), expected);
    assert_eq!(
        read("$GENERATE 1-9 a..b A 1").len(),
        1,
        "one refusal for all"
    );
}

#[test]
fn an_included_file_has_its_own_origin_owner_and_lines() {
    let mut reader = Reader::new(Some(Name::parse("z.test").unwrap()));
    reader.line(b"a 60 A 1");
    let Some(Item::Include(include)) = reader.line(b"$INCLUDE f sub") else {
        panic!("no include");
    };
    reader.enter(&include);
    let inside = reader.line(b"b A 1");
    assert!(
        matches!(&inside, Some(Item::Record(record)) if record.owner.to_string() == "b.sub.z.test." && record.line == 1),
        "{inside:?}"
    );
    reader.leave();
    let after = reader.line(b"  AAAA ::1");
    assert!(
        matches!(&after, Some(Item::Record(record)) if record.owner.to_string() == "a.z.test." && record.line == 3),
        "{after:?}"
    );
}

#[test]
fn an_endless_entry_is_cut_off() {
    let mut reader = Reader::new(None);
    assert_eq!(reader.line(b"a. 60 TXT ("), None);
    let line = vec![b'x'; 64 * 1024];
    let refused = (0..5).find_map(|_| reader.line(&line));
    assert!(matches!(refused, Some(Item::Refused(_))));
    assert!(matches!(reader.line(b"b. 60 A 1"), Some(Item::Record(_))));
}

#[test]
fn what_is_written_has_decimal_escapes() {
    let name = Name::parse(r"\052.a\056b\001.x").unwrap();
    assert_eq!(owner(&name), r"*.a\046b\001.x.");
    assert_eq!(
        value(RecordType::Txt, r#""a\310" "q\"\\""#).unwrap(),
        r#""a\200" "q\"\\""#
    );
    assert_eq!(value(RecordType::A, "nonsense"), None);
    assert_eq!(value(RecordType::Mx, "1 A\\100.x").unwrap(), r"1 A\064.x.");
}
