//! A look-up in a map, in steps: whoever has more than one goes on with the others while memory is on
//! its way.

use std::net::IpAddr;

use super::{LatencyMap, Located};
use crate::atlas::Needs;
use crate::search::Search;

/// A look-up in a map on its way. It may be asked for its end at any time.
#[derive(Debug, Clone, Copy)]
pub struct MapLookUp<'a> {
    map: &'a LatencyMap,
    search: Search<'a>,
    /// The addresses of the table may begin behind some bits of those that were asked for.
    before: u8,
}

impl<'a> MapLookUp<'a> {
    #[inline]
    pub(super) fn new(map: &'a LatencyMap, address: IpAddr) -> Self {
        let (table, bits, before) = map.tables.of(address);
        Self {
            map,
            search: Search::new(table, bits),
            before,
        }
    }

    /// The memory that the next step reads, or whoever reads the row.
    #[inline]
    pub fn needs(&self) -> Needs<'a> {
        match self.search.needs() {
            Ok(words) => Needs::Words(words),
            Err(record) => Needs::Row(record.and_then(|record| self.map.rows.get(record))),
        }
    }

    /// Reads that of the table.
    #[inline]
    pub fn step(&mut self) {
        self.search.step();
    }

    /// What the map says of the address.
    #[inline]
    pub fn located(&self) -> Located<'a> {
        self.map
            .located(self.search.end(), self.search.address, self.before)
    }
}
