//! Tables for every type: what is taken, as wire bytes, and what is refused, in which words.

use super::*;
use RecordType::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Value, its wire form in hexadecimal digits, and its canonical text.
#[track_caller]
fn takes(rtype: RecordType, value: &str, wire: &str, canonical: &str) {
    let bytes = parse(rtype, value).unwrap_or_else(|e| panic!("{rtype} {value:?}: {e}"));
    assert_eq!(hex(&bytes), wire.replace(' ', ""), "{rtype} {value:?}");
    assert_eq!(text(rtype, &bytes).as_deref(), Ok(canonical), "{rtype}");
    assert_eq!(parse(rtype, canonical), Ok(bytes), "{rtype} {canonical:?}");
}

/// Value, and the error text without `encountered with`, and the quoted part.
#[track_caller]
fn refuses(rtype: RecordType, value: &str, problem: &str, quoted: &str) {
    match parse(rtype, value) {
        Ok(bytes) => panic!("{rtype} {value:?} was taken as {}", hex(&bytes)),
        Err(error) => assert_eq!(
            error.to_string(),
            format!("{problem} encountered with '{quoted}'")
        ),
    }
}

const NOT_QUOTED: &str = "InvalidCharacterString (Value should be enclosed in quotation marks)";
const UNSUPPORTED: &str = "UnsupportedCharacter (Value contains unsupported characters)";
const BAD_ESCAPE: &str = "InvalidEscape (Value contains an invalid escape sequence)";

#[test]
fn addresses() {
    takes(A, "192.0.2.1", "c0000201", "192.0.2.1");
    takes(A, "  192.0.2.1 ", "c0000201", "192.0.2.1");
    takes(
        Aaaa,
        "2001:DB8::1",
        "20010db8000000000000000000000001",
        "2001:db8::1",
    );
    takes(
        Aaaa,
        "2001:0db8:85a3:0:0:8a2e:0370:7334",
        "20010db885a3000000008a2e03707334",
        "2001:db8:85a3::8a2e:370:7334",
    );
    takes(
        Aaaa,
        "::ffff:192.0.2.1",
        "00000000000000000000ffffc0000201",
        "::ffff:192.0.2.1",
    );
    let v4 = "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)";
    for bad in [
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "0x1.2.3.4",
        "1.2.3.4.",
        "::1",
        "www.example.com",
        "1.2.3.é",
        "1.2.3.4\n",
        "+1.2.3.4",
    ] {
        refuses(A, bad, v4, bad);
    }
    refuses(
        A,
        "1.2.3.4 5.6.7.8",
        "ARRDATANotSingleField (Value contains spaces)",
        "1.2.3.4 5.6.7.8",
    );
    let v6 = "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)";
    for bad in [
        "",
        "192.0.2.1",
        "2001:db8",
        "fe80::1%eth0",
        "1::2::3",
        "::12345",
        "[::1]",
    ] {
        refuses(Aaaa, bad, v6, bad);
    }
}

#[test]
fn names_of_hosts() {
    for rtype in [Cname, Ns, Ptr] {
        takes(
            rtype,
            "Www.Example.com",
            "03577777 074578616d706c65 03636f6d 00",
            "Www.Example.com.",
        );
        takes(rtype, " a\\056b.c. ", "03612e62 0163 00", "a\\056b.c.");
        takes(rtype, ".", "00", ".");
        refuses(rtype, "", "DomainNameEmpty (Domain name is empty)", "");
        refuses(
            rtype,
            "a..b",
            "DomainLabelEmpty (Domain label is empty)",
            "a..b",
        );
        refuses(
            rtype,
            "a b",
            &format!("{rtype}RRDATANotSingleField (Value contains spaces)"),
            "a b",
        );
        refuses(rtype, "a\tb", UNSUPPORTED, "a\tb");
        refuses(rtype, "bücher.example", UNSUPPORTED, "bücher.example");
        refuses(rtype, "a\\9", BAD_ESCAPE, "a\\9");
    }
    takes(Mx, "10 mail.x", "000a 046d61696c 0178 00", "10 mail.x.");
    takes(Mx, "0   .", "0000 00", "0 .");
    let mx = "MXRRDATANotTwoFields (MX record doesn't have 2 fields)";
    refuses(
        Mx,
        "mail.x",
        "MXRRDATAIllegalInteger (Value is not an integer between 0 and 65535)",
        "mail.x",
    );
    refuses(Mx, "10", mx, "10");
    refuses(Mx, "", mx, "");
    refuses(Mx, "10 a b", mx, "10 a b");
    refuses(
        Mx,
        "65536 a",
        "MXRRDATAIllegalInteger (Value is not an integer between 0 and 65535)",
        "65536",
    );
    refuses(
        Mx,
        "+1 a",
        "MXRRDATAIllegalInteger (Value is not an integer between 0 and 65535)",
        "+1",
    );
    takes(
        Srv,
        "1 2 65535 a.b",
        "0001 0002 ffff 0161 0162 00",
        "1 2 65535 a.b.",
    );
    let srv = "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)";
    refuses(
        Srv,
        "1 1 32769 ip.testapi. internal.",
        srv,
        "1 1 32769 ip.testapi. internal.",
    );
    refuses(Srv, "1 2 3", srv, "1 2 3");
}

