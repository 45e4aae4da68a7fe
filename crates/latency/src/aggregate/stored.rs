//! The aggregate as bytes, to outlive a restart. What is watched for shifts is not in them.
//!
//! All numbers from the low end. Magic and version; the tally; the regions; networks in order, each
//! with its clients and histograms; areas, the same; samples held out; and SipHash of all before.

use std::collections::{HashMap, VecDeque};
use std::hash::Hasher;

use meridian_atlas::{Continent, Country};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::{Aggregate, HeldOut, MAX_HELD_OUT, MAX_REGIONS, Tally};
use crate::area::Area;
use crate::bins::{self, Bin};
use crate::clients::Clients;
use crate::evenly::Evenly;
use crate::holding::{Cell, Holding};
use crate::key::Key;
use crate::recent::Recent;
use crate::refused::RefusedCounts;
use crate::rules::Rules;

const MAGIC: &[u8; 8] = b"MrdnLtAg";
const VERSION: u32 = 1;
const CHECKSUM: usize = 16;
/// More than any histogram comes to, and what a mistake may not exceed.
const MAX_WEIGHT: f32 = 1e12;
/// More than is ever counted, and still to be added to.
const MAX_COUNTED: u64 = u64::MAX >> 8;

/// Why bytes are no aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredFault {
    /// They are something else.
    #[error("not an aggregate of latencies")]
    Foreign,
    /// They are of a version that this one does not read.
    #[error(
        "an aggregate of latencies of version {0}, which this version of Meridian does not read"
    )]
    Version(u32),
    /// They are not what was written.
    #[error("the aggregate of latencies is damaged")]
    Damaged,
}

impl Aggregate {
    /// All that is to be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size().bytes / 2 + 4096);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        put_tally(&mut bytes, &self.tally);
        put_count(&mut bytes, self.regions.len());
        for region in &self.regions {
            put_text(&mut bytes, region);
        }
        let mut keys: Vec<(&Key, &Holding)> = self.keys.iter().collect();
        keys.sort_unstable_by_key(|(key, _)| **key);
        put_count(&mut bytes, keys.len());
        for (key, holding) in keys {
            bytes.extend(key.bits().to_le_bytes());
            put_holding(&mut bytes, holding);
        }
        let mut areas: Vec<(&Area, &Holding)> = self.areas.iter().collect();
        areas.sort_unstable_by_key(|(area, _)| **area);
        put_count(&mut bytes, areas.len());
        for (area, holding) in areas {
            put_area(&mut bytes, *area);
            put_holding(&mut bytes, holding);
        }
        put_count(&mut bytes, self.held_out.len());
        for sample in &self.held_out {
            bytes.extend(sample.key.bits().to_le_bytes());
            bytes.push(sample.region);
            bytes.extend(sample.at_min.to_le_bytes());
            bytes.extend(sample.ms.to_le_bytes());
        }
        sealed(bytes)
    }

    /// What [`Self::to_bytes`] wrote, from now on by these rules.
    ///
    /// # Errors
    ///
    /// If they are anything else.
    pub fn from_bytes(bytes: &[u8], rules: Rules) -> Result<Self, StoredFault> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(StoredFault::Foreign)?;
        let (version, _) = rest.split_first_chunk().ok_or(StoredFault::Damaged)?;
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return Err(StoredFault::Version(version));
        }
        let (body, sum) = bytes
            .split_last_chunk::<CHECKSUM>()
            .ok_or(StoredFault::Damaged)?;
        if checksum(body) != *sum {
            return Err(StoredFault::Damaged);
        }
        let behind = body.get(MAGIC.len() + size_of::<u32>()..);
        let mut reader = Reader(behind.ok_or(StoredFault::Damaged)?);
        reader.aggregate(rules).ok_or(StoredFault::Damaged)
    }
}

/// These bytes with their checksum behind them. Fuzz targets get past it by this.
#[cfg_attr(
    not(feature = "fuzzing"),
    expect(unreachable_pub, reason = "it is shown to fuzz targets alone")
)]
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&bytes);
    bytes.extend(checksum);
    bytes
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish128().as_bytes()
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, text.len());
    bytes.extend(text.bytes());
}

fn put_tally(bytes: &mut Vec<u8>, tally: &Tally) {
    for count in [tally.folded, tally.held_out, tally.shifts, tally.evicted] {
        bytes.extend(count.to_le_bytes());
    }
    put_count(bytes, tally.refused.iter().count());
    for (_, count) in tally.refused.iter() {
        bytes.extend(count.to_le_bytes());
    }
}

fn put_area(bytes: &mut Vec<u8>, area: Area) {
    bytes.extend(area.continent.as_str().bytes());
    bytes.extend(area.country.map_or(*b"  ", |country| {
        let mut code = country.as_str().bytes();
        [code.next().unwrap_or(b' '), code.next().unwrap_or(b' ')]
    }));
    bytes.extend(area.asn.unwrap_or(0).to_le_bytes());
    bytes.push(u8::from(area.asn.is_some()));
}

