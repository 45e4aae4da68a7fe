//! Hashing names label by label from the root, folding case on the way.
//!
//! The hash of a name is the hash of its parent mixed with its leftmost label, so one pass over a
//! query name gives the hash of every place it could be found at. The key differs from process to
//! process: nobody outside can aim names at one slot.

/// The key of one process's hashes; from the system's random source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKey(pub [u64; 2]);

/// Odd and without structure (from the expansion of π).
const SPREAD: u64 = 0x243f_6a88_85a3_08d3;

impl HashKey {
    /// The hash of the root.
    pub(crate) fn root(self) -> u64 {
        mix(self.0[0], SPREAD)
    }

    /// The hash of the name that has `label` in front of the name with hash `parent`.
    #[inline]
    pub(crate) fn child(self, parent: u64, label: &[u8]) -> u64 {
        let mut hash = begin(parent, label.len());
        let mut rest = label;
        while let Some((word, more)) = rest.split_first_chunk::<8>()
            && !more.is_empty()
        {
            hash = mix(hash ^ fold_case(u64::from_le_bytes(*word)), self.0[1]);
            rest = more;
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.end(hash ^ fold_case(u64::from_le_bytes(last)))
    }

    /// As [`child`](Self::child) for a label of one byte at least that is folded already: the first
    /// `len` of `bytes`, which go on behind it, with anything, to the end of its last word. There is
    /// no tail to be copied.
    #[inline]
    pub(crate) fn folded_child(self, parent: u64, bytes: &[u8], len: usize) -> u64 {
        let (mut hash, mut rest, mut left) = (begin(parent, len), bytes, len);
        while let Some((word, more)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            if left <= 8 {
                let own = u64::MAX >> ((8usize.wrapping_sub(left) * 8) & 63);
                return self.end(hash ^ (word & own));
            }
            hash = mix(hash ^ word, self.0[1]);
            (rest, left) = (more, left - 8);
        }
        self.end(hash)
    }

    #[inline]
    fn end(self, hash: u64) -> u64 {
        mix(hash, self.0[1] ^ SPREAD)
    }

    /// The hash of a text under `above`, which says what kind of text it is; case counts, and the
    /// hash is never 0.
    pub(crate) fn text(self, above: u64, text: &[u8]) -> u64 {
        let mut hash = begin(above ^ self.0[0], text.len());
        let (words, rest) = text.as_chunks::<8>();
        for word in words {
            hash = mix(hash ^ u64::from_le_bytes(*word), self.0[1]);
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.end(hash ^ u64::from_le_bytes(last)).max(1)
    }

    /// The hash of an uncompressed wire name below the name with hash `above`. `labels` has no
    /// root label.
    pub(crate) fn below(self, above: u64, labels: &[u8]) -> u64 {
        let mut starts = [0u8; 128];
        let mut count = 0;
        let mut at = 0;
        while at < labels.len() {
            starts[count] = u8::try_from(at).expect("a name has at most 255 bytes");
            count += 1;
            at += usize::from(labels[at]) + 1;
        }
        starts[..count].iter().rev().fold(above, |hash, &start| {
            let start = usize::from(start);
            let end = start + 1 + usize::from(labels[start]);
            self.child(hash, &labels[start + 1..end])
        })
    }
}

#[inline]
fn begin(parent: u64, label_len: usize) -> u64 {
    parent ^ (label_len as u64).wrapping_mul(SPREAD)
}

/// Multiplies to 128 bits and folds the halves: every input bit reaches every output bit.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b | 1);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high ^ a.rotate_left(32)
}

/// Turns the ASCII capitals among eight bytes into small letters.
#[inline]
pub(crate) fn fold_case(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word & (0x7f * EACH);
    let above_z = low + (0x7f - b'Z' as u64) * EACH;
    let from_a = low + (0x80 - b'A' as u64) * EACH;
    let capital = (from_a ^ above_z) & !word & (0x80 * EACH);
    word | (capital >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn case_folds_as_the_standard_library_folds_it(bytes in any::<[u8; 8]>()) {
            let folded = fold_case(u64::from_le_bytes(bytes)).to_le_bytes();
            prop_assert_eq!(folded, bytes.map(|b| b.to_ascii_lowercase()));
        }

        #[test]
        fn a_label_among_others_hashes_as_it_does_alone(
            bytes in prop::collection::vec(any::<u8>(), 64..80), len in 1..=63usize,
            parent in any::<u64>(),
        ) {
            let key = HashKey([1, 2]);
            let hash = key.folded_child(parent, &bytes.to_ascii_lowercase(), len);
            prop_assert_eq!(hash, key.child(parent, &bytes[..len]));
        }

        #[test]
        fn labels_of_any_length_hash_apart(a in prop::collection::vec(any::<u8>(), 0..63),
                                           b in prop::collection::vec(any::<u8>(), 0..63)) {
            let key = HashKey([1, 2]);
            let fold = |label: &[u8]| label.to_ascii_lowercase();
            prop_assert_eq!(key.child(7, &a) == key.child(7, &b), fold(&a) == fold(&b));
        }
    }

    #[test]
    fn a_label_at_another_depth_is_another_name() {
        let key = HashKey([3, 4]);
        let root = key.root();
        assert_ne!(
            key.below(root, b"\x01a\x01b"),
            key.below(root, b"\x01b\x01a")
        );
        assert_ne!(key.below(root, b"\x02ab"), key.below(root, b"\x01a\x01b"));
        assert_eq!(
            key.below(root, b"\x01a\x01b"),
            key.child(key.child(root, b"b"), b"A")
        );
    }

    #[test]
    fn low_and_high_bits_spread_over_many_labels() {
        let key = HashKey([0, 0]);
        for shift in [0, 24, 32, 56] {
            let mut counts = [0u32; 256];
            for i in 0..25_600 {
                let hash = key.child(key.root(), format!("h{i}").as_bytes());
                counts[(hash >> shift) as usize & 255] += 1;
            }
            let most = counts.iter().max().unwrap();
            assert!(*most < 160, "shift {shift}: {most} of an expected 100");
        }
    }
}
