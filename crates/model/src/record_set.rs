//! Resource record sets.

use std::fmt;

use meridian_dns::{Name, RecordType};

use crate::id::ZoneId;
use crate::routing::Routing;

/// A resource record set as it is stored and echoed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// Name, type and identifier.
    pub key: SetKey,
    /// The policy. [`Routing::Simple`] exactly when the key has no identifier.
    pub routing: Routing,
    /// What it answers with.
    pub data: SetData,
    /// The health check that decides whether it counts.
    pub health_check_id: Option<String>,
    /// The traffic policy instance that made it.
    pub traffic_policy_instance_id: Option<String>,
}

impl RecordSet {
    /// A set of these values without a policy.
    pub fn simple(name: Name, rtype: RecordType, ttl: u32, values: Vec<String>) -> Self {
        Self {
            key: SetKey {
                name,
                rtype,
                set_identifier: None,
            },
            routing: Routing::Simple,
            data: SetData::Records { ttl, values },
            health_check_id: None,
            traffic_policy_instance_id: None,
        }
    }
}

/// What a record set answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetData {
    /// Its own values.
    Records {
        /// Seconds, 0 to 2147483647.
        ttl: u32,
        /// Texts as submitted; at least one.
        values: Vec<String>,
    },
    /// The answer of another set.
    Alias(AliasTarget),
}

/// Where an alias points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasTarget {
    /// The bare id as given: this zone's, or a service's well-known one.
    pub zone: ZoneId,
    /// The target's name, in lower case.
    pub name: Name,
    /// Whether the target's health is this set's.
    pub evaluate_target_health: bool,
}

/// What identifies a record set in its zone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SetKey {
    /// The owner, in lower case.
    pub name: Name,
    /// The type.
    pub rtype: RecordType,
    /// 1 to 128 characters; present for every policy but simple.
    pub set_identifier: Option<String>,
}

impl fmt::Display for SetKey {
    /// As in `[name='n.', type='A', set-identifier='x']`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[name='{}', type='{}'", self.name, self.rtype)?;
        if let Some(identifier) = &self.set_identifier {
            write!(f, ", set-identifier='{identifier}'")?;
        }
        f.write_str("]")
    }
}
