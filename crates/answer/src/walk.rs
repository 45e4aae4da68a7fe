//! A query name taken apart: folded to lower case, where its labels start, the hash at each depth.

use crate::hash::{HashKey, fold_case};

/// The longest name is 255 bytes; words are read from any byte of it.
const ROOM: usize = 264;

/// Labels that are hashed at once: most names have no more, and most are needed. A longer name is
/// hashed on as far as somebody asks.
const USUAL_DEPTH: usize = 5;

/// The room for one query name; reused from query to query.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    /// Lower case, root label included, anything behind it. Stored names are lower case too, so
    /// bytes compare.
    name: [u8; ROOM],
    len: usize,
    /// Where each label starts, the leftmost first, and behind them the root.
    starts: [u8; 128],
    count: usize,
    hashes: [u64; 128],
    hashed: usize,
}

impl Walk {
    pub(crate) const fn new() -> Self {
        Self {
            name: [0; ROOM],
            len: 1,
            starts: [0; 128],
            count: 0,
            hashes: [0; 128],
            hashed: 0,
        }
    }

    /// Starts over with this uncompressed wire name (which the message reader has checked).
    #[inline]
    pub(crate) fn start(&mut self, key: HashKey, name: &[u8]) {
        self.take(name);
        self.hashes[0] = key.root();
        self.hashed = 0;
        self.hash_on(key, self.count.min(USUAL_DEPTH));
    }

    /// Takes a name apart, without hashing it.
    #[inline]
    fn take(&mut self, name: &[u8]) {
        let name = &name[..name.len().min(255)];
        self.len = name.len();
        fold(&mut self.name, name);
        let (mut at, mut count) = (0, 0);
        // A name has at most 127 labels, and the root behind them.
        for (number, start) in self.starts.iter_mut().enumerate() {
            // The name has at most 255 bytes.
            *start = at as u8;
            count = number;
            match name.get(at) {
                Some(&len @ 1..) => at += usize::from(len) + 1,
                _ => break,
            }
        }
        self.count = count;
    }

    /// The number of labels.
    #[inline]
    pub(crate) fn depth(&self) -> usize {
        self.count
    }

    /// Where the suffix with `depth` labels starts in the name; the whole name if it has not as many.
    #[inline]
    pub(crate) fn offset(&self, depth: usize) -> usize {
        // No name has more than 127 labels: the mask only shows the compiler that.
        usize::from(self.starts[self.count.saturating_sub(depth) & 127])
    }

    /// The suffix with `depth` labels as a name, in lower case.
    #[inline]
    pub(crate) fn suffix(&self, depth: usize) -> &[u8] {
        &self.name[self.offset(depth)..self.len]
    }

    /// The labels of the suffix with `depth` labels that lie below the one with `above`, in lower
    /// case.
    #[inline]
    pub(crate) fn labels(&self, depth: usize, above: usize) -> &[u8] {
        &self.name[self.offset(depth)..self.offset(above)]
    }

    /// The hash of the suffix with `depth` labels; hashes as far as was not done before.
    #[inline]
    pub(crate) fn hash(&mut self, key: HashKey, depth: usize) -> u64 {
        if self.hashed < depth {
            self.hash_deep(key, depth);
        }
        self.hashes[depth]
    }

    #[cold]
    fn hash_deep(&mut self, key: HashKey, depth: usize) {
        self.hash_on(key, depth.min(self.count));
    }

    /// Hashes down to this depth, at most that of the name.
    #[inline]
    fn hash_on(&mut self, key: HashKey, depth: usize) {
        let mut hash = self.hashes[self.hashed];
        let places = &mut self.hashes[self.hashed + 1..=depth];
        let starts = self.starts[..self.count - self.hashed].iter().rev();
        for (place, &start) in places.iter_mut().zip(starts) {
            let start = usize::from(start);
            let len = usize::from(self.name[start]);
            hash = key.folded_child(hash, &self.name[start + 1..], len);
            *place = hash;
        }
        self.hashed = depth;
    }
}

/// Copies a name in lower case, sixteen bytes at a time, which processors fold in one step, or eight
/// in a word. Length bytes are at most 63, below every letter.
#[inline]
fn fold(to: &mut [u8; ROOM], name: &[u8]) {
    let fold_chunk = |chunk: &[u8; 16]| chunk.map(|byte| byte.to_ascii_lowercase());
    let fold_word = |word: &[u8; 8]| fold_case(u64::from_le_bytes(*word)).to_le_bytes();
    let (chunks, _) = name.as_chunks::<16>();
    let (places, _) = to.as_chunks_mut::<16>();
    for (place, chunk) in places.iter_mut().zip(chunks) {
        *place = fold_chunk(chunk);
    }
    // The last ones overlap those before.
    if let Some(last) = name.last_chunk::<16>() {
        to[name.len() - 16..name.len()].copy_from_slice(&fold_chunk(last));
    } else if let (Some(first), Some(last)) = (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        to[..8].copy_from_slice(&fold_word(first));
        to[name.len() - 8..name.len()].copy_from_slice(&fold_word(last));
    } else {
        for (place, byte) in to.iter_mut().zip(name) {
            *place = byte.to_ascii_lowercase();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meridian_dns::Name;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_fold_as_the_standard_library_folds_them(
            name in prop::collection::vec(any::<u8>(), 0..=255),
        ) {
            let mut room = [0xa5; ROOM];
            fold(&mut room, &name);
            prop_assert_eq!(&room[..name.len()], name.to_ascii_lowercase());
        }
    }

    #[test]
    fn suffixes_hash_as_the_names_they_are() {
        let key = HashKey([5, 6]);
        let name = Name::parse("a.BC.d").unwrap();
        let mut walk = Walk::new();
        for _ in 0..2 {
            walk.start(key, name.as_wire());
            assert_eq!(walk.depth(), 3);
            for (depth, suffix) in [(3, "a.bc.d"), (1, "d"), (2, "bc.d")] {
                let suffix = Name::parse(suffix).unwrap();
                let hash = crate::image::hash_of(key, &suffix);
                assert_eq!(walk.hash(key, depth), hash);
                assert_eq!(walk.suffix(depth), suffix.as_wire());
            }
            assert_eq!(walk.suffix(0), [0]);
            assert_eq!(walk.labels(3, 1), b"\x01a\x02bc");
        }
    }
}
