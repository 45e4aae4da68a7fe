//! A search in a table, in steps: each needs another place in memory, and whoever has more than one
//! address to find goes on with the others while that is on its way.
use std::net::IpAddr;

use crate::atlas::embedded;
use crate::line::{Line, PARTS_PER_LINE, WORDS};
use crate::slots::{SLOTS_WORDS, Slots};
use crate::table::{KEY_BITS, Lens, List, MAX_DEPTH, PART_BITS, Part, Table, key};

impl Table {
    /// The number of what is known of an address, with the lengths around it.
    #[inline]
    pub(crate) fn find(&self, address: u128) -> Option<(u32, Lens)> {
        let mut list = match self.part(address)? {
            Reached::Known(record, lens) => return Some((record, lens)),
            Reached::List(list) => list,
        };
        let mut before = PART_BITS;
        for _ in 0..MAX_DEPTH {
            let key = key(address, before);
            let within = self.slot(list, key)?;
            let leaf = self.below(within.line(), within.height(), key)?;
            match self.choose(leaf, key, before)? {
                Reached::Known(record, lens) => return Some((record, lens)),
                Reached::List(inner) => list = inner,
            }
            before += KEY_BITS;
        }
        None
    }

    #[inline]
    fn line(&self, number: u32) -> Option<&Line> {
        self.lines.get(number as usize)
    }

    /// What the part of an address says.
    #[inline]
    fn part(&self, address: u128) -> Option<Reached> {
        let (line, place) = part_of(address);
        Some(
            match Part::from_words(self.line(line)?.part(place)?).read() {
                Ok((record, lens)) => Reached::Known(record, lens),
                Err(list) => Reached::List(list),
            },
        )
    }

    /// The list that a key is in: its slot's, where a list is divided.
    #[inline]
    fn slot(&self, list: List, key: u32) -> Option<List> {
        if !list.has_slots() {
            return Some(list);
        }
        let slots = *self.line(list.line())?.words().first_chunk()?;
        let place = SLOTS_WORDS + Slots::from_words(slots).slot(key) as usize;
        let line = self.lines.get(list.line() as usize + place / WORDS)?;
        line.words()
            .get(place % WORDS)
            .copied()
            .map(List::from_word)
    }

    /// The line that a key is in, or below, so many branches below this one.
    #[inline]
    fn below(&self, line: u32, branches: u32, key: u32) -> Option<u32> {
        let mut line = line;
        for _ in 0..branches {
            line = self.line(line)?.child(key);
        }
        Some(line)
    }

    /// What the entry of a leaf says that a key is in.
    #[inline]
    fn choose(&self, leaf: u32, key: u32, before: u32) -> Option<Reached> {
        let (entry, next) = self.line(leaf)?.entry(key)?;
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

/// The line of an address's part, and its place in that.
#[inline]
fn part_of(address: u128) -> (u32, usize) {
    let [a, b, ..] = address.to_be_bytes();
    let part = usize::from(u16::from_be_bytes([a, b]));
    #[expect(clippy::cast_possible_truncation, reason = "there are 2^13")]
    let line = (part / PARTS_PER_LINE) as u32;
    (line, part % PARTS_PER_LINE)
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
    /// The line of the table that is to be read next; at the end, the record.
    line: u32,
    /// At the end, the lengths.
    lens: u32,
}

/// What is to be read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Part,
    /// The lowest branch above the leaf that the key is in.
    Branch,
    Leaf,
    /// Nothing: it is known.
    End,
    /// Nothing: the table is empty.
    Nowhere,
}

impl<'a> Search<'a> {
    #[inline]
    pub(crate) fn new(table: &'a Table, address: u128) -> Self {
        let (line, _) = part_of(address);
        Self {
            table,
            address,
            before: PART_BITS,
            at: At::Part,
            line,
            lens: 0,
        }
    }

    /// The memory that the next step reads; or what is known, if there is none.
    #[inline]
    pub(crate) fn needs(&self) -> Result<&'a [u32], Option<u32>> {
        match self.at {
            At::Part | At::Branch | At::Leaf => {
                let line = self.table.line(self.line);
                Ok(line.map_or(&[], Line::words))
            }
            At::End => Err(Some(self.line)),
            At::Nowhere => Err(None),
        }
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
            At::End => Some((self.line, self.lens.to_le_bytes())),
            At::Nowhere => None,
            At::Part | At::Branch | At::Leaf => self.table.find(self.address),
        }
    }

    #[inline]
    fn go_on(&mut self) -> Option<()> {
        match self.at {
            At::Part => {
                let reached = self.table.part(self.address)?;
                self.reach(reached)?;
            }
            At::Branch => {
                let key = key(self.address, self.before);
                self.line = self.table.line(self.line)?.child(key);
                self.at = At::Leaf;
            }
            At::Leaf => {
                let key = key(self.address, self.before);
                let reached = self.table.choose(self.line, key, self.before)?;
                self.before += KEY_BITS;
                self.reach(reached)?;
            }
            At::End | At::Nowhere => {}
        }
        Some(())
    }

    #[inline]
    fn reach(&mut self, reached: Reached) -> Option<()> {
        match reached {
            Reached::Known(record, lens) => {
                (self.at, self.line, self.lens) = (At::End, record, u32::from_le_bytes(lens));
            }
            Reached::List(list) => {
                // Slots and the branches further up are so few that they are at hand: each line is
                // asked for by sixteen times as many look-ups as those below it.
                let key = key(self.address, self.before);
                let list = self.table.slot(list, key)?;
                let above = list.height().saturating_sub(1);
                self.line = self.table.below(list.line(), above, key)?;
                self.at = if list.height() == 0 {
                    At::Leaf
                } else {
                    At::Branch
                };
            }
        }
        Some(())
    }
}
