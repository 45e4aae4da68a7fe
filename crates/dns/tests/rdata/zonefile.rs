//! Data written into a master file and read again.

use meridian_dns::Name;
use meridian_dns::rdata::{parse, text};
use meridian_dns::zonefile::{Item, Reader, owner, value};
use proptest::prelude::*;

use super::values;

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        (rtype, wire) in values::typed_wire(),
        label in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let given = text(rtype, &wire).unwrap();
        prop_assume!(parse(rtype, &given).as_ref() == Ok(&wire));
        let mut name = vec![u8::try_from(label.len()).unwrap()];
        name.extend(label.to_ascii_lowercase());
        name.push(0);
        let name = Name::from_wire(&name).unwrap();
        let line = format!("{} 60 IN {rtype} {}", owner(&name), value(rtype, &given).unwrap());
        match Reader::new(None).line(line.as_bytes()) {
            Some(Item::Record(record)) => {
                prop_assert_eq!(&record.owner, &name, "{}", line);
                prop_assert_eq!(parse(rtype, &record.value), Ok(wire), "{}", line);
            }
            other => prop_assert!(false, "{line}: {other:?}"),
        }
    }

    #[test]
    fn no_line_panics(lines in prop::collection::vec("[ a-c0-9()\\\\\";$@.{}A]{0,30}", 0..6)) {
        let mut reader = Reader::new(Some(Name::root()));
        for line in &lines {
            let _ = reader.line(line.as_bytes());
            let _ = reader.generated();
        }
        let _ = reader.end();
    }
}
