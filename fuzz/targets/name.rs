//! Names: text and wire form are each other's inverse, and folding, parents and order agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_dns::{MAX_LABEL_LEN, MAX_NAME_LEN, Name};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        match Name::parse(text) {
            Ok(name) => check_text(text, &name),
            Err(error) => drop(error.to_string()),
        }
    }
    let judged = domain::base::Name::from_slice(bytes);
    match Name::from_wire(bytes) {
        Ok(name) => {
            assert_eq!(name.as_wire(), bytes);
            let judged = judged.expect("a name to others too");
            assert_eq!(name.label_count() + 1, judged.label_count());
            check(&name);
        }
        Err(_) => assert!(judged.is_err()),
    }
    if let Ok((name, rest)) = Name::read(bytes) {
        assert_eq!([name.as_wire(), rest].concat(), bytes);
        check(&name);
    }
});

fn check_text(text: &str, name: &Name) {
    check(name);
    // Digits of escapes have no case, so that both ways of folding lead to one name.
    let folded = Name::parse(&text.to_ascii_lowercase()).expect("a name in any case");
    assert_eq!(folded.to_lowercase(), name.to_lowercase());
    if let Some(shorter) = text.strip_suffix('.').filter(|rest| !rest.is_empty()) {
        assert_eq!(
            Name::parse(shorter).as_ref(),
            Ok(name),
            "the last dot is optional"
        );
    }
}

fn check(name: &Name) {
    let wire = name.as_wire();
    assert!((1..=MAX_NAME_LEN).contains(&wire.len()));
    assert_eq!(Name::from_wire(wire).as_ref(), Ok(name));
    let text = name.to_string();
    assert_eq!(Name::parse(&text).as_ref(), Ok(name), "{text}");
    assert_eq!(name.is_wildcard(), text.starts_with("\\052."));

    let mut labels = name.labels();
    assert!(labels.all(|label| (1..=MAX_LABEL_LEN).contains(&label.len())));
    let len: usize = name.labels().map(|label| label.len() + 1).sum();
    assert_eq!(len + 1, wire.len());

    let lower = name.to_lowercase();
    assert_eq!(lower.to_lowercase(), lower);
    assert!(lower.as_wire().eq_ignore_ascii_case(wire));
    assert_eq!(lower.to_string(), text_lower(name));

    let mut ancestor = name.clone();
    let mut depth = name.label_count();
    // A name has 127 labels at most.
    while let Some(parent) = ancestor.parent() {
        assert!(name.is_within(&ancestor) && ancestor.is_within(&parent));
        assert!(!parent.is_within(&ancestor));
        assert!(name.sort_key().starts_with(&parent.sort_key()));
        depth -= 1;
        assert_eq!(parent.label_count(), depth);
        ancestor = parent;
    }
    assert!(ancestor.is_root() && depth == 0);
}

/// Folded by somebody who knows the bytes of each label only.
fn text_lower(name: &Name) -> String {
    let mut wire = Vec::new();
    for label in name.labels() {
        wire.push(u8::try_from(label.len()).expect("63 at most"));
        wire.extend(label.iter().map(u8::to_ascii_lowercase));
    }
    wire.push(0);
    Name::from_wire(&wire)
        .expect("as long as before")
        .to_string()
}
