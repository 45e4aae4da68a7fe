//! The file of a map: its header, and reading it. Numbers are little-endian.
//!
//! ```text
//! header     magic 8 · version u32 · regions u16 · countries u16 · build u64 · made u64
//!            · rows u32 · ranges of IPv4 u32 · of IPv6 u32 · BLAKE3 of all but itself 32
//! regions    length u8 · name · latitude f32 · longitude f32, for each, by name
//! countries  2 letters each, by name
//! rows       see `rows`
//! IPv4       first address u32, for each · row u32, for each
//! IPv6       first 64 bits u64, for each · row u32, for each
//! ```
//! A range reaches up to the next one; row `FFFFFFFF` is that nothing is said. There are no offsets,
//! and the tables that are searched are made while it is read: what is in a file decides what is
//! found, and never where memory is looked at.

use meridian_model::Country;

use super::order::Order;
use super::rows::{self, Rows};
use super::{LatencyMap, MAX_REGIONS, MapRegion};
use crate::layer::TooLarge;
use crate::point::Point;
use crate::runs::{MAX_ENTRIES, Run, barriers, joined, overlay, runs};
use crate::search::Families;
use crate::shelf::{Known, Shelf, Stretch};
use crate::table::{MAX_RECORDS, Table};

const MAGIC: [u8; 8] = *b"meridlat";
/// That of the one format that is written and read.
const VERSION: u32 = 1;
const DIGEST_AT: usize = 44;
const DIGEST: usize = 32;
/// In the place of a row: nothing is said.
pub(super) const NOTHING: u32 = u32::MAX;

/// Why a map can be neither written nor read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MapFault {
    /// It does not begin as one.
    #[error("it is no latency map")]
    NoMap,
    /// It is of another version of the format.
    #[error("its format is version {0}, and version {VERSION} is needed: build it anew")]
    Version(u32),
    /// It has less or more bytes than it says.
    #[error("it is cut off, or has something behind its end")]
    Length,
    /// The bytes are not those that were written.
    #[error("its checksum is wrong: it was changed or damaged")]
    Checksum,
    /// More than a map may have.
    #[error("more than {MAX_REGIONS} regions, 2^24 different rows, or 2^26 ranges of a family")]
    TooLarge,
    /// Names of regions are empty or too long, stand in no order or twice, or a place is none.
    #[error("its regions are not in order")]
    Regions,
    /// A country is none, or they stand in no order or twice.
    #[error("its countries are not in order")]
    Countries,
    /// A row has not one number for each region, or a number is none.
    #[error("a row has numbers that are none, or not one for each region")]
    Row,
    /// Ranges do not begin at 0, are in no order, or have rows that are not there.
    #[error("its ranges are not in order, or have rows that are not there")]
    Ranges,
}

impl From<TooLarge> for MapFault {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// What stands before all else.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) build: u64,
    pub(super) made_s: u64,
    pub(super) regions: usize,
    pub(super) countries: usize,
    pub(super) rows: usize,
    pub(super) v4: usize,
    pub(super) v6: usize,
}

impl Header {
    /// A file that begins with it, with room for about so much more. Counts are bounded by
    /// whoever fills them in.
    pub(super) fn begin(&self, about: usize) -> Vec<u8> {
        let short = |count| u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
        let long = |count| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
        let mut file = Vec::with_capacity(about + 64 * (self.regions + self.countries + 2));
        file.extend(MAGIC);
        file.extend(VERSION.to_le_bytes());
        file.extend([self.regions, self.countries].map(short).as_flattened());
        file.extend(self.build.to_le_bytes());
        file.extend(self.made_s.to_le_bytes());
        file.extend([self.rows, self.v4, self.v6].map(long).as_flattened());
        file.extend([0; DIGEST]);
        file
    }

