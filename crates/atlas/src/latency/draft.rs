//! A map in the making, and writing it as a file.

use std::collections::HashMap;

use meridian_model::Country;

use super::file::{Header, MapFault, NOTHING};
use super::rows::{self, Head, NO_COUNTRY};
use super::{MAX_REGIONS, MapRegion, Origin, scale};
use crate::runs::MAX_ENTRIES;
use crate::table::MAX_RECORDS;

/// All that a map is to say.
#[derive(Debug, Clone, Default)]
pub struct MapDraft {
    /// The number of the build: higher than those of all before.
    pub build: u64,
    /// When it is made, in seconds since 1970.
    pub made_s: u64,
    /// The regions, sorted by name, each once; at most [`MAX_REGIONS`].
    pub regions: Vec<MapRegion>,
    /// What ranges say. Those that say the same are stored once.
    pub rows: Vec<MapRow>,
    /// The first address of each range and the place of its row, `u32::MAX` where nothing is to be
    /// said. In order; the first begins at 0. None at all: nothing is said of IPv4.
    pub v4: Vec<(u32, u32)>,
    /// The same of IPv6, by the topmost 64 bits of addresses.
    pub v6: Vec<(u64, u32)>,
}

/// What is to be said of some addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRow {
    /// Where they are.
    pub country: Option<Country>,
    /// How many samples it comes from.
    pub samples: u32,
    /// How far to trust it, in percent.
    pub confidence: u8,
    /// How old the newest sample is, in hours.
    pub age_h: u16,
    /// One for each region.
    pub cells: Vec<Cell>,
}

/// What is to be said of a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// How long it takes there and back, if there is anything to be said: at least 0. Below 0.5 and
    /// above 1000 these are stored.
    pub ms: Option<f32>,
    /// Where that comes from.
    pub origin: Origin,
}

impl MapDraft {
    /// The map as a file.
    ///
    /// # Errors
    ///
    /// If it is too large, or is not as its fields say.
    pub fn write(self) -> Result<Vec<u8>, MapFault> {
        check_regions(&self.regions)?;
        check_firsts(&self.v4)?;
        check_firsts(&self.v6)?;
        let mut countries: Vec<Country> = self.rows.iter().filter_map(|row| row.country).collect();
        countries.sort_unstable();
        countries.dedup();
        if countries.len() > NO_COUNTRY.into() {
            return Err(MapFault::TooLarge);
        }
        let rows = encoded(&self.rows, self.regions.len(), &countries)?;
        let width = rows::width(self.regions.len());
        let mut numbers = Numbers {
            rows: rows.chunks_exact(width).collect(),
            known: HashMap::with_capacity(self.rows.len()),
            order: Vec::with_capacity(self.rows.len()),
        };
        let v4 = numbers.ranges(&self.v4)?;
        let v6 = numbers.ranges(&self.v6)?;
        let header = Header {
            build: self.build,
            made_s: self.made_s,
            regions: self.regions.len(),
            countries: countries.len(),
            rows: numbers.order.len(),
            v4: v4.len(),
            v6: v6.len(),
        };
        let mut file = header.begin(numbers.order.len() * width + v4.len() * 8 + v6.len() * 12);
        for region in &self.regions {
            // Checked to be no longer.
            file.push(u8::try_from(region.name.len()).unwrap_or(0));
            file.extend(region.name.as_bytes());
            file.extend(region.point.latitude().to_le_bytes());
            file.extend(region.point.longitude().to_le_bytes());
        }
        file.extend(countries.iter().flat_map(|code| code.as_str().bytes()));
        for row in &numbers.order {
            file.extend_from_slice(row);
        }
        write_ranges(&v4, &mut file, |first| first.to_le_bytes());
        write_ranges(&v6, &mut file, |first| first.to_le_bytes());
        Header::end(&mut file);
        Ok(file)
    }
}

fn write_ranges<T: Copy, const N: usize>(
    ranges: &[(T, u32)],
    file: &mut Vec<u8>,
    bytes: impl Fn(T) -> [u8; N],
) {
    for (first, _) in ranges {
        file.extend_from_slice(&bytes(*first));
    }
    for (_, row) in ranges {
        file.extend_from_slice(&row.to_le_bytes());
    }
}

fn check_regions(regions: &[MapRegion]) -> Result<(), MapFault> {
    if regions.len() > MAX_REGIONS {
        return Err(MapFault::TooLarge);
    }
    let fits = |region: &MapRegion| (1..=usize::from(u8::MAX)).contains(&region.name.len());
    if !regions.is_sorted_by(|a, b| a.name < b.name) || !regions.iter().all(fits) {
        return Err(MapFault::Regions);
    }
    Ok(())
}

fn check_firsts<T: Default + PartialOrd>(ranges: &[(T, u32)]) -> Result<(), MapFault> {
    if ranges.len() > MAX_ENTRIES {
        return Err(MapFault::TooLarge);
    }
    let begins = ranges
        .first()
        .is_none_or(|(first, _)| *first == T::default());
    if !begins || !ranges.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(MapFault::Ranges);
    }
    Ok(())
}

/// All rows, one behind the other.
fn encoded(rows: &[MapRow], regions: usize, countries: &[Country]) -> Result<Vec<u8>, MapFault> {
    let mut bytes = Vec::with_capacity(rows.len() * rows::width(regions));
    for row in rows {
        let country = row
            .country
            .and_then(|country| countries.binary_search(&country).ok());
        let head = Head {
            country: country
                .and_then(|place| u8::try_from(place).ok())
                .unwrap_or(NO_COUNTRY),
            samples: scale::code(row.samples),
            confidence: row.confidence,
            age: scale::code(row.age_h.into()),
        };
        let fits = row.cells.len() == regions && row.confidence <= 100;
        if !fits || !rows::write(head, &row.cells, &mut bytes) {
            return Err(MapFault::Row);
        }
    }
    Ok(bytes)
}

/// The rows that ranges have, each once, in the order in which ranges come to them: what is close
/// together on the net is so in memory.
struct Numbers<'a> {
    rows: Vec<&'a [u8]>,
    known: HashMap<&'a [u8], u32>,
    order: Vec<&'a [u8]>,
}

impl Numbers<'_> {
    /// Ranges with the numbers that their rows get; neighbours that say the same become one.
    fn ranges<T: Copy>(&mut self, drafted: &[(T, u32)]) -> Result<Vec<(T, u32)>, MapFault> {
        let mut ranges: Vec<(T, u32)> = Vec::with_capacity(drafted.len());
        let (mut last, mut last_number) = (NOTHING, NOTHING);
        for &(first, drafted) in drafted {
            let number = if drafted == last {
                last_number
            } else {
                self.number(drafted)?
            };
            (last, last_number) = (drafted, number);
            if ranges.last().is_none_or(|(_, before)| *before != number) {
                ranges.push((first, number));
            }
        }
        Ok(ranges)
    }

    fn number(&mut self, drafted: u32) -> Result<u32, MapFault> {
        if drafted == NOTHING {
            return Ok(NOTHING);
        }
        let place = usize::try_from(drafted).unwrap_or(usize::MAX);
        let row = *self.rows.get(place).ok_or(MapFault::Ranges)?;
        let next = self.order.len();
        let number = *self
            .known
            .entry(row)
            .or_insert_with(|| u32::try_from(next).unwrap_or(NOTHING));
        if number as usize == next {
            // Two more records are those of what is looked up elsewhere, and one that of nothing.
            if next + 3 >= MAX_RECORDS {
                return Err(MapFault::TooLarge);
            }
            self.order.push(row);
        }
        Ok(number)
    }
}
