//! What the operations on limits give.

use meridian_model::Quota;

/// `AccountLimit`, `HostedZoneLimit` and the like, with the count beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub quota: Quota,
    /// The most there may be.
    pub value: u64,
    /// How many there are.
    pub count: u64,
}
