//! The atlas itself: one look-up per query, from an address to its place and to how far around the
//! address the place is the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU8;

use crate::layer::{Layer, Source, TooLarge};
use crate::operator::{Operator, Operators};
use crate::place::Place;
use crate::point::{Direction, Point};
use crate::runs::{self, Record};
use crate::search::{Families, Search};
use crate::table::Lens;

/// All that is known of who is where. It never changes: a newer one takes its place.
///
/// The default knows nothing about anybody.
#[derive(Debug, Default)]
pub struct Atlas {
    tables: Families,
    records: Box<[Spot]>,
    operators: Operators,
    sources: Box<[Source]>,
}

/// A record, with what follows from it and takes time to compute; on a line of memory of its own.
#[derive(Debug)]
#[repr(align(64))]
pub struct Spot {
    place: Place,
    direction: Option<Direction>,
    /// The place of the source in the list, counted from 1.
    source: Option<NonZeroU8>,
}

/// What is known of an address.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Where it is.
    pub place: &'a Place,
    /// Its point, ready for being compared.
    pub direction: Option<Direction>,
    /// The addresses around it with the same.
    pub range: Range,
    /// How far around the address it is the same.
    pub scope: Scopes,
    /// Who says so; nobody knows where [`Place::UNKNOWN`] is.
    pub source: Option<&'a Source>,
}

/// A range of addresses: all inside [`Scopes::record`] of the one that was looked up.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// One of them, at the upper end.
    address: u128,
    /// How many bits of it they have in common.
    len: u8,
}

impl Range {
    /// Of all addresses.
    pub const ALL: Self = Self { address: 0, len: 0 };

    /// What to choose by where nothing else tells places apart.
    pub fn id(self) -> RangeId {
        RangeId::of(self.address, self.len)
    }
}

/// The number of a range of addresses: the same for all inside [`Scopes::record`], and the same in
/// every atlas that has this very range. It says nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RangeId(pub u32);

/// The lengths, in bits of the address as it was asked for, of the widest prefixes that contain it
/// and in which all addresses have the same answer to one question. Each is at most as long as the
/// one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes {
    /// The same in everything: point and source, too.
    pub record: u8,
    /// In the same subdivision.
    pub subdivision: u8,
    /// In the same country, or all in none.
    pub country: u8,
    /// On the same continent, or all on none.
    pub continent: u8,
}

impl Atlas {
    /// What these layers know: of each address, what the first one says that knows it.
    ///
    /// # Errors
    ///
    /// If the table would be too large.
    pub fn new(layers: Vec<Layer>) -> Result<Self, TooLarge> {
        let flat = runs::flatten(layers)?;
        Ok(Self {
            tables: flat.tables,
            records: flat.records.into_iter().map(Spot::of).collect(),
            operators: flat.operators,
            sources: flat.sources.into(),
        })
    }

    /// Finds out where an address is.
    ///
    /// An IPv6 address that contains an IPv4 one, mapped (`::ffff:192.0.2.1`) or by 6to4
    /// (`2002:c000:201::1`), is where that is; its scopes count bits of the IPv6 address all the
    /// same.
    pub fn look_up(&self, address: IpAddr) -> Found<'_> {
        let (table, bits, before) = self.tables.of(address);
        self.found(table.find(bits), bits, before)
    }

    /// Begins to find out where an address is.
    #[inline]
    pub fn begin(&self, address: IpAddr) -> LookUp<'_> {
        let (table, bits, before) = self.tables.of(address);
        LookUp {
            atlas: self,
            search: Search::new(table, bits),
            before,
        }
    }

    /// What the record of this number says, which was found with lengths for an address whose first
    /// bit has so many before it.
    #[inline]
    fn found(&self, found: Option<(u32, Lens)>, address: u128, before: u8) -> Found<'_> {
        let record = |number: u32| self.records.get(number as usize);
        let found = found.and_then(|(number, lens)| Some((record(number)?, lens)));
        let Some((spot, [record, subdivision, country, continent])) = found else {
            return Found::NOTHING;
        };
        let source = |place: NonZeroU8| self.sources.get(usize::from(place.get()) - 1);
        Found {
            place: &spot.place,
            direction: spot.direction,
            range: Range {
                address,
                len: record,
            },
            scope: Scopes {
                record: before + record,
                subdivision: before + subdivision,
                country: before + country,
                continent: before + continent,
            },
            source: spot.source.and_then(source),
        }
    }

    /// Whether nothing is known of any address of either family.
    pub fn is_empty(&self) -> bool {
        !self.tables.embeds
    }

    /// Who runs the network of an address, as far as any source knows. Not for queries: it takes
    /// longer than they should.
    pub fn operator(&self, address: IpAddr) -> Option<&Operator> {
        let operators = &self.operators;
        let of_v4 = |bits: u32| operators.find(&operators.v4, u128::from(bits) << 96);
        match address {
            IpAddr::V4(v4) => of_v4(v4.to_bits()),
            IpAddr::V6(v6) => match embedded(v6.to_bits()) {
                Some((v4, _)) => of_v4(v4),
                None => operators.find(&operators.v6, v6.to_bits()),
            },
        }
    }

    /// Who runs networks of IPv4, in order: from which address on who does, until the next.
    pub fn operators_v4(&self) -> impl Iterator<Item = (Ipv4Addr, Option<&Operator>)> {
        let ranges = self.operators.ranges(&self.operators.v4);
        ranges.map(|(first, operator)| {
            let [a, b, c, d, ..] = first.to_be_bytes();
            (Ipv4Addr::new(a, b, c, d), operator)
        })
    }

    /// The same of IPv6, but for addresses that contain one of IPv4.
    pub fn operators_v6(&self) -> impl Iterator<Item = (Ipv6Addr, Option<&Operator>)> {
        let ranges = self.operators.ranges(&self.operators.v6);
        ranges.map(|(first, operator)| (Ipv6Addr::from_bits(first), operator))
    }

    /// Who has contributed, in order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Sizes, for people and metrics.
    pub fn size(&self) -> AtlasSize {
        AtlasSize {
            v4: self.tables.v4.len(),
            v6: self.tables.v6.len(),
            places: self.records.len(),
            bytes: self.tables.bytes() + self.operators.bytes() + size_of_val(&*self.records),
        }
    }
}

