//! The flat table of one family of addresses: sorted entries without gaps, an index, and the search
//! in what the index leaves. What an entry means is others' business.

/// The topmost bits that the first part of the index takes.
const FIRST_BITS: u8 = 16;
/// The most bits behind those that a part of the second one takes.
const MAX_SECOND_BITS: u8 = 20;
/// How many entries there are for each place of it: searching among so many, which lie side by side,
/// costs less than an index that is too large for the caches.
const ENTRIES_PER_PLACE: usize = 4;

/// The lengths of the widest prefixes around an address in which all are alike: by record,
/// subdivision, country and continent.
pub(crate) type Lens = [u8; 4];

/// An address as a number, in the width of its family.
pub(crate) trait Key: Copy + Ord {
    /// At the upper end of 128 bits.
    fn bits(self) -> u128;
    /// From the upper end of 128 bits.
    fn from_bits(bits: u128) -> Self;
}

impl Key for u32 {
    fn bits(self) -> u128 {
        u128::from(self) << 96
    }

    fn from_bits(bits: u128) -> Self {
        (bits >> 96) as Self
    }
}

/// The 128 bits of an IPv6 address, aligned like 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wide(u64, u64);

impl Key for Wide {
    fn bits(self) -> u128 {
        (u128::from(self.0) << 64) | u128::from(self.1)
    }

    #[expect(clippy::cast_possible_truncation, reason = "either half of 128 bits")]
    fn from_bits(bits: u128) -> Self {
        Self((bits >> 64) as u64, bits as u64)
    }
}

/// The addresses from this one up to the next entry's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<K> {
    first: K,
    /// What is known of them in 24 bits; above, for each level, whether its addresses that are alike
    /// begin with this entry, and above that, whether they end with it.
    record: u32,
    /// What the addresses before and behind those that are alike make of the lengths, as far as that
    /// does not depend on the address: where they neither begin nor end here.
    far: Lens,
}

/// Records have numbers below this.
pub(crate) const MAX_RECORDS: usize = 1 << 24;
const BEGINS: u32 = 24;
const ENDS: u32 = 28;

impl<K: Key> Entry<K> {
    pub(crate) fn new(first: u128, record: u32, edges: [Edges; 4]) -> Self {
        let bit = |set: bool, place: u32| u32::from(set) << place;
        let flags = edges.iter().zip(0..).map(|(edges, level)| {
            bit(edges.begins, BEGINS + level) | bit(edges.ends, ENDS + level)
        });
        Self {
            first: K::from_bits(first),
            record: flags.fold(record, |all, flags| all | flags),
            far: edges.map(|edges| edges.far),
        }
    }

    /// The number of what is known.
    pub(crate) fn record(&self) -> usize {
        usize::try_from(self.record).unwrap_or(usize::MAX) & (MAX_RECORDS - 1)
    }

    /// The lengths for an address of this entry, which ends before the next one.
    fn lens(&self, address: u128, next: Option<u128>) -> Lens {
        let before = self.first.bits().wrapping_sub(1);
        let begin = beside(address, before);
        let end = next.map_or(0, |next| beside(address, next));
        let mut place = 0;
        self.far.map(|far| {
            // All ones or nothing, so that there is no branch.
            let begins = (self.record >> (BEGINS + place) & 1)
                .wrapping_neg()
                .to_le_bytes()[0];
            let ends = (self.record >> (ENDS + place) & 1)
                .wrapping_neg()
                .to_le_bytes()[0];
            place += 1;
            far.max(begin & begins).max(end & ends)
        })
    }
}

/// The length of the widest prefix around an address that another one is not in.
pub(crate) fn beside(address: u128, other: u128) -> u8 {
    u8::try_from((address ^ other).leading_zeros() + 1).unwrap_or(128)
}

/// Where the addresses end that are alike at one level, seen from an entry.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edges {
    /// They begin with the entry, which is not the first of all.
    pub(crate) begins: bool,
    /// They end with the entry, which is not the last.
    pub(crate) ends: bool,
    /// The length that follows from those that lie elsewhere.
    pub(crate) far: u8,
}

/// All addresses of a family.
#[derive(Debug)]
pub(crate) struct Table<K> {
    /// Sorted; the first begins at zero.
    entries: Box<[Entry<K>]>,
    /// For each value of the topmost bits a part of the second.
    first: Box<[Part]>,
    /// Behind one another, for each value of the bits that follow, and one more, how many entries
    /// begin before it.
    second: Box<[u32]>,
}

/// Where a part of the second index is, and how many bits it takes.
#[derive(Debug, Clone, Copy)]
struct Part {
    at: u32,
    bits: u8,
}

impl<K: Key> Table<K> {
    /// Of sorted entries, the first of which begins at zero, if there is any.
    pub(crate) fn new(entries: Vec<Entry<K>>) -> Self {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        if !entries.is_empty() {
            first.reserve(1 << FIRST_BITS);
            let mut begun = 0;
            for top in 0..1_usize << FIRST_BITS {
                let rest = entries.get(begun..).unwrap_or_default();
                let count = rest.partition_point(|entry| upper(entry.first) <= top);
                let part = rest.get(..count).unwrap_or_default();
                first.push(index(part, begun, &mut second));
                begun += count;
            }
        }
        Self {
            entries: entries.into(),
            first: first.into(),
            second: second.into(),
        }
    }

    /// The entry that the address lies in, with the lengths around the address.
    pub(crate) fn find(&self, address: K) -> Option<(&Entry<K>, Lens)> {
        let part = self.first.get(upper(address))?;
        let at = usize::try_from(part.at).ok()? + lower(address, part.bits);
        let from = usize::try_from(*self.second.get(at)?).ok()?;
        let to = usize::try_from(*self.second.get(at + 1)?).ok()?;
        let bucket = self.entries.get(from..to)?;
        let behind = from + bucket.partition_point(|entry| entry.first <= address);
        let entry = self.entries.get(behind.checked_sub(1)?)?;
        let next = self.entries.get(behind).map(|entry| entry.first.bits());
        Some((entry, entry.lens(address.bits(), next)))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.entries) + size_of_val(&*self.first) + size_of_val(&*self.second)
    }
}

/// Adds the part for entries with the same topmost bits, so many of which there are before.
fn index<K: Key>(entries: &[Entry<K>], before: usize, second: &mut Vec<u32>) -> Part {
    let enough = (entries.len() / ENTRIES_PER_PLACE)
        .checked_ilog2()
        .unwrap_or(0);
    let bits = u8::try_from(enough).map_or(MAX_SECOND_BITS, |bits| bits.min(MAX_SECOND_BITS));
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let at = number(second.len());
    let start = second.len();
    for (place, entry) in (before..).zip(entries) {
        while second.len() - start <= lower(entry.first, bits) {
            second.push(number(place));
        }
    }
    second.resize(start + (1 << bits) + 1, number(before + entries.len()));
    Part { at, bits }
}

/// The bits that the first index goes by.
fn upper<K: Key>(key: K) -> usize {
    usize::try_from(key.bits() >> (128 - FIRST_BITS)).unwrap_or(usize::MAX)
}

/// The bits behind them that a part of the second one goes by.
fn lower<K: Key>(key: K, bits: u8) -> usize {
    let behind = key.bits() << FIRST_BITS;
    let bits = behind.checked_shr(128 - u32::from(bits)).unwrap_or(0);
    usize::try_from(bits).unwrap_or(usize::MAX)
}
