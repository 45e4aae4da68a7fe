//! Record data of all types: text and wire form are each other's inverse, and what is valid here is
//! so to crate `domain` too. The first byte is the type, the rest one of the two forms.
#![no_main]

use domain::base::Rtype;
use domain::base::rdata::ParseAnyRecordData;
use domain::dep::octseq::Parser;
use domain::rdata::AllRecordData;
use libfuzzer_sys::fuzz_target;
use meridian_dns::rdata::{MAX_TEXT_LEN, embedded_names, is_valid, parse, text};
use meridian_dns::{Name, RecordType};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let rtype = RecordType::ALL[usize::from(*first) % RecordType::ALL.len()];
    if let Ok(value) = std::str::from_utf8(bytes) {
        match parse(rtype, value) {
            Ok(wire) => {
                assert!(is_valid(rtype, &wire), "{rtype} {value}");
                check(rtype, &wire);
            }
            Err(error) => drop(error.to_string()),
        }
    }
    if is_valid(rtype, bytes) {
        check(rtype, bytes);
    } else {
        assert!(text(rtype, bytes).is_err());
    }
    // Also of what is cut short.
    for name in embedded_names(rtype, bytes) {
        assert!(Name::from_wire(name).is_ok());
    }
});

fn check(rtype: RecordType, wire: &[u8]) {
    let value = text(rtype, wire).expect("valid data has a text");
    if value.chars().count() <= MAX_TEXT_LEN && wire.len() <= usize::from(u16::MAX) {
        let again = parse(rtype, &value).unwrap_or_else(|error| panic!("{rtype} {value}: {error}"));
        assert_eq!(again, wire, "{rtype} {value}");
    }
    let mut parser = Parser::from_ref(wire);
    let judged = AllRecordData::<_, domain::base::ParsedName<_>>::parse_any_rdata(
        Rtype::from_int(rtype.code()),
        &mut parser,
    );
    assert!(judged.is_ok(), "{rtype} {value}: {judged:?}");
    assert_eq!(parser.remaining(), 0, "{rtype} {value}");
}
