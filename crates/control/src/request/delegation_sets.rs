//! What the operations on reusable delegation sets take and give.

use meridian_model::{DelegationSetId, ReusableDelegationSet};

/// `CreateReusableDelegationSetRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateDelegationSet {
    /// 1 to 128 characters.
    pub caller_reference: String,
    /// The zone whose own set becomes the reusable one, bare; without, a new set is made.
    pub hosted_zone_id: Option<String>,
}

/// `ListReusableDelegationSetsRequest`. Page sizes are clamped by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListDelegationSets {
    /// The set that starts the page, bare.
    pub marker: Option<String>,
    /// 1 to 100.
    pub max_items: usize,
}

/// A page of sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationSetPage {
    /// In order of their ids.
    pub sets: Vec<ReusableDelegationSet>,
    /// The first set of the next page.
    pub next: Option<DelegationSetId>,
}
