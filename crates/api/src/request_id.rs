//! Request ids: random UUIDs (RFC 9562, version 4), as AWS gives them.

use ring::rand::{SecureRandom, SystemRandom};

/// A fresh id.
pub(crate) fn draw() -> String {
    let mut bytes = [0; 16];
    // Without randomness ids repeat, which only makes logs harder to read.
    let _ = SystemRandom::new().fill(&mut bytes);
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let mut text = format!("{bits:032x}");
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_four_and_differ() {
        let id = draw();
        assert_eq!(id.len(), 36);
        assert_eq!(
            id.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]));
        assert_ne!(id, draw());
    }
}
