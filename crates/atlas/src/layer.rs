//! What one source knows, row by row, before it becomes part of an atlas.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use meridian_model::Network;

use crate::countries::Packed;
use crate::operator::Operator;
use crate::place::Place;
use crate::runs::MAX_ENTRIES;

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
    pub(crate) places: Sheet<Place>,
    /// What lies under all rows of places.
    pub(crate) base: Option<Packed>,
    pub(crate) operators: Sheet<Operator>,
}

/// What a layer says of one kind. The default stands for nothing.
#[derive(Debug)]
pub(crate) struct Sheet<T> {
    pub(crate) rows: Rows,
    /// Each once; the first is the default.
    pub(crate) values: Vec<T>,
    /// Where each stands.
    numbers: HashMap<T, u32>,
}

/// What it says of either family.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) v4: Vec<Row>,
    pub(crate) v6: Vec<Row>,
}

/// One prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its first address, as the upper end of 128 bits.
    pub(crate) first: u128,
    pub(crate) len: u8,
    /// Which of the sheet's values.
    pub(crate) value: u32,
}

impl Layer {
    /// One without rows.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            places: Sheet::new(),
            base: None,
            operators: Sheet::new(),
        }
    }

    /// Says where a network is. [`Place::UNKNOWN`] leaves it to the layers that follow.
    ///
    /// # Errors
    ///
    /// If there are more rows than any atlas could take.
    pub fn add(&mut self, network: Network, place: Place) -> Result<(), TooLarge> {
        self.places.add(network, &place)
    }

    /// Says who runs a network. The default leaves it to the layers that follow.
    ///
    /// # Errors
    ///
    /// If there are more rows than any atlas could take.
    pub fn add_operator(&mut self, network: Network, operator: &Operator) -> Result<(), TooLarge> {
        self.operators.add(network, operator)
    }

    /// Who says so.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether there is no row in it.
    pub fn says_nothing(&self) -> bool {
        self.places.values.len() == 1 && self.operators.values.len() == 1
    }
}

impl<T: Clone + Default + Eq + Hash> Sheet<T> {
    fn new() -> Self {
        Self {
            rows: Rows::default(),
            values: vec![T::default()],
            numbers: HashMap::from([(T::default(), 0)]),
        }
    }

    fn add(&mut self, network: Network, value: &T) -> Result<(), TooLarge> {
        let value = self.number(value)?;
        let (rows, first) = match network.address() {
            IpAddr::V4(v4) => (&mut self.rows.v4, u128::from(v4.to_bits()) << 96),
            IpAddr::V6(v6) => (&mut self.rows.v6, v6.to_bits()),
        };
        if rows.len() >= MAX_ENTRIES {
            return Err(TooLarge);
        }
        rows.push(Row {
            first,
            len: network.prefix_len(),
            value,
        });
        Ok(())
    }

    /// The number of a value, which has one from now on.
    pub(crate) fn number(&mut self, value: &T) -> Result<u32, TooLarge> {
        if let Some(number) = self.numbers.get(value) {
            return Ok(*number);
        }
        let next = u32::try_from(self.values.len()).map_err(|_| TooLarge)?;
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), next);
        Ok(next)
    }
}
