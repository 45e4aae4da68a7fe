//! The flat table of one family of addresses. What an entry means is others' business; how a table
//! is made is that of `shelf`, how something is found in it that of `search`, how a list lies in
//! memory that of `line`.
//!
//! The topmost 16 bits of an address choose its **part**. A part in which nothing changes says all
//! itself; any other is a **list** of entries, told apart by the 32 bits that follow. Where those do
//! not suffice, as behind a /48, an entry leads to a list of its own for the next 32 bits: so a key
//! is short, and IPv6 takes no more room than IPv4.

use crate::line::{Line, PARTS_PER_LINE};

/// The topmost bits, which choose the part.
pub(crate) const PART_BITS: u32 = 16;
/// The words that a [`Part`] takes.
pub(crate) const PART_WORDS: usize = 2;
/// The lines of all parts.
pub(crate) const PART_LINES: usize = (1 << PART_BITS) / PARTS_PER_LINE;
/// The bits of a key.
pub(crate) const KEY_BITS: u32 = 32;
/// How deep lists lie inside one another: as many keys as an address has behind its topmost bits.
pub(crate) const MAX_DEPTH: u32 = 4;
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

/// Records have numbers below this.
pub(crate) const MAX_RECORDS: usize = 1 << BEGINS;
const BEGINS: u32 = 24;
const ENDS: u32 = 28;
/// In the place of lengths: it is a list that is meant.
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

    pub(crate) fn from_words([key, what, far]: [u32; 3]) -> Self {
        Self {
            key,
            what,
            far: far.to_le_bytes(),
        }
    }

    /// The words of entries as they stand in a leaf: keys, what they say, far lengths.
    pub(crate) fn columns<const N: usize>(entries: [Self; N]) -> [[u32; N]; 3] {
        [
            entries.map(|entry| entry.key),
            entries.map(|entry| entry.what),
            entries.map(|entry| u32::from_le_bytes(entry.far)),
        ]
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
    pub(crate) fn record(self) -> u32 {
        self.what & ((1 << BEGINS) - 1)
    }

    /// The number of the list that it leads to.
    pub(crate) fn list(self) -> Option<usize> {
        (self.far == LEADS).then(|| usize::try_from(self.what).unwrap_or(usize::MAX))
    }

    /// The lengths for the address with this key, in a list behind so many bits.
    pub(crate) fn lens(self, key: u32, next: u32, before: u32) -> Lens {
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

/// Where a list is: 27 bits of the number of its topmost line, and above them how many branches
/// there are on the way to each leaf; or that the line is the first of its slots.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List(u32);

const NUMBER_BITS: u32 = 27;
/// In the place of a height: the list is divided into slots.
const SLOTS: u32 = (1 << (u32::BITS - NUMBER_BITS)) - 1;
/// No line may have this number or a higher one.
pub(crate) const MAX_LINES: usize = 1 << NUMBER_BITS;

impl List {
    /// One whose topmost line that is. Of so many lines that there could be, each branch having
    /// sixteen, a list is less than eight high.
    pub(crate) fn at(line: u32, height: u32) -> Self {
        Self(line | height << NUMBER_BITS)
    }

    /// One that is divided into slots, with the first line of these.
    pub(crate) fn in_slots(line: u32) -> Self {
        Self::at(line, SLOTS)
    }

    /// Whether it is divided into slots.
    pub(crate) fn has_slots(self) -> bool {
        self.height() == SLOTS
    }

    /// The list of a word in slots.
    pub(crate) fn from_word(word: u32) -> Self {
        Self(word)
    }

    /// As it stands in slots.
    pub(crate) fn word(self) -> u32 {
        self.0
    }

    /// The line that it begins with.
    pub(crate) fn line(self) -> u32 {
        self.0 & ((1 << NUMBER_BITS) - 1)
    }

    /// The branches above each leaf.
    pub(crate) fn height(self) -> u32 {
        self.0 >> NUMBER_BITS
    }
}

/// What the topmost bits choose: a list, or what is known of all addresses that begin with them,
/// which takes no other place in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// The number of what is known, or the list.
    what: u32,
    /// The lengths, or that it is a list.
    lens: Lens,
}

impl Part {
    /// All its addresses have this record and these lengths.
    pub(crate) fn whole(record: u32, lens: Lens) -> Self {
        Self { what: record, lens }
    }

    pub(crate) fn list(list: List) -> Self {
        Self {
            what: list.0,
            lens: LEADS,
        }
    }

    pub(crate) fn from_words([what, lens]: [u32; PART_WORDS]) -> Self {
        Self {
            what,
            lens: lens.to_le_bytes(),
        }
    }

    /// As it stands in a table.
    pub(crate) fn words(self) -> [u32; PART_WORDS] {
        [self.what, u32::from_le_bytes(self.lens)]
    }

    /// The number of what is known and the lengths; or the list.
    #[inline]
    pub(crate) fn read(self) -> Result<(u32, Lens), List> {
        if self.lens == LEADS {
            return Err(List(self.what));
        }
        Ok((self.what, self.lens))
    }
}

/// All addresses of a family, as numbers of 128 bits: those of IPv4 stand at the upper end.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Those that entries lead to.
    pub(crate) lists: Box<[List]>,
    /// For each value of the topmost bits a [`Part`]; behind them the lists. All is one block: a page
    /// that is not at hand takes longer than all else.
    pub(crate) lines: Box<[Line]>,
    /// Entries that say what is known.
    pub(crate) len: usize,
}

impl Table {
    /// Entries that say what is known.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.lists) + size_of_val(&*self.lines)
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
