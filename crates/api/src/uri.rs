//! Percent-encoding of paths and queries (RFC 3986), as SigV4 and AWS clients use it.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

/// The decoded names and values of a query, in the order given. A `+` is a space, an empty query
/// has no pairs; none when an escape is not `%` and two hexadecimal digits.
pub(crate) fn decode_query(query: &str) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name, Plus::Space)?, decode(value, Plus::Space)?))
        })
        .collect()
}

/// A decoded path segment; none for a malformed escape or bytes that are not UTF-8.
pub(crate) fn decode_segment(segment: &str) -> Option<String> {
    String::from_utf8(decode(segment, Plus::Literal)?).ok()
}

/// The segments of a path as sent, without empty ones and with dot segments resolved.
///
/// Signatures cover the path in this form, so dispatch goes by it too: nothing is acted on that
/// was not signed.
pub(crate) fn normal_segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    segments
}

/// Appends `bytes`, each outside `A–Z a–z 0–9 - _ . ~` as `%XX`.
pub(crate) fn encode_into(text: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 15] {
                let hex = char::from_digit(u32::from(digit), 16).expect("four bits");
                text.push(hex.to_ascii_uppercase());
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Plus {
    Space,
    Literal,
}

fn decode(text: &str, plus: Plus) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let high = hex_digit(bytes.next()?)?;
                let low = hex_digit(bytes.next()?)?;
                high << 4 | low
            }
            b'+' if plus == Plus::Space => b' ',
            other => other,
        });
    }
    Some(decoded)
}

/// The value of a hexadecimal digit of either case.
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_split_before_they_are_decoded() {
        let pair = |name: &[u8], value: &[u8]| (name.to_vec(), value.to_vec());
        assert_eq!(
            decode_query("name=%2A.ex%5C052.com.&identifier=x%26y+z&flag"),
            Some(vec![
                pair(b"name", b"*.ex\\052.com."),
                pair(b"identifier", b"x&y z"),
                pair(b"flag", b""),
            ])
        );
        assert_eq!(decode_query("a=%4"), None);
        assert_eq!(decode_query("a=%zz"), None);
        assert_eq!(decode_query(""), Some(vec![]));
    }

    #[test]
    fn segments_keep_a_plus_and_refuse_other_encodings_than_utf8() {
        assert_eq!(
            decode_segment("%2Fhostedzone%2FZ1+"),
            Some("/hostedzone/Z1+".to_owned())
        );
        assert_eq!(decode_segment("%ff"), None);
    }
}
