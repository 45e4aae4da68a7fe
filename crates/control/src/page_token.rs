//! Tokens that say where the next page of a list begins. Clients hand them back as they are; what
//! is in them is nobody's business but that of the list that made them.

use std::fmt::Write;

use crate::refusal::Refusal;

/// A token of this list that goes on at these parts, each at most 65,535 bytes long.
pub(crate) fn write(list: &str, parts: &[&[u8]]) -> String {
    let mut bytes = list.as_bytes().to_vec();
    bytes.push(0);
    for part in parts {
        let len = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bytes.extend(len.to_be_bytes());
        bytes.extend(part.iter().take(usize::from(len)));
    }
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The parts that a token of this list was made of.
pub(crate) fn read<const N: usize>(list: &str, token: &str) -> Result<[Vec<u8>; N], Refusal> {
    parts(list, token)
        .and_then(|parts| parts.try_into().ok())
        .ok_or(Refusal::InvalidPaginationToken)
}

fn parts(list: &str, token: &str) -> Option<Vec<Vec<u8>>> {
    let digits: Vec<u8> = token
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    let mut rest = bytes.strip_prefix(list.as_bytes())?.strip_prefix(&[0])?;
    let mut parts = Vec::new();
    // Each part takes two bytes at least from what is left.
    while !rest.is_empty() {
        let (len, after) = rest.split_first_chunk::<2>()?;
        let (part, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        parts.push(part.to_vec());
        rest = after;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_is_read_by_its_own_list(a: Vec<u8>, b: Vec<u8>) {
            let token = write("list", &[&a, &b]);
            prop_assert_eq!(read("list", &token), Ok([a, b]));
            prop_assert_eq!(read::<2>("other", &token), Err(Refusal::InvalidPaginationToken));
            prop_assert_eq!(read::<1>("list", &token), Err(Refusal::InvalidPaginationToken));
            let cut = token.get(..token.len() - 1).unwrap();
            prop_assert_eq!(read::<2>("list", cut), Err(Refusal::InvalidPaginationToken));
        }

        #[test]
        fn no_text_panics(text in "[0-9a-f\\PC]{0,60}") {
            let _ = read::<1>("list", &text);
            let _ = read::<1>("list", &format!("6c69737400{text}"));
        }
    }
}
