//! What one source knows, row by row, before it becomes part of an atlas.

use std::collections::HashMap;
use std::net::IpAddr;

use meridian_model::Network;

use crate::place::Place;
use crate::runs::{MAX_ENTRIES, Run};

/// Who says where somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What people call it, such as the file's name.
    pub name: String,
    /// What kind of data it has, in its own words.
    pub kind: Option<String>,
    /// When its data was made, in seconds since 1970.
    pub made: Option<u64>,
    /// Whose it is and under what licence, where that has to be told.
    pub notice: Option<String>,
}

impl Source {
    /// One of which nothing else is known.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
            made: None,
            notice: None,
        }
    }
}

/// An atlas would need more memory than a mistake may take: 2^26 rows or ranges in one family of
/// addresses, 2^24 places, or 255 layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 2^26 networks in one family of addresses, 2^24 places, or 255 sources")]
pub struct TooLarge;

/// The rows of one source, in any order. Where prefixes lie inside one another, the longest says
/// where an address is; of two rows for one prefix, the later.
#[derive(Debug)]
pub struct Layer {
    pub(crate) source: Source,
    pub(crate) v4: Half,
    pub(crate) v6: Half,
    /// Each once; the first is [`Place::UNKNOWN`].
    pub(crate) places: Vec<Place>,
    /// Where each stands.
    numbers: HashMap<Place, u32>,
}

/// What a layer says of one family.
#[derive(Debug, Default)]
pub(crate) struct Half {
    pub(crate) rows: Vec<Row>,
    /// What lies under them: runs that follow one another from zero. None, if nothing does.
    pub(crate) base: Vec<Run>,
}

/// One prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its first address, as the upper end of 128 bits.
    pub(crate) first: u128,
    pub(crate) len: u8,
    /// Which of the layer's places.
    pub(crate) place: u32,
}

impl Layer {
    /// One without rows.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            v4: Half::default(),
            v6: Half::default(),
            places: vec![Place::UNKNOWN],
            numbers: HashMap::from([(Place::UNKNOWN, 0)]),
        }
    }

    /// Says where a network is. [`Place::UNKNOWN`] leaves it to the layers that follow.
    ///
    /// # Errors
    ///
    /// If there are more rows than any atlas could take.
    pub fn add(&mut self, network: Network, place: Place) -> Result<(), TooLarge> {
        let place = self.number(place)?;
        let (half, first) = match network.address() {
            IpAddr::V4(v4) => (&mut self.v4, u128::from(v4.to_bits()) << 96),
            IpAddr::V6(v6) => (&mut self.v6, v6.to_bits()),
        };
        if half.rows.len() >= MAX_ENTRIES {
            return Err(TooLarge);
        }
        half.rows.push(Row {
            first,
            len: network.prefix_len(),
            place,
        });
        Ok(())
    }

    /// The number of a place, which has one from now on.
    pub(crate) fn number(&mut self, place: Place) -> Result<u32, TooLarge> {
        let next = u32::try_from(self.places.len()).map_err(|_| TooLarge)?;
        Ok(*self.numbers.entry(place).or_insert_with(|| {
            self.places.push(place);
            next
        }))
    }

    /// Who says so.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether there is no row in it.
    pub fn says_nothing(&self) -> bool {
        self.places.len() == 1
    }
}
