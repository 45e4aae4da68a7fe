//! What the operations on protections of record sets take and give.

use meridian_dns::RecordType;
use meridian_model::{Protection, ProtectionDraft};

/// `CreateResourceRecordSetProtectionsRequest`, and the one that deletes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeProtections {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// 1 to 100.
    pub protections: Vec<ProtectionDraft>,
}

/// `ListResourceRecordSetProtectionsRequest`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListProtections {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// The name that starts the list, as sent.
    pub name: Option<String>,
    /// The type that starts it at that name; needs a name.
    pub rtype: Option<RecordType>,
    /// 1 to 300.
    pub max_results: usize,
    /// Where the page before ended; the start does not count then.
    pub next_token: Option<String>,
}

/// A page of protections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionPage {
    /// In the order of record sets.
    pub protections: Vec<Protection>,
    /// What asks for the next page.
    pub next_token: Option<String>,
}
