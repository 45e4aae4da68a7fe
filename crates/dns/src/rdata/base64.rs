//! Base 64 with padding (RFC 4648 section 4), for the `ech` service parameter only.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Strict: padding required, bits that do not count zero, nothing between the digits.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, []) = text.as_chunks::<4>() else {
        return None;
    };
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    let mut out = Vec::with_capacity(groups.len() * 3);
    let (last, full) = groups.split_last()?;
    for group in full {
        out.extend(group_bytes(group)?);
    }
    let mut group = *last;
    let kept = 3usize.checked_sub(padding)?;
    // One or two padding characters; three leave no whole byte.
    if kept == 0 {
        return None;
    }
    for byte in group.iter_mut().rev().take(padding) {
        *byte = b'A';
    }
    let bytes = group_bytes(&group)?;
    let (kept, spare) = bytes.split_at_checked(kept)?;
    if spare.iter().any(|&byte| byte != 0) {
        return None;
    }
    out.extend_from_slice(kept);
    Some(out)
}

/// Three bytes become four digits; a shorter last group is padded.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0u8; 3];
        for (to, from) in group.iter_mut().zip(chunk) {
            *to = *from;
        }
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = ALPHABET
                .get((bits >> shift & 63) as usize)
                .filter(|_| at <= chunk.len());
            out.push(char::from(*digit.unwrap_or(&b'=')));
        }
    }
    out
}

fn group_bytes(group: &[u8; 4]) -> Option<[u8; 3]> {
    let mut bits = 0u32;
    for &digit in group {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
    }
    let [_, a, b, c] = bits.to_be_bytes();
    Some([a, b, c])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_rfc_4648_and_refusals() {
        for (bytes, text) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
        for bad in [
            "",
            "Zg",
            "Zg=",
            "Zh==",
            "Zm9=",
            "Z===",
            "====",
            "Zg==Zg==",
            "Zm 9",
            "Zm9vYmF\u{e9}",
        ] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
