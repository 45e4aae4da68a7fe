//! Texts that nobody can guess.

use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::{SecureRandom, SystemRandom};

/// 256 bits, in hexadecimal digits.
pub(crate) fn secret() -> String {
    hex(&bytes::<32>())
}

/// 128 bits: what tells one request from others.
pub(crate) fn request_id() -> String {
    hex(&bytes::<16>())
}

/// A digest of parts in hexadecimal digits.
pub(crate) fn mark_of(parts: &[&[u8]]) -> String {
    hex(&digest_of(parts))
}

/// A digest of parts, with their lengths, so that no two lists of them run together to the same bytes.
pub(crate) fn digest_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut whole = Vec::new();
    for part in parts {
        whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
        whole.extend_from_slice(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, &whole).as_ref());
    bytes
}

/// Whether two texts are the same, in a time that tells nothing of how far they are.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let key = Key::new(HMAC_SHA256, &bytes::<32>());
    let tag = hmac::sign(&key, one.as_bytes());
    hmac::verify(&key, other.as_bytes(), tag.as_ref()).is_ok()
}

/// In hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // It does not fail once the system is up; what opens doors must never be made from anything else.
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system has a random source");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same_and_parts_do_not_run_together() {
        assert_eq!((secret().len(), request_id().len()), (64, 32));
        assert_ne!(secret(), secret());
        assert!(same("", "") && same("ab", "ab") && !same("ab", "abc") && !same("ab", "aB"));
        assert_ne!(digest_of(&[b"ab", b"c"]), digest_of(&[b"a", b"bc"]));
    }
}
