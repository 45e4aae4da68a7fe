//! How long it takes from a client's address to each region: one look-up in a map that somebody has
//! made beforehand, and that never changes again.
//!
//! How it is written and read is below; what its numbers are made of is the business of whoever
//! drafts it, and what they do to an answer is that of `answer`.

mod draft;
mod file;
mod look_up;
mod order;
mod ranges;
mod rows;
mod scale;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use meridian_model::Country;

use crate::atlas::RangeId;
use crate::point::Point;
use crate::search::Families;
use crate::table::Lens;

pub use draft::{Cell, MapDraft, MapRow};
pub use file::MapFault;
pub use look_up::MapLookUp;
pub use ranges::MapRange;
use rows::Rows;

/// The most regions of a map.
pub const MAX_REGIONS: usize = 255;

/// Who is how far from where, in milliseconds. It never changes: a newer one takes its place.
#[derive(Debug)]
pub struct LatencyMap {
    build: u64,
    made_s: u64,
    regions: Box<[MapRegion]>,
    countries: Box<[Country]>,
    rows: Rows,
    tables: Families,
}

/// A region that a map has numbers for.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRegion {
    /// As record sets name it.
    pub name: Box<str>,
    /// Where it was when the map was made.
    pub point: Point,
}

/// The place of a region in [`LatencyMap::regions`]. It says nothing about any other map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionIndex(pub u8);

/// Where a number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// From samples of the very network.
    Measured,
    /// From samples of what it is part of: a larger network, its country.
    Inherited,
    /// From distances.
    Model,
}

/// The lengths, in bits of the address as it was asked for, of the widest prefixes that contain it
/// and in which all addresses are alike. At least 1 as soon as the map says anything of anybody: 0
/// is that of all addresses, those of the other family among them (RFC 7871 section 7.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapScopes {
    /// The same row.
    pub record: u8,
    /// The same order of all regions, so that among any of them the same ones are fastest.
    pub order: u8,
}

/// What a map says of an address, and how far around it.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    /// None where it says nothing.
    pub latencies: Option<Latencies<'a>>,
    /// How far around the address that is so.
    pub scope: MapScopes,
}

/// One row: how long it takes from some addresses to each region.
#[derive(Debug, Clone, Copy)]
pub struct Latencies<'a> {
    row: &'a [u8],
    map: &'a LatencyMap,
    range: RangeId,
    scope: MapScopes,
}

/// Sizes, for people and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapSize {
    /// Ranges of IPv4 addresses, those of which nothing is said included.
    pub v4: usize,
    /// The same of IPv6.
    pub v6: usize,
    /// Rows, each of which many ranges may have.
    pub rows: usize,
    /// Bytes of memory.
    pub bytes: usize,
}

impl LatencyMap {
    /// The number of the build: a later one has a higher one.
    pub fn build(&self) -> u64 {
        self.build
    }

    /// When it was made, in seconds since 1970.
    pub fn made_s(&self) -> u64 {
        self.made_s
    }

    /// The regions that it has numbers for, in the order of their names.
    pub fn regions(&self) -> &[MapRegion] {
        &self.regions
    }

    /// The region of this name.
    pub fn region(&self, name: &str) -> Option<RegionIndex> {
        let place = self
            .regions
            .binary_search_by(|region| (*region.name).cmp(name));
        Some(RegionIndex(u8::try_from(place.ok()?).ok()?))
    }

    /// What it says of an address; none where that is nothing.
    ///
    /// An IPv6 address that contains an IPv4 one, mapped or by 6to4, is looked up as that; its
    /// scopes count bits of the IPv6 address all the same.
    pub fn look_up(&self, address: IpAddr) -> Option<Latencies<'_>> {
        self.locate(address).latencies
    }

    /// The same, with the scopes of what it says nothing of.
    pub fn locate(&self, address: IpAddr) -> Located<'_> {
        let (table, address, before) = self.tables.of(address);
        self.located(table.find(address), address, before)
    }

    /// Begins to find out what it says of an address.
    #[inline]
    pub fn begin(&self, address: IpAddr) -> MapLookUp<'_> {
        MapLookUp::new(self, address)
    }

    /// What was found with lengths for an address whose first bit has so many before it.
    #[inline]
    fn located(&self, found: Option<(u32, Lens)>, address: u128, before: u8) -> Located<'_> {
        let (record, [record_len, order_len, ..]) = found.unwrap_or_default();
        let least = u8::from(self.tables.embeds);
        let scope = MapScopes {
            record: (before + record_len).max(least),
            order: (before + order_len).max(least),
        };
        let latencies = self.rows.get(record).map(|row| Latencies {
            row,
            map: self,
            // Where two regions are as fast, all that have the same order choose the same.
            range: RangeId::of(address, order_len),
            scope,
        });
        Located { latencies, scope }
    }

    /// Whether it says nothing of any address.
    pub fn is_empty(&self) -> bool {
        !self.tables.embeds
    }

    /// All ranges that it says anything of, those of IPv4 first, in order. It takes a look-up for
    /// each.
    pub fn ranges(&self) -> impl Iterator<Item = MapRange<'_>> {
        ranges::of(self)
    }

    /// Sizes, for people and metrics.
    pub fn size(&self) -> MapSize {
        let names = self.regions.iter().map(|region| region.name.len());
        MapSize {
            v4: self.tables.v4.len(),
            v6: self.tables.v6.len(),
            rows: self.rows.len(),
            bytes: self.tables.bytes()
                + self.rows.bytes()
                + names.sum::<usize>()
                + size_of_val(&*self.regions)
                + size_of_val(&*self.countries),
        }
    }
}

impl<'a> Latencies<'a> {
    /// How long it takes to a region and back, in milliseconds, to 1.5 %: 0.5 to 1000. None where
    /// the map has no number.
    #[inline]
    pub fn ms(&self, region: RegionIndex) -> Option<f32> {
        scale::ms(self.step(region)?)
    }

    /// The same as a step of the map's scale, of which one is about 3 % more than the one before.
    #[inline]
    pub fn step(&self, RegionIndex(region): RegionIndex) -> Option<u8> {
        let steps = self.map.rows.steps(self.row);
        let step = *steps.get(usize::from(region))?;
        (step != scale::NONE).then_some(step)
    }

    /// Where the number of a region comes from.
    pub fn origin(&self, RegionIndex(region): RegionIndex) -> Origin {
        self.map.rows.origin(self.row, region.into())
    }

    /// The country that the addresses are in, as far as that was known when the map was made.
    pub fn country(&self) -> Option<Country> {
        let place = self.map.rows.head(self.row).country;
        self.map.countries.get(usize::from(place)).copied()
    }

    /// About how many samples it comes from: to a sixteenth.
    pub fn samples(&self) -> u32 {
        scale::count(self.map.rows.head(self.row).samples)
    }

    /// How far to trust it, in percent.
    pub fn confidence(&self) -> u8 {
        self.map.rows.head(self.row).confidence
    }

    /// About how old the newest sample was when the map was made, in hours: to a sixteenth.
    pub fn age_h(&self) -> u16 {
        u16::try_from(scale::count(self.map.rows.head(self.row).age)).unwrap_or(u16::MAX)
    }

    /// What to choose by where two regions are as fast: the same for all inside the scope of the
    /// same order.
    pub fn range(&self) -> RangeId {
        self.range
    }

    /// How far around the address it is the same.
    pub fn scope(&self) -> MapScopes {
        self.scope
    }

    /// The map that says so.
    pub fn map(&self) -> &'a LatencyMap {
        self.map
    }
}
