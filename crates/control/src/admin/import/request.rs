//! What an import takes and gives.

use meridian_model::{Change, Draft, Tag, Zone};

/// What is imported, and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// Where to.
    pub target: ImportTarget,
    /// The zone's account, by name or id; the operator's for a new zone if none is named.
    pub account: Option<String>,
    /// What becomes of the sets that the zone has.
    pub existing: ExistingSets,
    /// Whose NS and SOA the apex has afterwards.
    pub apex: ImportedApex,
    /// What becomes of sets that are refused.
    pub invalid: InvalidSets,
    /// How many sets the zone may have.
    pub room: ImportRoom,
    /// Whether anything is written.
    pub outcome: ImportOutcome,
}

/// Where an import goes.
#[derive(Debug, Clone)]
pub enum ImportTarget {
    /// A zone that is there, by id or name.
    Zone(String),
    /// A new one.
    New {
        /// Its name.
        name: String,
        /// Its comment.
        comment: Option<String>,
        /// Its tags.
        tags: Vec<Tag>,
        /// What it is known by; something new, if that is not said or was used for a zone that is
        /// gone.
        caller_reference: Option<String>,
        /// The reusable delegation set that it is to have, by id.
        delegation_set: Option<String>,
    },
}

/// What becomes of the sets that a zone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingSets {
    /// There must be none but NS and SOA.
    Refuse,
    /// They go.
    Replace,
    /// They stay unless one of the same name, type and identifier is imported.
    Merge,
}

/// Whose NS and SOA the apex has after an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportedApex {
    /// The zone's; those that are imported are passed over.
    Keep,
    /// Those that are imported.
    Take,
}

/// What becomes of an import of which sets are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidSets {
    /// Nothing is imported.
    Refuse,
    /// They are left out.
    Skip,
}

/// How many sets an import may leave in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportRoom {
    /// As many as the account may have in one.
    Quota,
    /// Any number, by the operator's leave.
    Unlimited,
}

/// What an import comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It is published if nothing speaks against it.
    Publish,
    /// It is checked, and nothing written.
    Check,
}

/// A set to be imported and where it stands in its file.
#[derive(Debug)]
pub struct ImportedSet {
    /// The place.
    pub place: u64,
    /// The set.
    pub draft: Draft,
}

/// A set that is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedSet {
    /// Its place in its file.
    pub place: u64,
    /// Why.
    pub reasons: Vec<String>,
}

/// An import that is done.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The zone as it is now, or would be.
    pub zone: Zone,
    /// The change that published it; none when it was only checked or refused.
    pub change: Option<Change>,
    /// The sets it has, or would have.
    pub sets: u64,
    /// NS and SOA sets at the apex that were passed over.
    pub passed_over: u64,
    /// Traffic policy instances of the zone, which stay as they are.
    pub instances: u64,
    /// Sets that were refused.
    pub refused: u64,
    /// Aliases that were not followed, because nothing was written.
    pub aliases_not_followed: u64,
}
