//! A search in a table, in steps: each needs another place in memory, and whoever has more than one
//! address to find goes on with the others while that is on its way.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a table has fewer words than 32 bits count"
)]

use std::net::IpAddr;

use crate::atlas::embedded;
use crate::table::{
    ENTRIES_PER_PLACE, Entry, KEY_BITS, Lens, List, MAX_DEPTH, PART_BITS, PART_WORDS, Part, Table,
    WORDS, key,
};

/// The most entries between two places of an index that are all looked at, side by side in memory:
/// that takes no branch, which would be guessed wrong half the time. More are searched.
const FEW: usize = 8;
/// Words at the end of a table that mean nothing: there is always something to be looked at.
pub(crate) const PADDING: usize = (FEW + 1) * WORDS;

impl Table {
    /// The number of what is known of an address, with the lengths around it.
    #[inline]
    pub(crate) fn find(&self, address: u128) -> Option<(u32, Lens)> {
        let mut list = match self.part(part_word(address))? {
            Reached::Known(record, lens) => return Some((record, lens)),
            Reached::List(list) => list,
        };
        let mut before = PART_BITS;
        for _ in 0..MAX_DEPTH {
            let key = key(address, before);
            let (place, entries) = place(list, key);
            let (first, more) = self.span(place, entries)?;
            match self.choose((first, more), key, before)? {
                Reached::Known(record, lens) => return Some((record, lens)),
                Reached::List(inner) => list = inner,
            }
            before += KEY_BITS;
        }
        None
    }

    /// What the part says that this word begins.
    #[inline]
    fn part(&self, word: u32) -> Option<Reached> {
        let words = self.words.get(word as usize..)?.first_chunk()?;
        Some(match Part::from_words(*words).read() {
            Ok((record, lens)) => Reached::Known(record, lens),
            Err(list) => Reached::List(list),
        })
    }

    /// The first of the entries that a place of an index tells, and how many there are behind it.
    #[inline]
    fn span(&self, place: u32, entries: u32) -> Option<(u32, u32)> {
        let [from, to] = *self.words.get(place as usize..)?.first_chunk()?;
        Some((entries + from * WORDS as u32, to.checked_sub(from)?))
    }

    /// What the entry says that a key is in.
    #[inline]
    fn choose(&self, (first, more): (u32, u32), key: u32, before: u32) -> Option<Reached> {
        let entries = self.words.get(first as usize..)?;
        let (entry, next) = last_begun(entries, more as usize, key)?;
        Some(match entry.list() {
            Some(inner) => Reached::List(*self.lists.get(inner)?),
            None => Reached::Known(entry.record(), entry.lens(key, next, before)),
        })
    }
}

/// Where a step has led.
#[derive(Clone, Copy)]
enum Reached {
    /// To the number of what is known, and the lengths around the address.
    Known(u32, Lens),
    List(List),
}

/// The word of a table that an address's part begins with.
#[inline]
fn part_word(address: u128) -> u32 {
    (address >> (u128::BITS - PART_BITS)) as u32 * PART_WORDS as u32
}

/// The words where the place of a key in a list's index is, and where its entries begin.
#[inline]
fn place(list: List, key: u32) -> (u32, u32) {
    let place = u64::from(key) >> (KEY_BITS - list.bits());
    (
        list.word() + place as u32,
        list.word() + (1 << list.bits()) + 1,
    )
}

/// The tables of both families.
#[derive(Debug, Default)]
pub(crate) struct Families {
    pub(crate) v4: Table,
    pub(crate) v6: Table,
    /// Whether IPv6 addresses that contain an IPv4 one are looked up as that. Where nothing is known
    /// at all, that would only split what is the same.
    pub(crate) embeds: bool,
}

impl Families {
    /// The table that an address is looked up in, as which number, and how many bits of the address
    /// stand before what that begins with.
    #[inline]
    pub(crate) fn of(&self, address: IpAddr) -> (&Table, u128, u8) {
        match address {
            IpAddr::V4(v4) => (&self.v4, u128::from(v4.to_bits()) << 96, 0),
            IpAddr::V6(v6) => match embedded(v6.to_bits()) {
                Some((v4, before)) if self.embeds => (&self.v4, u128::from(v4) << 96, before),
                _ => (&self.v6, v6.to_bits(), 0),
            },
        }
    }