#[test]
fn soa_has_seven_fields() {
    takes(
        Soa,
        "ns-1.x. host.y. 1 7200 900 1209600 86400",
        "046e732d31 0178 00 04686f7374 0179 00 00000001 00001c20 00000384 00127500 00015180",
        "ns-1.x. host.y. 1 7200 900 1209600 86400",
    );
    takes(
        Soa,
        ". . 4294967295 0 0 0 0",
        "00 00 ffffffff 00000000 00000000 00000000 00000000",
        ". . 4294967295 0 0 0 0",
    );
    let seven = "SOARRDATANotSevenFields (SOA record doesn't have 7 fields)";
    refuses(Soa, "a. b. 1 2 3 4", seven, "a. b. 1 2 3 4");
    refuses(Soa, "a. b. 1 2 3 4 5 6", seven, "a. b. 1 2 3 4 5 6");
    refuses(
        Soa,
        "a. b. 1 2 3 4 4294967296",
        "SOARRDATAIllegalInteger (Value is not an integer between 0 and 4294967295)",
        "4294967296",
    );
    refuses(
        Soa,
        "a. b. 1 2h 3 4 5",
        "SOARRDATAIllegalInteger (Value is not an integer between 0 and 4294967295)",
        "2h",
    );
}

#[test]
fn strings_in_quotation_marks() {
    for rtype in [Txt, Spf] {
        takes(rtype, r#""abc""#, "03616263", r#""abc""#);
        takes(rtype, r#""""#, "00", r#""""#);
        takes(rtype, r#""a""b""#, "0161 0162", r#""a" "b""#);
        takes(rtype, r#" "a"   "b" "#, "0161 0162", r#""a" "b""#);
        takes(
            rtype,
            r#""q\" b\\ o\344 t\011""#,
            "0b 712220625c206fe4207409",
            r#""q\" b\\ o\344 t\011""#,
        );
        takes(rtype, r#""\101""#, "0141", r#""A""#);
        takes(rtype, r#""a\;\n""#, "03613b6e", r#""a;n""#);
        takes(
            rtype,
            r#""v=spf1 ~all; (x)""#,
            "10 763d73706631207e616c6c3b20287829",
            r#""v=spf1 ~all; (x)""#,
        );
        for bad in [
            "",
            "  ",
            "abc",
            r#""abc"#,
            r#""a"b"#,
            r#"a "b""#,
            r#""a" b"#,
            r#"""""#,
            r#""abc\""#,
        ] {
            refuses(rtype, bad, NOT_QUOTED, bad);
        }
        for bad in [r#""a\400""#, r#""\09""#, r#""\8""#, r#""\12""#] {
            refuses(rtype, bad, BAD_ESCAPE, bad);
        }
        for bad in ["\"a\tb\"", "\"\u{7f}\"", "\"é\"", "\"a\"\n\"b\"", "\"\0\""] {
            refuses(rtype, bad, UNSUPPORTED, bad);
        }
        let long = format!("\"{}\"", "x".repeat(256));
        refuses(
            rtype,
            &long,
            "CharacterStringTooLong (Value is too long)",
            &long,
        );
        let most = format!("\"{}\"", "\\344".repeat(255));
        assert_eq!(parse(rtype, &most).unwrap().len(), 256);
        // 4,000 characters are the most, 4,001 one too many.
        let value = format!("\"{}\"", "x".repeat(248)).repeat(16);
        assert_eq!(value.len(), 4000);
        assert!(parse(rtype, &value).is_ok());
        let value = format!("{value} ");
        refuses(
            rtype,
            &value,
            &format!("{rtype}RRDATATooLong (Value is too long)"),
            &value,
        );
    }
}

#[test]
fn caa_has_a_quoted_value() {
    takes(
        Caa,
        r#"0 issue "ca.x; a=b""#,
        "00 05 6973737565 63612e783b20613d62",
        r#"0 issue "ca.x; a=b""#,
    );
    takes(
        Caa,
        r#"128 issuewild ";""#,
        "80 09 697373756577696c64 3b",
        r#"128 issuewild ";""#,
    );
    takes(Caa, r#"0 Issue """#, "00 05 4973737565", r#"0 Issue """#);
    refuses(Caa, "0 issue ca.x", NOT_QUOTED, "0 issue ca.x");
    refuses(
        Caa,
        "0 issue",
        "CAARRDATANotThreeFields (CAA record doesn't have 3 fields)",
        "0 issue",
    );
    refuses(
        Caa,
        r#"0 issue "a" "b""#,
        "CAARRDATANotThreeFields (CAA record doesn't have 3 fields)",
        r#"0 issue "a" "b""#,
    );
    refuses(
        Caa,
        r#"256 issue "a""#,
        "CAARRDATAIllegalInteger (Value is not an integer between 0 and 255)",
        "256",
    );
    refuses(
        Caa,
        r#"0 is-sue "a""#,
        "CAARRDATAIllegalTag (Value is not a valid CAA tag)",
        "is-sue",
    );
    refuses(
        Caa,
        r#"0 "issue" "a""#,
        "CAARRDATAIllegalTag (Value is not a valid CAA tag)",
        "\"issue\"",
    );
}

#[test]
fn naptr_has_three_quoted_fields() {
    takes(
        Naptr,
        r#"100 50 "u" "E2U+sip" "!^(\\+441632960083)$!sip:\\1@x!" ."#,
        "0064 0032 0175 074532552b736970 1d215e285c2b343431363332393630303833292421 7369703a5c31407821 00",
        r#"100 50 "u" "E2U+sip" "!^(\\+441632960083)$!sip:\\1@x!" ."#,
    );
    takes(
        Naptr,
        r#"1 2 """""" a.b"#,
        "0001 0002 00 00 00 0161 0162 00",
        r#"1 2 "" "" "" a.b."#,
    );
    let six = "NAPTRRRDATANotSixFields (NAPTR record doesn't have 6 fields)";
    refuses(Naptr, r#"1 2 "" "" """#, six, r#"1 2 "" "" """#);
    refuses(Naptr, r#"1 2 """#, six, r#"1 2 """#);
    refuses(Naptr, r#"1 2 "" "" "" . x"#, six, r#"1 2 "" "" "" . x"#);
    refuses(Naptr, r#"1 2 u "" "" ."#, NOT_QUOTED, r#"1 2 u "" "" ."#);
    refuses(Naptr, r#"1 2 "" "" ""."#, NOT_QUOTED, r#"1 2 "" "" ""."#);
}

#[test]
fn digests_have_the_length_of_their_type() {
    let sha1 = "2BB183AF5F22588179A53B0A98631FAD1A292118";
    let canonical = sha1.to_lowercase();
    takes(
        Ds,
        &format!("60485 5 1 {sha1}"),
        &format!("ec45 05 01 {canonical}"),
        &format!("60485 5 1 {canonical}"),
    );
    takes(
        Ds,
        "60485 5 1 2BB183AF5F2 2588179A53B0A 98631FAD1A292118 ",
        &format!("ec45 05 01 {canonical}"),
        &format!("60485 5 1 {canonical}"),
    );
    takes(Ds, "1 2 200 ab", "0001 02 c8 ab", "1 2 200 ab");
    refuses(
        Ds,
        "1 2 2 ab",
        "DSRRDATAIllegalDigestLength (Digest must have 32 bytes)",
        "1 2 2 ab",
    );
    refuses(
        Ds,
        "1 2 200 abc",
        "DSRRDATAIllegalHexString (Value is not a valid hexadecimal string)",
        "abc",
    );
    refuses(
        Ds,
        "1 2 200 xy",
        "DSRRDATAIllegalHexString (Value is not a valid hexadecimal string)",
        "xy",
    );
    refuses(
        Ds,
        "1 2 200",
        "DSRRDATANotFourFields (DS record doesn't have 4 fields)",
        "1 2 200",
    );
    takes(
        Sshfp,
        &format!("4 1 {sha1}"),
        &format!("04 01 {canonical}"),
        &format!("4 1 {canonical}"),
    );
    refuses(
        Sshfp,
        "4 2 00",
        "SSHFPRRDATAIllegalDigestLength (Digest must have 32 bytes)",
        "4 2 00",
    );
    refuses(
        Sshfp,
        "4 2",
        "SSHFPRRDATANotThreeFields (SSHFP record doesn't have 3 fields)",
        "4 2",
    );
    takes(Tlsa, "3 1 0 00ff", "03 01 00 00ff", "3 1 0 00ff");
    refuses(
        Tlsa,
        "3 1 2 00ff",
        "TLSARRDATAIllegalDigestLength (Digest must have 64 bytes)",
        "3 1 2 00ff",
    );
    refuses(
        Tlsa,
        "3 256 2 00",
        "TLSARRDATAIllegalInteger (Value is not an integer between 0 and 255)",
        "256",
    );
}

#[test]
fn service_parameters_are_sorted_on_the_wire() {
    for rtype in [Svcb, Https] {
        takes(rtype, "0 foo.x", "0000 03666f6f 0178 00", "0 foo.x.");
        takes(rtype, "1 .", "0001 00", "1 .");
        takes(
            rtype,
            "16 x port=53",
            "0010 0178 00 0003 0002 0035",
            "16 x. port=53",
        );
        takes(
            rtype,
            "1 x key667=hello",
            "0001 0178 00 029b 0005 68656c6c6f",
            r#"1 x. key667="hello""#,
        );
        takes(
            rtype,
            r#"1 x key667="hello\322qoo""#,
            "0001 0178 00 029b 0009 68656c6c6fd2716f6f",
            r#"1 x. key667="hello\322qoo""#,
        );
        takes(rtype, "1 . key667", "0001 00 029b 0000", "1 . key667");
        takes(rtype, "1 . key667=", "0001 00 029b 0000", "1 . key667");
        takes(
            rtype,
            r#"16 foo mandatory=ipv4hint,alpn ipv4hint=192.0.2.1,192.0.2.2 alpn="h2,h3-19""#,
            "0010 03666f6f 00 0000 0004 0001 0004 0001 0009 026832 0568332d3139 0004 0008 c0000201 c0000202",
            r#"16 foo. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1,192.0.2.2"#,
        );
        // RFC 9460 appendix D.2, its escapes in Route 53's octal.
        let escaped = "0010 03666f6f 00 0001 000c 08665c6f6f2c626172 026832";
        let canonical = r#"16 foo. alpn="f\\\\oo\\,bar,h2""#;
        takes(
            rtype,
            r#"16 foo alpn="f\\\\oo\\,bar,h2""#,
            escaped,
            canonical,
        );
        takes(
            rtype,
            r#"16 foo alpn=f\\\134oo\134,bar,h2"#,
            escaped,
            canonical,
        );
        takes(
            rtype,
            "1 . ipv6hint=2001:db8::1 no-default-alpn alpn=h3 ech=AQI= dohpath=/q{?dns} ohttp",
            "0001 00 0001 0003 026833 0002 0000 0005 0002 0102 \
             0006 0010 20010db8000000000000000000000001 0007 0008 2f717b3f646e737d 0008 0000",
            r#"1 . alpn="h3" no-default-alpn ech=AQI= ipv6hint=2001:db8::1 dohpath="/q{?dns}" ohttp"#,
        );
        takes(
            rtype,
            r"1 . key1=\002h2 key3=\001\273",
            "0001 00 0001 0003 026832 0003 0002 01bb",
            r#"1 . alpn="h2" port=443"#,
        );
    }
}

#[test]
fn service_parameters_that_break_rfc_9460() {
    let value = "IllegalParameter (Value is not valid for its service parameter)";
    let key = "IllegalKey (Value is not a valid service parameter key)";
    for (params, problem, quoted) in [
        (
            "port=1 port=2",
            "DuplicateKey (Service parameter is given more than once)",
            "port",
        ),
        (
            "port=1 key3=\\000\\001",
            "DuplicateKey (Service parameter is given more than once)",
            "key3",
        ),
        ("Alpn=h2", key, "Alpn"),
        ("=h2", key, ""),
        ("key65535=a", key, "key65535"),
        ("key07=a", key, "key07"),
        ("key65536", key, "key65536"),
        ("port", value, "port"),
        ("port=65536", value, "port"),
        ("port=+1", value, "port"),
        ("key3=1", value, "key3"),
        ("alpn", value, "alpn"),
        ("alpn=h2,", value, "alpn"),
        ("alpn=\"h\\\\2\"", value, "alpn"),
        ("no-default-alpn=x alpn=h2", value, "no-default-alpn"),
        ("ipv4hint=", value, "ipv4hint"),
        ("ipv4hint=1.2.3", value, "ipv4hint"),
        ("ipv6hint=1.2.3.4", value, "ipv6hint"),
        ("ech=A", value, "ech"),
        ("ech=", value, "ech"),
        ("mandatory=mandatory", value, "mandatory"),
        ("mandatory=port,port port=1", value, "mandatory"),
        ("mandatory", value, "mandatory"),
        ("dohpath=\\377", value, "dohpath"),
        ("ohttp=x", value, "ohttp"),
    ] {
        for rtype in [Svcb, Https] {
            refuses(
                rtype,
                &format!("1 . {params}"),
                &format!("{rtype}RRDATA{problem}"),
                quoted,
            );
        }
    }
    let refuse = |v: &str, problem: &str| refuses(Https, v, problem, v);
    refuse(
        "0 . port=1",
        "HTTPSRRDATAAliasModeWithParameters (Priority 0 must not have service parameters)",
    );
    refuse(
        "1 . mandatory=port",
        "HTTPSRRDATAMandatoryKeyAbsent (A mandatory service parameter is absent)",
    );
    refuse(
        "1 . no-default-alpn",
        "HTTPSRRDATAAlpnAbsent (Service parameter no-default-alpn requires alpn)",
    );
    refuse(
        "1",
        "HTTPSRRDATANotTwoFields (HTTPS record doesn't have 2 fields)",
    );
    refuse("1 . alpn=\"h2", NOT_QUOTED);
    refuse("1 . alpn=h\"2", NOT_QUOTED);
    refuse("1 . alpn=\\9", BAD_ESCAPE);
}

#[test]
fn bytes_that_are_no_record_data() {
    for (rtype, wire) in [
        (A, &[1u8, 2, 3][..]),
        (A, &[1, 2, 3, 4, 5]),
        (Aaaa, &[0; 15]),
        (Cname, &[]),
        (Cname, &[0, 0]),
        (Cname, &[0xc0, 12]),
        (Mx, &[0, 10]),
        (Txt, &[]),
        (Txt, &[2, b'a']),
        (Caa, &[0, 0]),
        (Caa, &[0, 1, b'-']),
        (Ds, &[0, 1, 8, 2, 0]),
        (Tlsa, &[0, 0, 0]),
        (Svcb, &[0, 1, 0, 0, 3, 0, 2, 0]),
        (Svcb, &[0, 1, 0, 0, 3, 0, 2, 0, 1, 0, 3, 0, 2, 0, 1]),
        (Svcb, &[0, 1, 0, 0xff, 0xff, 0, 0]),
        (Svcb, &[0, 0, 0, 0, 3, 0, 2, 0, 1]),
    ] {
        assert_eq!(text(rtype, wire), Err(NotRdata(rtype)), "{rtype} {wire:?}");
        assert!(!is_valid(rtype, wire));
    }
}

#[test]
fn names_inside_record_data_are_found() {
    let names = |rtype, value: &str| -> Vec<String> {
        let wire = parse(rtype, value).unwrap();
        let names = embedded_names(rtype, &wire);
        names
            .map(|name| crate::Name::from_wire(name).unwrap().to_string())
            .collect()
    };
    assert_eq!(names(Cname, "a.b"), ["a.b."]);
    assert_eq!(names(Mx, "1 a.b"), ["a.b."]);
    assert_eq!(names(Srv, "1 2 3 a.b"), ["a.b."]);
    assert_eq!(names(Soa, "a. b. 1 2 3 4 5"), ["a.", "b."]);
    assert!(names(Txt, "\"a\"").is_empty());
    assert_eq!(embedded_names(Srv, &[0; 5]).count(), 0);
}
