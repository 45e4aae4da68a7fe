//! Delegation sets: the name servers that zones are answered by, of one zone or of many.

use meridian_dns::Name;

use crate::id::{AccountId, DelegationSetId, Generation};

/// The name servers of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegationSet {
    /// The id when the set is a reusable one.
    pub id: Option<DelegationSetId>,
    /// The reference that a reusable set was made with.
    pub caller_reference: Option<String>,
    /// The names, in the order of the apex NS set; at least one.
    pub name_servers: Vec<Name>,
}

impl DelegationSet {
    /// A set of one zone's own.
    pub fn own(name_servers: Vec<Name>) -> Self {
        Self {
            id: None,
            caller_reference: None,
            name_servers,
        }
    }
}

/// A set that its account can make zones with. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReusableDelegationSet {
    /// The bare id.
    pub id: DelegationSetId,
    /// The owner.
    pub account: AccountId,
    /// The request's own key, unique in the account for ever.
    pub caller_reference: String,
    /// The names, in the order of the apex NS sets; at least one.
    pub name_servers: Vec<Name>,
    /// Its turn among all that choose from the pool: a generation of its own that no zone has, or
    /// that of the zone whose set it was.
    pub turn: Generation,
}

impl ReusableDelegationSet {
    /// As its zones have it.
    pub fn delegation_set(&self) -> DelegationSet {
        DelegationSet {
            id: Some(self.id.clone()),
            caller_reference: Some(self.caller_reference.clone()),
            name_servers: self.name_servers.clone(),
        }
    }
}
