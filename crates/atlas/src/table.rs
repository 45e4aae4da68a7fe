//! The flat table of one family of addresses, and the search in it. What an entry means is others'
//! business; how a table is made is that of `shelf`.
//!
//! The topmost 16 bits of an address choose its **part**. A part in which nothing changes is an
//! entry; any other is a **list** of entries, told apart by the 32 bits that follow. Where those do
//! not suffice, as behind a /48, an entry leads to a list of its own for the next 32 bits: so a key
//! is short, and IPv6 takes no more room than IPv4.

/// The topmost bits, which choose the part.
pub(crate) const PART_BITS: u32 = 16;
/// The bits of a key.
pub(crate) const KEY_BITS: u32 = 32;
/// How deep lists lie inside one another: as many keys as an address has behind its topmost bits.
pub(crate) const MAX_DEPTH: u32 = 4;
/// The most entries between two places of an index that are all looked at, side by side in memory:
/// that takes no branch, which would be guessed wrong half the time. More are searched.
const FEW: usize = 8;

/// The lengths of the widest prefixes around an address in which all are alike: by record,
/// subdivision, country and continent.
pub(crate) type Lens = [u8; 4];

/// The addresses from this one up to the next entry's, or to the end of the list's.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry {
    /// What tells its first address from others of the list.
    pub(crate) key: u32,
    /// What is known of them in 24 bits; above, for each level, whether its addresses that are alike
    /// begin with this entry, and above that, whether they end with it. Of an entry that leads to
    /// a list, the number of that.
    what: u32,
    /// What the addresses before and behind those that are alike make of the lengths, as far as that
    /// does not depend on the address.
    far: Lens,
}

/// Those that an entry takes in a table.
const WORDS: usize = 3;

/// Records have numbers below this.
pub(crate) const MAX_RECORDS: usize = 1 << BEGINS;
const BEGINS: u32 = 24;
const ENDS: u32 = 28;
/// In the place of lengths: the entry leads to a list.
const LEADS: Lens = [u8::MAX; 4];

impl Entry {
    pub(crate) fn new(key: u32, record: u32, edges: [Edges; 4]) -> Self {
        let bit = |set: bool, place: u32| u32::from(set) << place;
        let flags = edges.iter().zip(0..).map(|(edges, level)| {
            bit(edges.begins, BEGINS + level) | bit(edges.ends, ENDS + level)
        });
        Self {
            key,
            what: flags.fold(record, |all, flags| all | flags),
            far: edges.map(|edges| edges.far),
        }
    }

    fn from_words([key, what, far]: [u32; WORDS]) -> Self {
        Self {
            key,
            what,
            far: far.to_le_bytes(),
        }
    }

    /// As it stands in a table.
    pub(crate) fn words(self) -> [u32; WORDS] {
        [self.key, self.what, u32::from_le_bytes(self.far)]
    }

    /// One that leads to a list.
    pub(crate) fn leading(key: u32, list: u32) -> Self {
        Self {
            key,
            what: list,
            far: LEADS,
        }
    }

    /// The number of what is known.
    fn record(self) -> usize {
        usize::try_from(self.what).unwrap_or(usize::MAX) & (MAX_RECORDS - 1)
    }

    /// The number of the list that it leads to.
    fn list(self) -> Option<usize> {
        (self.far == LEADS).then(|| usize::try_from(self.what).unwrap_or(usize::MAX))
    }

    /// The lengths for the address with this key, in a list behind so many bits.
    fn lens(self, key: u32, next: u32, before: u32) -> Lens {
        // Neither matters if the entry is the first or the last of its list: then it is far.
        let begin = length(before, key, self.key.wrapping_sub(1));
        let end = length(before, key, next);
        let (begins, ends) = (spread(self.what >> BEGINS), spread(self.what >> ENDS));
        let mut lens = self.far;
        for ((len, begins), ends) in lens.iter_mut().zip(begins).zip(ends) {
            *len = (*len).max(begin & begins).max(end & ends);
        }
        lens
    }
}

/// The length of the widest prefix around the address with a key that the one with another is not
/// in.
fn length(before: u32, key: u32, other: u32) -> u8 {
    u8::try_from(before + (key ^ other).leading_zeros() + 1).unwrap_or(u8::MAX)
}

/// A byte of ones for each of four bits that is set, so that it takes no branch to heed them.
fn spread(bits: u32) -> [u8; 4] {
    ((bits & 0xF).wrapping_mul(0x0020_4081) & 0x0101_0101)
        .wrapping_mul(0xFF)
        .to_le_bytes()
}

/// Where the addresses end that are alike at one level, seen from an entry.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edges {
    /// They begin with the entry.
    pub(crate) begins: bool,
    /// They end with the entry.
    pub(crate) ends: bool,
    /// The length that follows from the ends that are as far from all addresses of the entry.
    pub(crate) far: u8,
}

