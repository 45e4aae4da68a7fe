//! A search in a table, in steps: each needs another place in memory, and whoever has more than one
//! address to find goes on with the others while that is on its way.

use std::net::IpAddr;

use crate::atlas::embedded;
use crate::table::{Entry, KEY_BITS, Lens, List, MAX_DEPTH, PART_BITS, Part, Table, WORDS, key};

/// The most entries between two places of an index that are all looked at, side by side in memory:
/// that takes no branch, which would be guessed wrong half the time. More are searched.
const FEW: usize = 8;
/// Words at the end of a table that mean nothing: there is always something to be looked at.
pub(crate) const PADDING: usize = (FEW + 1) * WORDS;

impl Table {
    /// The number of what is known of an address, with the lengths around it.
    #[inline]
    pub(crate) fn find(&self, address: u128) -> Option<(usize, Lens)> {
        Search::new(self, address).end()
    }
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

/// One address's way through a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    table: &'a Table,
    address: u128,
    /// How many bits of the address are behind it.
    before: u32,
    at: At<'a>,
}

/// What is to be read next.
#[derive(Debug, Clone, Copy)]
enum At<'a> {
    Part(&'a [u32; 2]),
    /// The place of the index that the key has, and the entries behind the index.
    Index(&'a [u32; 2], &'a [u32]),
    /// Entries, of which this many are behind the first.
    Entries(&'a [u32], usize),
    /// What is known.
    End(usize, Lens),
    /// The table is not what it should be.
    Nowhere,
}

impl<'a> Search<'a> {
    #[inline]
    pub(crate) fn new(table: &'a Table, address: u128) -> Self {
        let part = usize::try_from(address >> (u128::BITS - PART_BITS));
        let part = part.ok().and_then(|part| table.parts.get(part));
        Self {
            table,
            address,
            before: PART_BITS,
            at: part.map_or(At::Nowhere, At::Part),
        }
    }

    /// The memory that the next step reads; or what is known, if there is none.
    #[inline]
    pub(crate) fn needs(&self) -> Result<&'a [u32], Option<usize>> {
        match self.at {
            At::Part(words) | At::Index(words, _) => Ok(words),
            At::Entries(words, more) => Ok(words.get(..(more + 2) * WORDS).unwrap_or(words)),
            At::End(record, _) => Err(Some(record)),
            At::Nowhere => Err(None),
        }
    }

    /// Reads what it needs.
    #[inline]
    pub(crate) fn step(&mut self) {
        self.at = self.next().unwrap_or(At::Nowhere);
    }

    /// Goes all the way: what is known of the address, with the lengths around it.
    #[inline]
    pub(crate) fn end(mut self) -> Option<(usize, Lens)> {
        // To a part, and to an index and entries at each depth.
        for _ in 0..2 + 2 * MAX_DEPTH {
            match self.at {
                At::End(record, lens) => return Some((record, lens)),
                At::Nowhere => return None,
                At::Part(_) | At::Index(..) | At::Entries(..) => self.step(),
            }
        }
        None
    }

    #[inline]
    fn next(&mut self) -> Option<At<'a>> {
        match self.at {
            At::Part(words) => match Part::from_words(*words).read() {
                Ok((record, lens)) => Some(At::End(record, lens)),
                Err(list) => self.begin(list),
            },
            At::Index([from, to], entries) => {
                let from = usize::try_from(*from).ok()?;
                let more = usize::try_from(*to).ok()?.checked_sub(from)?;
                Some(At::Entries(entries.get(from * WORDS..)?, more))
            }
            At::Entries(entries, more) => {
                let key = key(self.address, self.before);
                let (entry, next) = last_begun(entries, more, key)?;
                let Some(inner) = entry.list() else {
                    return Some(At::End(entry.record(), entry.lens(key, next, self.before)));
                };
                self.before += KEY_BITS;
                self.begin(*self.table.lists.get(inner)?)
            }
            end @ (At::End(..) | At::Nowhere) => Some(end),
        }
    }

    /// Goes into a list.
    #[inline]
    fn begin(&self, list: List) -> Option<At<'a>> {
        let words = self.table.words.get(list.word()..)?;
        let key = u64::from(key(self.address, self.before));
        let place = usize::try_from(key >> (KEY_BITS - list.bits())).ok()?;
        let index = words.get(place..)?.first_chunk()?;
        Some(At::Index(index, words.get((1 << list.bits()) + 1..)?))
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
