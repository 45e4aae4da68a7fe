//! What samples are held against: where addresses and regions are, and what time it is.

use meridian_atlas::{Atlas, Regions};

/// Facts that are not the samples' own.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Where clients are.
    pub atlas: &'a Atlas,
    /// Where regions are; there are no others.
    pub regions: &'a Regions,
    /// Seconds since 1970.
    pub now_s: u64,
}
