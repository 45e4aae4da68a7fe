//! No input panics; wire and text are each other's inverse.

use meridian_dns::RecordType;
use meridian_dns::rdata::{MAX_TEXT_LEN, embedded_names, is_valid, parse, text};
use proptest::collection::vec;
use proptest::prelude::*;

use super::values;

/// Whatever is taken is valid and survives a turn through its canonical text.
fn check_taken(rtype: RecordType, value: &str) -> Result<(), TestCaseError> {
    match parse(rtype, value) {
        Ok(wire) => {
            prop_assert!(is_valid(rtype, &wire), "{rtype} {value:?}");
            let canonical = text(rtype, &wire).unwrap();
            if canonical.len() <= MAX_TEXT_LEN {
                prop_assert_eq!(
                    parse(rtype, &canonical),
                    Ok(wire),
                    "{} {:?}",
                    rtype,
                    canonical
                );
            }
        }
        Err(error) => {
            let error = error.to_string();
            prop_assert!(error.contains(") encountered with '") && error.ends_with('\''));
        }
    }
    Ok(())
}

/// Changes, drops or doubles a character of a good value.
fn damaged(value: &str, at: prop::sample::Index, with: char, how: u8) -> String {
    let mut chars: Vec<char> = value.chars().collect();
    let at = at.index(chars.len());
    match how % 3 {
        0 => chars[at] = with,
        1 => drop(chars.remove(at)),
        _ => chars.insert(at, with),
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn wire_survives_text((rtype, wire) in values::typed_wire()) {
        let text = text(rtype, &wire).unwrap();
        prop_assert_eq!(parse(rtype, &text), Ok(wire), "{} {}", rtype, text);
    }

    #[test]
    fn any_text_is_taken_or_refused(rtype in values::rtype(), value in ".*") {
        check_taken(rtype, &value)?;
    }

    #[test]
    fn texts_of_the_right_letters_too(rtype in values::rtype(), value in r#"[0-9a-f"\\ .,=:kmyn-]{0,40}"#) {
        check_taken(rtype, &value)?;
    }

    #[test]
    fn and_good_values_with_one_fault(
        (rtype, wire) in values::typed_wire(),
        at in any::<prop::sample::Index>(),
        with in prop_oneof![prop::sample::select(vec!['"', '\\', ' ', '=', ',', '.', '0', 'é']), any::<char>()],
        how in any::<u8>(),
    ) {
        check_taken(rtype, &damaged(&text(rtype, &wire).unwrap(), at, with, how))?;
    }

    #[test]
    fn any_bytes_are_valid_or_not(rtype in values::rtype(), wire in vec(any::<u8>(), 0..300)) {
        let _ = embedded_names(rtype, &wire).count();
        if let Ok(text) = text(rtype, &wire) {
            prop_assert_eq!(parse(rtype, &text), Ok(wire));
        }
    }

    #[test]
    fn cut_data_does_not_panic((rtype, wire) in values::typed_wire(), at in any::<prop::sample::Index>()) {
        let cut = &wire[..at.index(wire.len())];
        if let Ok(text) = text(rtype, cut) {
            prop_assert_eq!(parse(rtype, &text), Ok(cut.to_vec()));
        }
    }
}
