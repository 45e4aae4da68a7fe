//! Protections: names and types whose record sets stay as they are until somebody lifts it.

use std::fmt;

use meridian_dns::{Name, RecordType};

use crate::id::ZoneId;
use crate::record_set::SetKey;

/// Nobody creates, changes or deletes the record sets of this name and type, whatever their set
/// identifiers. There need be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// What is protected.
    pub key: ProtectionKey,
    /// Why, for whoever runs into it.
    pub comment: Option<String>,
}

/// What a protection is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProtectionKey {
    /// The zone.
    pub zone: ZoneId,
    /// In lower case, in the zone.
    pub name: Name,
    /// The type.
    pub rtype: RecordType,
}

impl ProtectionKey {
    /// Whether the set is among what is protected.
    pub(crate) fn of(zone: &ZoneId, set: &SetKey) -> Self {
        Self {
            zone: zone.clone(),
            name: set.name.clone(),
            rtype: set.rtype,
        }
    }
}

impl fmt::Display for ProtectionKey {
    /// As texts about record sets name one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[name='{}', type='{}']", self.name, self.rtype)
    }
}
