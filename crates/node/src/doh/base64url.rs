//! Base 64 for URLs, without padding (RFC 4648 section 5), as RFC 8484 wants it.

/// Strict: nothing but digits, and bits that do not count are zero.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        // Digits fill the word from the top, six bits each.
        let mut word = 0_u32;
        for (place, byte) in (0..).zip(group) {
            word |= digit(*byte)? << (26 - 6 * place);
        }
        let [one, two, three, _] = word.to_be_bytes();
        let (kept, spare): (&[u8], &[u8]) = match group.len() {
            4 => (&[one, two, three], &[]),
            3 => (&[one, two], &[three]),
            2 => (&[one], &[two, three]),
            // Six bits are no byte.
            _ => return None,
        };
        if spare.iter().any(|byte| *byte != 0) {
            return None;
        }
        out.extend_from_slice(kept);
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_base_64_for_urls_is_nothing() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("Zg", Some(b"f")),
            ("Zm8", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("Zm9vYg", Some(b"foob")),
            ("-_-_", Some(&[0xfb, 0xff, 0xbf])),
            ("A", None),
            ("Zg==", None),
            ("Zh", None),
            ("Zm9", None),
            ("+/+/", None),
            ("Zm 8", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
    }
}
