//! Traffic policy instances: policies at work under a name of a zone. The record sets that they are
//! made of are the business of `expand`.

use meridian_dns::{Name, RecordType};

use crate::id::{AccountId, ChangeId, TrafficPolicyId, TrafficPolicyInstanceId, ZoneId};

/// A version of a traffic policy under a name of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficPolicyInstance {
    /// A lower-case UUID.
    pub id: TrafficPolicyInstanceId,
    /// The owner, of the zone and of the policy too.
    pub account: AccountId,
    /// The zone.
    pub zone: ZoneId,
    /// The root's name, in lower case.
    pub name: Name,
    /// The type of all its record sets.
    pub rtype: RecordType,
    /// The TTL of all its values, in seconds.
    pub ttl: u32,
    /// The policy.
    pub policy: TrafficPolicyId,
    /// Which version of it: 1 to 1000.
    pub version: u32,
    /// The change that made its record sets what they are.
    pub change: ChangeId,
    /// How many reserved names its tree has.
    pub names: u32,
}