    /// Of memory.
    pub(crate) fn bytes(&self) -> usize {
        self.v4.bytes() + self.v6.bytes()
    }
}

/// One address's way through a table. All of it is small numbers, which are changed in place: what
/// is written in pieces and then read as a whole is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    table: &'a Table,
    pub(crate) address: u128,
    /// How many bits of the address are behind it.
    before: u32,
    at: At,
    /// The word of the table that is to be read next; at the end, the record.
    word: u32,
    /// At an index, the word where its entries begin; at entries, how many are behind the first; at
    /// the end, the lengths.
    more: u32,
}

/// What is to be read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Part,
    /// The place of an index that the key has.
    Index,
    Entries,
    /// Nothing: it is known.
    End,
    /// Nothing: the table is empty.
    Nowhere,
}

impl<'a> Search<'a> {
    #[inline]
    pub(crate) fn new(table: &'a Table, address: u128) -> Self {
        Self {
            table,
            address,
            before: PART_BITS,
            at: At::Part,
            word: part_word(address),
            more: 0,
        }
    }

    /// The memory that the next step reads; or what is known, if there is none.
    #[inline]
    pub(crate) fn needs(&self) -> Result<&'a [u32], Option<u32>> {
        let words = match self.at {
            At::Part => PART_WORDS,
            // An index of one place, and the entries behind it; or the last place of an index.
            At::Index if self.is_last_place() => 2 + (ENTRIES_PER_PLACE + 1) * WORDS,
            At::Index => 2,
            At::Entries => (self.more as usize + 2) * WORDS,
            At::End => return Err(Some(self.word)),
            At::Nowhere => return Err(None),
        };
        let rest = self.table.words.get(self.word as usize..);
        Ok(rest.map_or(&[], |rest| rest.get(..words).unwrap_or(rest)))
    }

    /// Whether the entries follow the place of the index.
    #[inline]
    fn is_last_place(&self) -> bool {
        self.more == self.word + 2
    }

    /// Reads what it needs.
    #[inline]
    pub(crate) fn step(&mut self) {
        if self.go_on().is_none() {
            self.at = At::Nowhere;
        }
    }

    /// What is known of the address, with the lengths around it: as far as it has come, or by
    /// another search.
    #[inline]
    pub(crate) fn end(&self) -> Option<(u32, Lens)> {
        match self.at {
            At::End => Some((self.word, self.more.to_le_bytes())),
            At::Nowhere => None,
            At::Part | At::Index | At::Entries => self.table.find(self.address),
        }
    }

    #[inline]
    fn go_on(&mut self) -> Option<()> {
        match self.at {
            At::Part => {
                let reached = self.table.part(self.word)?;
                self.reach(reached);
            }
            At::Index => {
                let last = self.is_last_place();
                let first = self.more;
                (self.word, self.more) = self.table.span(self.word, self.more)?;
                self.at = At::Entries;
                // Then they are in the memory that was asked for.
                if last && self.word == first {
                    self.go_on_from_entries()?;
                }
            }
            At::Entries => self.go_on_from_entries()?,
            At::End | At::Nowhere => {}
        }
        Some(())
    }

    #[inline]
    fn go_on_from_entries(&mut self) -> Option<()> {
        let key = key(self.address, self.before);
        let reached = self
            .table
            .choose((self.word, self.more), key, self.before)?;
        self.before += KEY_BITS;
        self.reach(reached);
        Some(())
    }

    #[inline]
    fn reach(&mut self, reached: Reached) {
        (self.at, self.word, self.more) = match reached {
            Reached::Known(record, lens) => (At::End, record, u32::from_le_bytes(lens)),
            Reached::List(list) => {
                let (word, entries) = place(list, key(self.address, self.before));
                (At::Index, word, entries)
            }
        };
    }
}

/// The last of these entries that begins at or before a key, and the key of the one behind it.
#[inline]
fn last_begun(entries: &[u32], more: usize, key: u32) -> Option<(Entry, u32)> {
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
