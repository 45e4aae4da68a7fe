//! What the operations on CIDR collections take and give.

use meridian_model::{CidrBlock, CidrChange, CidrCollection, CidrLocation};

/// `ChangeCidrCollectionRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCidrCollection {
    /// The collection.
    pub id: String,
    /// The version it must have.
    pub version: Option<u64>,
    /// At least one.
    pub changes: Vec<CidrChange>,
}

/// Which page of a list is asked for. Page sizes are clamped by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CidrPageStart {
    /// The token of the page before.
    pub next_token: Option<String>,
    /// 1 to 100.
    pub max_results: usize,
}

/// A page of collections, locations or blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrPage<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// What the next page is asked for with.
    pub next_token: Option<String>,
}

/// Collections, by name.
pub type CidrCollectionPage = CidrPage<CidrCollection>;
/// Locations, by name.
pub type CidrLocationPage = CidrPage<CidrLocation>;
/// Blocks, by location and then by address.
pub type CidrBlockPage = CidrPage<(CidrLocation, CidrBlock)>;
