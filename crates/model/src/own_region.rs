//! Regions of the operator's own, which latency records may name beside those of AWS.

use crate::routing::{Coordinates, Region};

/// A region that there is because the operator has added it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRegion {
    /// No region of AWS has this name.
    pub name: Region,
    /// Where it is.
    pub at: Coordinates,
}

impl OwnRegion {
    /// How many there may be: with those of AWS a number of eight bits tells them apart.
    pub const MAX: usize = 200;

    /// Latitude and longitude; none only where another version wrote what this one does not know.
    pub fn degrees(&self) -> Option<(f64, f64)> {
        self.at.degrees()
    }
}
