//! Resource record sets.

use std::fmt;

use meridian_dns::{Name, RecordType};

use crate::id::ZoneId;
use crate::routing::Routing;
use crate::service_zone::external;

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

    /// Whether it is a part of a traffic policy instance's tree below the root record set: it is
    /// answered through the root, and no list tells of it. Stored counts go by this.
    pub fn is_hidden(&self) -> bool {
        let instance = self.traffic_policy_instance_id.as_deref();
        instance.is_some_and(|instance| is_reserved(&self.key.name, instance))
    }

    /// Whether it is an alias to a host name elsewhere, which name servers look up by themselves.
    pub fn is_external_alias(&self) -> bool {
        matches!(&self.data, SetData::Alias(target) if external(&target.zone).is_some())
    }
}

/// What the first label of a tree's name begins with.
pub(crate) const RESERVED: &str = "_tp-";

/// Whether a name is reserved for some tree. Others may be called so too.
pub fn may_be_reserved(name: &Name) -> bool {
    let first = name.labels().next();
    first.is_some_and(|label| label.starts_with(RESERVED.as_bytes()))
}

/// Whether a name is one of those of this instance's tree.
fn is_reserved(name: &Name, instance: &str) -> bool {
    let first = name.labels().next();
    let rest = first.and_then(|label| label.strip_prefix(RESERVED.as_bytes()));
    let number = rest.and_then(|rest| rest.strip_prefix(instance.as_bytes()));
    number.is_some_and(|number| number.starts_with(b"-"))
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