fn put_holding(bytes: &mut Vec<u8>, holding: &Holding) {
    let Clients { now, before, page } = holding.clients;
    bytes.extend(now.to_le_bytes());
    bytes.extend(before.to_le_bytes());
    bytes.extend(page.to_le_bytes());
    bytes.push(u8::try_from(holding.cells.len()).unwrap_or(u8::MAX));
    for cell in &holding.cells {
        bytes.push(cell.region);
        bytes.extend(cell.last_min.to_le_bytes());
        bytes.push(cell.bins);
    }
    for bin in &holding.bins {
        bytes.push(bin.bucket);
        bytes.extend(bin.offset.to_le_bytes());
        bytes.extend(bin.weight.to_le_bytes());
    }
}

/// What is still to be read. Every count is that of things which follow, so nothing is made larger
/// than the bytes are.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn u8(&mut self) -> Option<u8> {
        self.chunk().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    fn counted(&mut self) -> Option<u64> {
        self.u64().filter(|count| *count <= MAX_COUNTED)
    }

    fn text(&mut self, longest: u32) -> Option<Box<str>> {
        let len = self.u32().filter(|len| *len <= longest)?;
        let (text, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(Box::from)
    }

    fn aggregate(&mut self, rules: Rules) -> Option<Aggregate> {
        let tally = self.tally()?;
        let regions: Vec<Box<str>> = (0..self.u32()?)
            .map(|_| self.text(255))
            .collect::<Option<_>>()?;
        if regions.len() > MAX_REGIONS {
            return None;
        }
        let most = regions.len();
        let mut keys = HashMap::new();
        let mut last = None;
        for _ in 0..self.u32()? {
            let key = Key::stored(self.u64()?)?;
            // In order, so that none is there twice.
            if last.replace(key).is_some_and(|last| last >= key) {
                return None;
            }
            keys.insert(key, self.holding(most)?);
        }
        let mut areas = HashMap::new();
        let mut last = None;
        for _ in 0..self.u32()? {
            let area = self.area()?;
            if last.replace(area).is_some_and(|last| last >= area) {
                return None;
            }
            areas.insert(area, self.holding(most)?);
        }
        let mut held_out = VecDeque::new();
        for _ in 0..self.u32()? {
            held_out.push_back(self.held_out(most)?);
        }
        (self.0.is_empty() && held_out.len() <= MAX_HELD_OUT).then_some(Aggregate {
            rules,
            regions,
            keys,
            areas,
            held_out,
            recent: Recent::default(),
            directions: Vec::new(),
            evenly: Evenly::default(),
            tally,
        })
    }

    fn tally(&mut self) -> Option<Tally> {
        let mut tally = Tally {
            folded: self.counted()?,
            held_out: self.counted()?,
            shifts: self.counted()?,
            evicted: self.counted()?,
            refused: RefusedCounts::default(),
        };
        let counts: Vec<u64> = (0..self.u32()?)
            .map(|_| self.counted())
            .collect::<Option<_>>()?;
        tally.refused = RefusedCounts::stored(&counts)?;
        Some(tally)
    }

    fn area(&mut self) -> Option<Area> {
        let (continent, country) = (self.chunk::<2>()?, self.chunk::<2>()?);
        let (asn, has_asn) = (self.u32()?, self.u8()?);
        let country = match &country {
            b"  " => None,
            code => Some(Country::new(std::str::from_utf8(code).ok()?)?),
        };
        let continent = Continent::new(std::str::from_utf8(&continent).ok()?)?;
        let asn = (has_asn == 1).then_some(asn);
        if country.is_some_and(|country| Continent::of(country) != continent)
            || (country.is_none() && asn.is_some())
        {
            return None;
        }
        Some(Area {
            continent,
            country,
            asn,
        })
    }

    fn holding(&mut self, regions: usize) -> Option<Holding> {
        let clients = Clients {
            now: self.u64()?,
            before: self.u64()?,
            page: self.u16()?,
        };
        let cells: Vec<Cell> = (0..self.u8()?)
            .map(|_| self.cell(regions))
            .collect::<Option<_>>()?;
        if !cells.is_sorted_by(|a, b| a.region < b.region) {
            return None;
        }
        let mut bins: Vec<Bin> = Vec::new();
        for cell in &cells {
            let from = bins.len();
            for _ in 0..cell.bins {
                bins.push(self.bin()?);
            }
            let own = bins.get(from..)?;
            if !own.is_sorted_by(|a, b| a.bucket < b.bucket) {
                return None;
            }
        }
        bins.shrink_to_fit();
        Some(Holding {
            cells,
            bins,
            clients,
        })
    }

    fn cell(&mut self, regions: usize) -> Option<Cell> {
        let cell = Cell {
            region: self.u8()?,
            last_min: self.u32()?,
            bins: self.u8()?,
        };
        (usize::from(cell.region) < regions && (1..=bins::BINS).contains(&cell.bins))
            .then_some(cell)
    }

    fn bin(&mut self) -> Option<Bin> {
        let bin = Bin {
            bucket: self.u8()?,
            offset: self.u16()?,
            weight: self.chunk().map(f32::from_le_bytes)?,
        };
        (bin.bucket < bins::BINS && (0.0..=MAX_WEIGHT).contains(&bin.weight)).then_some(bin)
    }

    fn held_out(&mut self, regions: usize) -> Option<HeldOut> {
        let sample = HeldOut {
            key: Key::stored(self.u64()?)?,
            region: self.u8()?,
            at_min: self.u32()?,
            ms: self.chunk().map(f32::from_le_bytes)?,
        };
        let fits = usize::from(sample.region) < regions && (0.0..=10_000.0).contains(&sample.ms);
        fits.then_some(sample)
    }
}