/// Where a list is, or the entry that is all of a part: 27 bits of a number, which counts pairs of
/// words, and how many bits of a key its index goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List(u32);

const NUMBER_BITS: u32 = 27;
/// In the place of how many bits: an entry is all of it.
const WHOLE: u32 = (1 << (u32::BITS - NUMBER_BITS)) - 1;
/// Lists begin at multiples of so many words.
pub(crate) const ALIGNMENT: usize = 2;
/// No list may begin behind so many words.
pub(crate) const MAX_WORDS: usize = ALIGNMENT << NUMBER_BITS;

impl List {
    /// An entry alone.
    pub(crate) fn whole(word: usize) -> Self {
        Self::at(word, WHOLE)
    }

    /// One whose index begins there and goes by so many bits.
    pub(crate) fn at(word: usize, bits: u32) -> Self {
        Self(u32::try_from(word / ALIGNMENT).unwrap_or(u32::MAX) | bits << NUMBER_BITS)
    }

    fn word(self) -> usize {
        let number = usize::try_from(self.0).unwrap_or(usize::MAX);
        (number & ((1 << NUMBER_BITS) - 1)) * ALIGNMENT
    }

    fn bits(self) -> u32 {
        self.0 >> NUMBER_BITS
    }
}

/// All addresses of a family, as numbers of 128 bits: those of IPv4 stand at the upper end.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// For each value of the topmost bits.
    pub(crate) parts: Box<[List]>,
    /// Those that entries lead to.
    pub(crate) lists: Box<[List]>,
    /// The lists, each with its index before it, so that one place in memory has both: a page that
    /// is not at hand takes longer than all else. The index tells, for each value of the bits that
    /// it goes by, the last entry that begins at or before the first such key, and then the last
    /// entry of all. `PADDING` more at the end.
    pub(crate) words: Box<[u32]>,
    /// Entries that say what is known.
    pub(crate) len: usize,
}

/// Words at the end of a table that mean nothing: there is always something to be looked at.
pub(crate) const PADDING: usize = (FEW + 1) * WORDS;

impl Table {
    /// The number of what is known of an address, with the lengths around it.
    #[inline]
    pub(crate) fn find(&self, address: u128) -> Option<(usize, Lens)> {
        let part = address >> (u128::BITS - PART_BITS);
        let mut list = *self.parts.get(usize::try_from(part).ok()?)?;
        if list.bits() == WHOLE {
            let words = self.words.get(list.word()..)?.first_chunk()?;
            let entry = Entry::from_words(*words);
            return Some((entry.record(), entry.far));
        }
        let mut before = PART_BITS;
        for _ in 0..MAX_DEPTH {
            let key = key(address, before);
            let (entry, next) = self.search(list, key)?;
            let Some(inner) = entry.list() else {
                return Some((entry.record(), entry.lens(key, next, before)));
            };
            list = *self.lists.get(inner)?;
            before += KEY_BITS;
        }
        None
    }

    /// The last entry of a list that begins at or before a key, and the key of the one behind it.
    #[inline]
    fn search(&self, list: List, key: u32) -> Option<(Entry, u32)> {
        let list_words = self.words.get(list.word()..)?;
        let place = usize::try_from(u64::from(key) >> (KEY_BITS - list.bits())).ok()?;
        let [from, to] = *list_words.get(place..)?.first_chunk()?;
        let from = usize::try_from(from).ok()?;
        let more = usize::try_from(to).ok()?.checked_sub(from)?;
        let entries = list_words.get((1 << list.bits()) + 1 + from * WORDS..)?;
        let behind = entries.get(WORDS..)?;
        let mut count = 0;
        if more <= FEW {
            let few: &[u32; FEW * WORDS] = behind.first_chunk()?;
            for (at, [first, ..]) in few.as_chunks::<WORDS>().0.iter().enumerate() {
                count += usize::from((at < more) & (*first <= key));
            }
        } else {
            let all = behind.as_chunks::<WORDS>().0.get(..more)?;
            count = all.partition_point(|[first, ..]| *first <= key);
        }
        let [a, b, c, next, ..] = *entries
            .get(count * WORDS..)?
            .first_chunk::<{ WORDS + 1 }>()?;
        Some((Entry::from_words([a, b, c]), next))
    }

    /// Entries that say what is known.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.parts) + size_of_val(&*self.lists) + size_of_val(&*self.words)
    }
}

/// The key of an address in a list behind so many bits.
pub(crate) fn key(address: u128, before: u32) -> u32 {
    ((address << before) >> (u128::BITS - KEY_BITS)) as u32
}

/// The length of the widest prefix around an address that another one is not in.
pub(crate) fn beside(address: u128, other: u128) -> u8 {
    u8::try_from((address ^ other).leading_zeros() + 1).unwrap_or(128)
}