    /// Puts the checksum into a file that is otherwise complete.
    pub(super) fn end(file: &mut [u8]) {
        let digest = digest(file);
        if let (Some(digest), Some(there)) = (digest, file.get_mut(DIGEST_AT..)) {
            for (there, byte) in there.iter_mut().zip(digest) {
                *there = byte;
            }
        }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, MapFault> {
        if bytes.array() != Ok(MAGIC) {
            return Err(MapFault::NoMap);
        }
        let version = bytes.u32()?;
        if version != VERSION {
            return Err(MapFault::Version(version));
        }
        let [regions, countries] = [bytes.array()?, bytes.array()?].map(u16::from_le_bytes);
        let [build, made_s] = [bytes.array()?, bytes.array()?].map(u64::from_le_bytes);
        let [rows, v4, v6] = [bytes.u32()?, bytes.u32()?, bytes.u32()?].map(|count| count as usize);
        bytes.take(DIGEST)?;
        let ranges = v4.max(v6);
        if usize::from(regions) > MAX_REGIONS || rows >= MAX_RECORDS || ranges > MAX_ENTRIES {
            return Err(MapFault::TooLarge);
        }
        Ok(Self {
            build,
            made_s,
            regions: regions.into(),
            countries: countries.into(),
            rows,
            v4,
            v6,
        })
    }
}

/// That of all bytes but itself; none where there are too few.
fn digest(file: &[u8]) -> Option<[u8; DIGEST]> {
    let (before, rest) = file.split_at_checked(DIGEST_AT)?;
    let (_, behind) = rest.split_at_checked(DIGEST)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(behind);
    Some(*hasher.finalize().as_bytes())
}

impl LatencyMap {
    /// The map in a file.
    ///
    /// # Errors
    ///
    /// If it is not one, or not the one that was written.
    pub fn read(file: &[u8]) -> Result<Self, MapFault> {
        let mut bytes = Bytes(file);
        let header = Header::read(&mut bytes)?;
        let stored = file.get(DIGEST_AT..).and_then(<[u8]>::first_chunk).copied();
        if stored.is_none() || digest(file) != stored {
            return Err(MapFault::Checksum);
        }
        let regions = read_regions(header.regions, &mut bytes)?;
        let countries = read_countries(header.countries, &mut bytes)?;
        let rows = bytes.items(header.rows, rows::width(header.regions))?;
        let rows = Rows::read(header.regions, countries.len(), rows).ok_or(MapFault::Row)?;
        let v4 = Ranges::<4>::read(header.v4, &mut bytes)?;
        let v6 = Ranges::<8>::read(header.v6, &mut bytes)?;
        if !bytes.0.is_empty() {
            return Err(MapFault::Length);
        }
        v4.check(rows.len())?;
        v6.check(rows.len())?;
        let says = v4.say() || v6.say();
        let v4_table = table(v4.runs(), &rows, header.v4)?;
        let v6_table = if says {
            let others = runs(barriers(rows.len() + 1)?, 0).into_iter();
            table(overlay(others, v6.runs()), &rows, header.v6)?
        } else {
            table(v6.runs(), &rows, 0)?
        };
        Ok(Self {
            build: header.build,
            made_s: header.made_s,
            regions,
            countries,
            rows,
            tables: Families {
                v4: v4_table,
                v6: v6_table,
                embeds: says,
            },
        })
    }
}

/// What of a file has not been read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], MapFault> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(MapFault::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    fn items(&mut self, count: usize, size: usize) -> Result<&'a [u8], MapFault> {
        self.take(count.checked_mul(size).ok_or(MapFault::Length)?)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MapFault> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(MapFault::Length)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, MapFault> {
        self.array().map(u32::from_le_bytes)
    }
}

fn read_regions(count: usize, bytes: &mut Bytes<'_>) -> Result<Box<[MapRegion]>, MapFault> {
    let mut regions: Vec<MapRegion> = Vec::with_capacity(count);
    for _ in 0..count {
        let [len] = bytes.array()?;
        let name = std::str::from_utf8(bytes.take(len.into())?).map_err(|_| MapFault::Regions)?;
        let [latitude, longitude] = [bytes.array()?, bytes.array()?].map(f32::from_le_bytes);
        let point = Point::new(latitude, longitude).ok_or(MapFault::Regions)?;
        let before = regions.last().map_or("", |region| &region.name);
        if name <= before {
            return Err(MapFault::Regions);
        }
        regions.push(MapRegion {
            name: name.into(),
            point,
        });
    }
    Ok(regions.into())
}

