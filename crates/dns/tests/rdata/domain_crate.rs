//! The same data through the master-file reader of crate `domain`.

use domain::base::rdata::ComposeRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use meridian_dns::RecordType;
use meridian_dns::rdata::text;
use proptest::prelude::*;

use super::values;

/// Turns Route 53's octal escapes into the decimal ones of master files (RFC 1035 section 5.1).
fn with_decimal_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let digits = after
            .get(..3)
            .filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        if let Some(digits) = digits {
            out += &format!("\\{:03}", u8::from_str_radix(digits, 8).unwrap());
            rest = &after[3..];
        } else {
            out.push('\\');
            out.push_str(&after[..1]);
            rest = &after[1..];
        }
    }
    out + rest
}

fn read_by_domain(rtype: RecordType, text: &str) -> Vec<u8> {
    // `domain` knows SPF (RFC 7208 section 3.1) only as unknown data; its form is TXT's.
    let mnemonic = if rtype == RecordType::Spf {
        "TXT"
    } else {
        rtype.as_str()
    };
    let line = format!("x. 0 IN {mnemonic} {}\n", with_decimal_escapes(text));
    let mut file = Zonefile::from(line.as_str());
    let Some(Entry::Record(record)) = file.next_entry().unwrap_or_else(|e| panic!("{e}: {line}"))
    else {
        panic!("no record: {line}");
    };
    let mut wire = Vec::new();
    record.data().compose_rdata(&mut wire).unwrap();
    wire
}

/// What `domain` 0.12.3 refuses though it is valid: keys that hold a `9` (its range of digits ends
/// one short), and a comma or a backslash inside an ALPN identifier.
fn is_beyond_domain(rtype: RecordType, text: &str) -> bool {
    let mut keys = text.split("key").skip(1);
    let nine = keys.any(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].contains('9')
    });
    matches!(rtype, RecordType::Svcb | RecordType::Https) && (nine || text.contains(r"\\"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn domain_reads_our_text_as_the_same_bytes((rtype, wire) in values::typed_wire()) {
        let text = text(rtype, &wire).unwrap();
        // No `prop_assume`, whose bound on refusals long runs would hit.
        if !is_beyond_domain(rtype, &text) {
            prop_assert_eq!(read_by_domain(rtype, &text), wire, "{} {}", rtype, text);
        }
    }
}