/// Memory that a look-up reads next: whoever wants to wait for it less asks for it ahead.
#[derive(Debug, Clone, Copy)]
pub enum Needs<'a> {
    /// Of a table.
    Words(&'a [u32]),
    /// What is known of the address.
    Record(Option<&'a Spot>),
    /// What a latency map says of the address.
    Row(Option<&'a [u8]>),
}

/// A look-up on its way. It may be asked for its end at any time.
#[derive(Debug, Clone, Copy)]
pub struct LookUp<'a> {
    atlas: &'a Atlas,
    search: Search<'a>,
    /// The addresses of the table may begin behind some bits of those that were asked for.
    before: u8,
}

impl<'a> LookUp<'a> {
    /// The memory that the next step reads.
    #[inline]
    pub fn needs(&self) -> Needs<'a> {
        match self.search.needs() {
            Ok(words) => Needs::Words(words),
            Err(record) => {
                Needs::Record(record.and_then(|record| self.atlas.records.get(record as usize)))
            }
        }
    }

    /// Reads that.
    #[inline]
    pub fn step(&mut self) {
        self.search.step();
    }

    /// Where the address is.
    pub fn found(&self) -> Found<'a> {
        self.atlas
            .found(self.search.end(), self.search.address, self.before)
    }
}

impl Spot {
    fn of(record: Record) -> Self {
        let Record { place, source } = record;
        Self {
            place,
            direction: place.point.map(Point::direction),
            source,
        }
    }
}

impl Found<'_> {
    /// What an empty atlas says.
    const NOTHING: Self = Self {
        place: &Place::UNKNOWN,
        direction: None,
        range: Range::ALL,
        scope: Scopes {
            record: 0,
            subdivision: 0,
            country: 0,
            continent: 0,
        },
        source: None,
    };
}

impl RangeId {
    /// That of the prefix of this length around an address, at the upper end of 128 bits.
    pub(crate) fn of(address: u128, len: u8) -> Self {
        let behind = u128::MAX.checked_shr(len.into()).unwrap_or(0);
        let [a, b, c, d, e, f, g, h, rest @ ..] = (address & !behind).to_be_bytes();
        // What tells networks apart stands in the upper half.
        let upper = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let lower = u64::from_be_bytes(rest).rotate_left(32);
        // Multiplied by an odd number without a pattern, the upper half depends on all bits.
        let mixed = (upper ^ lower ^ u64::from(len)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let [a, b, c, d, ..] = (mixed ^ (mixed >> 29)).to_be_bytes();
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

/// The IPv4 address that an IPv6 one contains, and how many bits stand before it.
pub(crate) fn embedded(bits: u128) -> Option<(u32, u8)> {
    EMBEDDING.iter().find_map(|(prefix, len)| {
        let same = (bits ^ prefix) >> (128 - len) == 0;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the 32 bits behind the prefix"
        )]
        same.then_some(((bits >> (96 - len)) as u32, *len))
    })
}

/// The prefixes behind which IPv6 addresses contain IPv4 ones: mapped, and 6to4.
pub(crate) const EMBEDDING: [(u128, u8); 2] = [(0xFFFF << 32, 96), (0x2002 << 112, 16)];

/// Sizes, for people and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AtlasSize {
    /// Ranges of IPv4 addresses, those of which nothing is known included.
    pub v4: usize,
    /// The same of IPv6.
    pub v6: usize,
    /// Places.
    pub places: usize,
    /// Bytes of memory.
    pub bytes: usize,
}