fn read_countries(count: usize, bytes: &mut Bytes<'_>) -> Result<Box<[Country]>, MapFault> {
    let mut countries = Vec::with_capacity(count.min(usize::from(rows::NO_COUNTRY)));
    for _ in 0..count {
        let code = bytes.array::<2>()?;
        let code = std::str::from_utf8(&code).ok().and_then(Country::new);
        let country = code.ok_or(MapFault::Countries)?;
        if countries.last().is_some_and(|before| *before >= country) {
            return Err(MapFault::Countries);
        }
        countries.push(country);
    }
    Ok(countries.into())
}

/// The ranges of a family whose first addresses take so many bytes.
struct Ranges<'a, const N: usize> {
    firsts: &'a [[u8; N]],
    rows: &'a [[u8; 4]],
}

impl<'a, const N: usize> Ranges<'a, N> {
    fn read(count: usize, bytes: &mut Bytes<'a>) -> Result<Self, MapFault> {
        let (firsts, _) = bytes.items(count, N)?.as_chunks();
        let (rows, _) = bytes.items(count, 4)?.as_chunks();
        Ok(Self { firsts, rows })
    }

    fn check(&self, rows: usize) -> Result<(), MapFault> {
        let begins = self
            .firsts
            .first()
            .is_none_or(|first| first.iter().all(|byte| *byte == 0));
        let firsts = self.firsts.iter().map(reversed);
        let there = |row: &[u8; 4]| {
            let row = u32::from_le_bytes(*row);
            row == NOTHING || (row as usize) < rows
        };
        let fit = begins && firsts.is_sorted_by(|a, b| a < b) && self.rows.iter().all(there);
        fit.then_some(()).ok_or(MapFault::Ranges)
    }

    /// Whether anything is said of any address.
    fn say(&self) -> bool {
        self.rows.iter().any(|row| *row != NOTHING.to_le_bytes())
    }

    /// As tables are made of them: record 0 is that nothing is said.
    fn runs(&self) -> impl Iterator<Item = Run> {
        let all = self.firsts.iter().zip(self.rows).map(|(first, row)| Run {
            first: upper(first),
            record: u32::from_le_bytes(*row).wrapping_add(1),
        });
        let none = self.firsts.is_empty().then_some(Run::NOTHING);
        joined(none.into_iter().chain(all))
    }
}

/// The bytes of a number, the most significant first: so they compare as it does.
fn reversed<const N: usize>(bytes: &[u8; N]) -> [u8; N] {
    let mut bytes = *bytes;
    bytes.reverse();
    bytes
}

/// A number that begins at the upper end of 128 bits.
fn upper<const N: usize>(bytes: &[u8; N]) -> u128 {
    let number = |all, byte: &u8| all << 8 | u128::from(*byte);
    bytes.iter().rev().fold(0, number) << (u128::BITS as usize - 8 * N)
}

/// Makes the table of a family, with about so many entries. The first of its four levels is that of
/// the row, all others are that of the order.
fn table(runs: impl Iterator<Item = Run>, rows: &Rows, about: usize) -> Result<Table, TooLarge> {
    let steps = |run: &Run| {
        let row = rows.get(run.record)?;
        Some(rows.steps(row))
    };
    let mut shelf = Shelf::with_capacity(about);
    let mut runs = runs.peekable();
    let mut alike = Vec::new();
    while let Some(first) = runs.next() {
        let mut order = Order::of(steps(&first));
        alike.clear();
        alike.push(first);
        while let Some(run) = runs.next_if(|run| order.is_that_of(steps(run))) {
            alike.push(run);
        }
        shelve(&alike, runs.peek().map(|run| run.first), &mut shelf)?;
    }
    Ok(shelf.table())
}

/// Adds runs that have the same order, which end before this address.
fn shelve(alike: &[Run], next: Option<u128>, shelf: &mut Shelf) -> Result<(), TooLarge> {
    let first = alike.first().map_or(0, |run| run.first);
    let order = Stretch { first, next };
    for (place, run) in alike.iter().enumerate() {
        let next = alike.get(place + 1).map_or(next, |run| Some(run.first));
        let own = Stretch {
            first: run.first,
            next,
        };
        let known = Known {
            record: run.record,
            stretches: [own, order, order, order],
        };
        shelf.add(run.first, next.map_or(u128::MAX, |next| next - 1), &known)?;
    }
    Ok(())
}
