//! Master files: no bytes panic, what is read has a text that Route 53 would take or refuse, and
//! what is written of it is read as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_dns::zonefile::{Item, Reader, Record, owner, value};
use meridian_dns::{Name, rdata};

fuzz_target!(|input: &[u8]| {
    let mut reader = Reader::new(Some(Name::root()));
    // A template may make many lines of one: some of them are enough.
    let mut generated = 64;
    for line in input.split(|byte| *byte == b'\n') {
        if let Some(item) = reader.line(line) {
            check(&item);
        }
        while generated > 0
            && let Some(item) = reader.generated()
        {
            generated -= 1;
            check(&item);
        }
    }
    if let Some(item) = reader.end() {
        check(&item);
    }
});

fn check(item: &Item) {
    let Item::Record(record) = item else {
        return;
    };
    assert_eq!(record.owner, record.owner.to_lowercase());
    let Ok(wire) = rdata::parse(record.rtype, &record.value) else {
        return;
    };
    let written = value(record.rtype, &record.value).expect("it was parsed just now");
    let (rtype, ttl) = (record.rtype, record.ttl);
    let line = format!("{} {ttl} IN {rtype} {written}", owner(&record.owner));
    let again = Reader::new(None).line(line.as_bytes());
    let Some(Item::Record(Record { owner, value, .. })) = again else {
        panic!("{line}: {again:?}");
    };
    assert_eq!(owner, record.owner, "{line}");
    // Escapes may have made the text longer than a value may be.
    if let Ok(read) = rdata::parse(rtype, &value) {
        assert_eq!(read, wire, "{line}");
    }
}
