//! The flat table of one family of addresses: sorted prefixes without gaps, an index over the
//! topmost bits, and the search in what the index leaves. What a prefix means is others' business.

/// The most topmost bits that the index takes: 4 MiB of it.
const MAX_INDEX_BITS: u8 = 20;

/// An address as a number, in the width of its family.
pub(crate) trait Key: Copy + Ord {
    /// The topmost bits, as a number.
    fn top(self, bits: u8) -> usize;
    /// From the upper end of 128 bits.
    fn from_top(bits: u128) -> Self;
    /// All of it in fewer bits, the best that is possible.
    fn folded(self) -> u64;
}

impl Key for u32 {
    fn top(self, bits: u8) -> usize {
        let index = self.checked_shr(Self::BITS.saturating_sub(bits.into()));
        usize::try_from(index.unwrap_or(0)).unwrap_or(usize::MAX)
    }

    fn from_top(bits: u128) -> Self {
        (bits >> 96) as Self
    }

    fn folded(self) -> u64 {
        self.into()
    }
}

/// The 128 bits of an IPv6 address, aligned like 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wide(u64, u64);

impl Key for Wide {
    fn top(self, bits: u8) -> usize {
        let index = self.0.checked_shr(u64::BITS.saturating_sub(bits.into()));
        usize::try_from(index.unwrap_or(0)).unwrap_or(usize::MAX)
    }

    #[expect(clippy::cast_possible_truncation, reason = "either half of 128 bits")]
    fn from_top(bits: u128) -> Self {
        Self((bits >> 64) as u64, bits as u64)
    }

    fn folded(self) -> u64 {
        // What tells IPv6 networks apart stands in the upper half.
        self.0 ^ self.1.rotate_left(32)
    }
}

/// The addresses from this one up to the next entry's, which are one prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<K> {
    pub(crate) first: K,
    /// What is known of them.
    pub(crate) record: u32,
    /// How many bits the widest prefixes around it have in which all are alike: by record,
    /// subdivision, country and continent.
    pub(crate) lens: [u8; 4],
}

/// All addresses of a family.
#[derive(Debug)]
pub(crate) struct Table<K> {
    /// Sorted; the first begins at zero.
    entries: Box<[Entry<K>]>,
    /// For each value of the topmost bits, and one more, how many entries begin before it.
    index: Box<[u32]>,
    index_bits: u8,
}

impl<K: Key> Table<K> {
    /// Of sorted entries, the first of which begins at zero. There are fewer than 2^32.
    pub(crate) fn new(entries: Vec<Entry<K>>) -> Self {
        let enough = entries.len().checked_ilog2().unwrap_or(0);
        let index_bits =
            u8::try_from(enough).map_or(MAX_INDEX_BITS, |bits| bits.min(MAX_INDEX_BITS));
        let mut index = Vec::with_capacity((1 << index_bits) + 1);
        for (place, entry) in (0_u32..).zip(&entries) {
            let top = entry.first.top(index_bits);
            while index.len() <= top {
                index.push(place);
            }
        }
        let all = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        index.resize((1 << index_bits) + 1, all);
        Self {
            entries: entries.into(),
            index: index.into(),
            index_bits,
        }
    }

    /// The entry that the address lies in.
    pub(crate) fn find(&self, address: K) -> Option<&Entry<K>> {
        let top = address.top(self.index_bits);
        let from = usize::try_from(*self.index.get(top)?).ok()?;
        let to = usize::try_from(*self.index.get(top + 1)?).ok()?;
        let bucket = self.entries.get(from..to)?;
        let within = bucket.partition_point(|entry| entry.first <= address);
        self.entries.get((from + within).checked_sub(1)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.entries) + size_of_val(&*self.index)
    }
}
