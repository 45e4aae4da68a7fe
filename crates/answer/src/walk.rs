//! A query name taken apart: folded to lower case, where its labels start, the hash at each depth.

use crate::hash::HashKey;

/// The room for one query name; reused from query to query.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    /// Lower case, root label included. Stored names are lower case too, so bytes compare.
    name: [u8; 256],
    len: usize,
    starts: [u8; 128],
    count: usize,
    hashes: [u64; 129],
    hashed: usize,
}

impl Walk {
    pub(crate) const fn new() -> Self {
        Self {
            name: [0; 256],
            len: 1,
            starts: [0; 128],
            count: 0,
            hashes: [0; 129],
            hashed: 0,
        }
    }

    /// Starts over with this uncompressed wire name (which the message reader has checked).
    #[inline]
    pub(crate) fn start(&mut self, key: HashKey, name: &[u8]) {
        self.len = name.len().min(255);
        let folded = &mut self.name[..self.len];
        folded.copy_from_slice(&name[..self.len]);
        // Length bytes are at most 63, below every letter.
        folded.make_ascii_lowercase();
        let (mut at, mut count) = (0, 0);
        // A name has at most 127 labels.
        while let Some(&len) = folded.get(at).filter(|&&len| len > 0 && count < 127) {
            self.starts[count] = u8::try_from(at).unwrap_or(u8::MAX);
            at += usize::from(len) + 1;
            count += 1;
        }
        self.count = count;
        self.hashes[0] = key.root();
        self.hashed = 0;
    }

    /// The number of labels.
    #[inline]
    pub(crate) fn depth(&self) -> usize {
        self.count
    }

    /// Where the suffix with `depth` labels starts in the name.
    #[inline]
    pub(crate) fn offset(&self, depth: usize) -> usize {
        match self.count.checked_sub(depth) {
            Some(place) if depth > 0 => usize::from(self.starts[place]),
            _ => self.len - 1,
        }
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
        while self.hashed < depth {
            let start = usize::from(self.starts[self.count - self.hashed - 1]);
            let end = start + 1 + usize::from(self.name[start]);
            let above = self.hashes[self.hashed];
            self.hashed += 1;
            self.hashes[self.hashed] = key.child(above, &self.name[start + 1..end]);
        }
        self.hashes[depth]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meridian_dns::Name;

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
