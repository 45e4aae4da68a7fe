//! How long it takes from one region to another, as far as somebody has measured it.

use std::collections::BTreeMap;

use crate::refused::Refused;

/// Round trips between regions, in ms. Nothing is in it that was not measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix(BTreeMap<Box<str>, BTreeMap<Box<str>, f32>>);

/// Regions on either side: more would be more than a map has.
const MAX_REGIONS: usize = 255;

impl Matrix {
    /// Says how long it takes; a later word on the same pair replaces the earlier.
    ///
    /// # Errors
    ///
    /// [`Refused::OutOfRange`] for what no round trip takes, [`Refused::TooManyRegions`] beyond
    /// what a map has.
    pub fn insert(&mut self, from: &str, to: &str, ms: f32) -> Result<(), Refused> {
        if !(0.1..=2000.0).contains(&ms) {
            return Err(Refused::OutOfRange);
        }
        if !self.0.contains_key(from) && self.0.len() >= MAX_REGIONS {
            return Err(Refused::TooManyRegions);
        }
        let row = self.0.entry(from.into()).or_default();
        if !row.contains_key(to) && row.len() >= MAX_REGIONS {
            return Err(Refused::TooManyRegions);
        }
        row.insert(to.into(), ms);
        Ok(())
    }

    /// From one region to another. What was measured the other way round will do: the two differ
    /// by a ms or so.
    pub fn ms(&self, from: &str, to: &str) -> Option<f32> {
        let way = |from: &str, to: &str| self.0.get(from).and_then(|row| row.get(to)).copied();
        way(from, to).or_else(|| way(to, from))
    }

    /// All that was measured, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, f32)> {
        self.0.iter().flat_map(|(from, row)| {
            row.iter()
                .map(move |(to, ms)| (from.as_ref(), to.as_ref(), *ms))
        })
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many pairs were measured.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_direction_stands_for_the_other_until_it_is_measured() {
        let mut matrix = Matrix::default();
        assert!(matrix.is_empty());
        matrix.insert("a", "b", 10.0).unwrap();
        assert_eq!(matrix.ms("b", "a"), Some(10.0));
        matrix.insert("b", "a", 12.0).unwrap();
        assert_eq!(matrix.ms("b", "a"), Some(12.0));
        assert_eq!(matrix.ms("a", "b"), Some(10.0));
        assert_eq!(matrix.ms("a", "c"), None);
        assert_eq!(matrix.len(), 2);
        assert_eq!(matrix.iter().count(), 2);
    }

    #[test]
    fn what_no_round_trip_takes_is_refused() {
        let mut matrix = Matrix::default();
        for ms in [0.0, -1.0, 2001.0, f32::NAN, f32::INFINITY] {
            assert_eq!(matrix.insert("a", "b", ms), Err(Refused::OutOfRange));
        }
        for number in 0..MAX_REGIONS {
            matrix.insert(&number.to_string(), "b", 1.0).unwrap();
        }
        assert_eq!(matrix.insert("a", "b", 1.0), Err(Refused::TooManyRegions));
        assert_eq!(matrix.insert("0", "b", 2.0), Ok(()));
    }
}
