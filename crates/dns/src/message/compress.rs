//! Finding the suffix of a name that a compression pointer into the question can replace.

use crate::name::wire_len;

/// Splits `name` before the longest suffix that it shares with `question`, and says where in
/// `question` that suffix starts. The root alone is not worth a pointer. None if `name` is
/// malformed.
pub(super) fn split_at_shared<'n>(
    name: &'n [u8],
    question: &[u8],
) -> Option<(&'n [u8], Option<usize>)> {
    if wire_len(name) != Some(name.len()) {
        return None;
    }
    let (mut ours, mut theirs) = (name, question);
    let mut shared: Option<(usize, usize)> = None;
    // Both walk from label to label, always with the longer one first, so that they stand at
    // suffixes of equal length whenever they can be equal. Each turn takes a label off one.
    while ours.len() > 1 && theirs.len() > 1 {
        let (our_label, our_rest) = split_label(ours)?;
        let (their_label, their_rest) = split_label(theirs)?;
        if ours.len() != theirs.len() {
            shared = None;
            if ours.len() > theirs.len() {
                ours = our_rest;
            } else {
                theirs = their_rest;
            }
            continue;
        }
        if our_label.eq_ignore_ascii_case(their_label) {
            shared = shared.or(Some((
                name.len() - ours.len(),
                question.len() - theirs.len(),
            )));
        } else {
            shared = None;
        }
        (ours, theirs) = (our_rest, their_rest);
    }
    match shared {
        Some((own_len, offset)) => Some((name.get(..own_len)?, Some(offset))),
        None => Some((name, None)),
    }
}

/// The leftmost label with its length byte, and what follows.
fn split_label(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::from(*name.first()?);
    name.split_at_checked(len + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Name;

    #[test]
    fn the_longest_shared_suffix_is_found_at_label_boundaries() {
        for (name, question, expected) in [
            ("www.example.com", "www.example.com", Some((0, 0))),
            ("WWW.Example.COM", "www.example.com", Some((0, 0))),
            ("ns.example.com", "www.example.com", Some((3, 4))),
            ("example.com", "a.b.example.com", Some((0, 4))),
            ("a.b.example.com", "example.com", Some((4, 0))),
            ("www.example.net", "www.example.com", None),
            ("www.example.net", "www.exbmple.net", Some((12, 12))),
            // Equal bytes that are no label of their own: `1` and `a` inside longer labels.
            ("b\\001a.z", "c\\001a.z", Some((4, 4))),
            ("x\\001a", "a", None),
            (".", "www.example.com", None),
            ("www.example.com", ".", None),
        ] {
            let name = Name::parse(name).unwrap();
            let question = Name::parse(question).unwrap();
            let (own, offset) = split_at_shared(name.as_wire(), question.as_wire()).unwrap();
            assert_eq!(
                offset.map(|offset| (own.len(), offset)),
                expected,
                "{name} {question}"
            );
            assert!(expected.is_some() || own == name.as_wire());
        }
        assert_eq!(split_at_shared(&[3, b'a'], &[0]), None);
    }
}
