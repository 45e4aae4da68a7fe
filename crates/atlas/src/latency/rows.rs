//! The rows of a map as bytes, in memory as in its file:
//!
//! ```text
//! row   country u8 · samples u8 · confidence u8 · age u8 · step u8 × regions · origins
//! ```
//! The origins are digits to the base of three, five in a byte, the first region's the lowest of the
//! first. A country is its place in the map's list, samples and age are counts as `scale` has them.

use super::{Cell, Origin, scale};

/// Bytes before the steps.
const HEAD: usize = 4;
/// What the digits of origins in one byte stand for: one for each of so many regions.
const PLACES: [u8; 5] = [1, 3, 9, 27, 81];
/// In the place of a country: it is not known.
pub(super) const NO_COUNTRY: u8 = u8::MAX;

/// All rows of a map, one behind the other.
#[derive(Debug)]
pub(super) struct Rows {
    regions: usize,
    bytes: Box<[u8]>,
}

/// What a row says of its addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) country: u8,
    pub(super) samples: u8,
    pub(super) confidence: u8,
    pub(super) age: u8,
}

/// The bytes of a row about so many regions.
pub(super) fn width(regions: usize) -> usize {
    HEAD + regions + regions.div_ceil(PLACES.len())
}

/// Appends a row; false, and nothing is to be done with it, if a number is none.
#[must_use]
pub(super) fn write(head: Head, cells: &[Cell], bytes: &mut Vec<u8>) -> bool {
    bytes.extend([head.country, head.samples, head.confidence, head.age]);
    for cell in cells {
        let step = match cell.ms {
            None => scale::NONE,
            Some(ms) => match scale::step(ms) {
                Some(step) => step,
                None => return false,
            },
        };
        bytes.push(step);
    }
    for cells in cells.chunks(PLACES.len()) {
        let digits = cells.iter().map(|cell| match (cell.ms, cell.origin) {
            // Nothing comes from nowhere: rows that say the same are the same.
            (None, _) | (_, Origin::Measured) => MEASURED,
            (_, Origin::Inherited) => INHERITED,
            (_, Origin::Model) => MODEL,
        });
        bytes.push(digits.zip(PLACES).map(|(digit, place)| digit * place).sum());
    }
    true
}

const MEASURED: u8 = 0;
const INHERITED: u8 = 1;
const MODEL: u8 = 2;

impl Rows {
    /// Those in these bytes, unless there is one that cannot have been written.
    pub(super) fn read(regions: usize, countries: usize, bytes: &[u8]) -> Option<Self> {
        let width = width(regions);
        let rows = bytes.chunks_exact(width);
        let whole = rows.remainder().is_empty();
        let fit = whole && { rows }.all(|row| is_row(row, regions, countries));
        fit.then(|| Self {
            regions,
            bytes: bytes.into(),
        })
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / width(self.regions)
    }

    /// Of memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The row of a record of the tables: they count from 1, and 0 is that nothing is said.
    #[inline]
    pub(super) fn get(&self, record: u32) -> Option<&[u8]> {
        let width = width(self.regions);
        let start = (record.checked_sub(1)? as usize).checked_mul(width)?;
        self.bytes.get(start..)?.get(..width)
    }

    /// The steps of a row.
    #[inline]
    pub(super) fn steps<'a>(&self, row: &'a [u8]) -> &'a [u8] {
        let steps = row.get(HEAD..).unwrap_or_default();
        steps.get(..self.regions).unwrap_or_default()
    }

    /// Where the number of a region comes from.
    pub(super) fn origin(&self, row: &[u8], region: usize) -> Origin {
        let origins = row.get(HEAD + self.regions..).unwrap_or_default();
        let byte = origins.get(region / PLACES.len()).copied().unwrap_or(0);
        let place = PLACES.get(region % PLACES.len()).copied().unwrap_or(1);
        match byte / place % 3 {
            MEASURED => Origin::Measured,
            INHERITED => Origin::Inherited,
            _ => Origin::Model,
        }
    }

    /// What a row says of its addresses.
    pub(super) fn head(&self, row: &[u8]) -> Head {
        let [country, samples, confidence, age] = row.first_chunk().copied().unwrap_or_default();
        Head {
            country,
            samples,
            confidence,
            age,
        }
    }
}

/// Whether bytes are a row as it is written.
fn is_row(row: &[u8], regions: usize, countries: usize) -> bool {
    let Some(([country, _, confidence, _], cells)) = row.split_first_chunk() else {
        return false;
    };
    let Some((steps, origins)) = cells.split_at_checked(regions) else {
        return false;
    };
    let mut regions_left = regions;
    let mut is_digits = |byte: &u8| {
        let digits = regions_left.min(PLACES.len());
        regions_left -= digits;
        // The last has digits for no more regions than there are.
        u32::from(*byte) < 3_u32.pow(u32::try_from(digits).unwrap_or(0))
    };
    (*country == NO_COUNTRY || usize::from(*country) < countries)
        && *confidence <= 100
        && steps
            .iter()
            .all(|step| *step == scale::NONE || scale::ms(*step).is_some())
        && origins.iter().all(&mut is_digits)
}
