//! What plans may ask about the state they change.

use meridian_dns::{Name, RecordType};

use crate::cidr::{CidrBlock, CidrCollection, CidrLocation};
use crate::delegation_set::ReusableDelegationSet;
use crate::egress::ProbeRights;
use crate::facts::Timestamp;
use crate::health_check::{HealthCheck, HealthSlot, HealthSwitch};
use crate::id::{
    AccountId, CidrCollectionId, DelegationSetId, Generation, HealthCheckId, TrafficPolicyId,
    TrafficPolicyInstanceId, VpcId, ZoneId,
};
use crate::name_server::NameServer;
use crate::own_region::OwnRegion;
use crate::protection::{Protection, ProtectionKey};
use crate::query_logging::QueryLoggingConfig;
use crate::quota::Quota;
use crate::record_set::{RecordSet, SetKey};
use crate::resource::{Resource, ResourceName};
use crate::tag::{Tag, TaggedResource};
use crate::traffic_policy::TrafficPolicyInstance;
use crate::traffic_policy::{TrafficPolicy, TrafficPolicySummary};
use crate::vpc::{Vpc, VpcAuthorization};
use crate::zone::Zone;

/// The state at one head of the journal.
pub trait State {
    /// How reading can fail; never a reason that a user caused.
    type Error;

    /// The zone with this id, whoever owns it.
    ///
    /// # Errors
    /// When the state cannot be read; so for all methods.
    fn zone(&self, id: &ZoneId) -> Result<Option<Zone>, Self::Error>;
    /// All zones whose apex is `name` (lower case), of every account.
    fn zones_named(&self, name: &Name) -> Result<Vec<Zone>, Self::Error>;
    /// How many labels, from the root on, `name` (lower case) has in common with the apex of a zone, of
    /// any account.
    fn zone_labels_in_common(&self, name: &Name) -> Result<usize, Self::Error>;
    /// All zones whose apex lies strictly below `name` (lower case), of every account.
    fn zones_below(&self, name: &Name) -> Result<Vec<Zone>, Self::Error>;
    /// The zone id that this reference was used for in this account, also when it is gone.
    fn zone_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<ZoneId>, Self::Error>;
    /// How many zones the account owns.
    fn zone_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// A generation that was never used.
    fn next_generation(&self) -> Result<Generation, Self::Error>;
    /// The sets at exactly this name (lower case), in Route 53's order.
    fn sets_at(&self, generation: Generation, name: &Name) -> Result<Vec<RecordSet>, Self::Error>;
    /// How many labels, from the root on, a name (lower case) has in common with a name that has sets,
    /// or had: nothing is at or below any name that shares more with it.
    fn labels_in_common(&self, generation: Generation, name: &Name) -> Result<usize, Self::Error>;
    /// The aliases to this name (lower case) and type of a zone, at most so many, in no order: those
    /// in zones of `own`'s account. `own` counts as it is given, with the sets of its generation.
    fn aliases_to(
        &self,
        target: (&ZoneId, &Name, RecordType),
        own: &Zone,
        most: usize,
    ) -> Result<Vec<(ZoneId, SetKey)>, Self::Error>;
    /// How many sets the generation holds, those that are hidden not counted.
    fn set_count(&self, generation: Generation) -> Result<u64, Self::Error>;
    /// Whether the account has a health check of this id.
    fn health_check_exists(&self, account: &AccountId, id: &str) -> Result<bool, Self::Error>;
    /// The health check with this id, whoever owns it.
    fn health_check(&self, id: &HealthCheckId) -> Result<Option<HealthCheck>, Self::Error>;
    /// The health check that this reference was used for in this account, also when it is gone.
    fn health_check_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<HealthCheckId>, Self::Error>;
    /// How many health checks the account owns.
    fn health_check_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// How many health checks the account made since then, those that are gone among them. It may
    /// be counted by the hour, and not tell of the one that was under way.
    fn health_checks_created_since(
        &self,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<u64, Self::Error>;
    /// Whether another health check is calculated from this one.
    fn is_child_health_check(&self, id: &HealthCheckId) -> Result<bool, Self::Error>;
    /// What the account may have probed.
    fn probe_rights(&self, account: &AccountId) -> Result<ProbeRights, Self::Error>;
    /// The smallest place that no health check has, for the next one.
    fn free_health_slot(&self) -> Result<HealthSlot, Self::Error>;
    /// What somebody says of a health check.
    fn health_switch(&self, id: &HealthCheckId) -> Result<Option<HealthSwitch>, Self::Error>;
    /// The CIDR collection with this id, whoever owns it.
    fn cidr_collection(&self, id: &CidrCollectionId)
    -> Result<Option<CidrCollection>, Self::Error>;
    /// The account's CIDR collection of this name.
    fn cidr_collection_named(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<CidrCollection>, Self::Error>;
    /// The account's CIDR collection that this reference made, if it is there.
    fn cidr_collection_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<CidrCollection>, Self::Error>;
    /// How many CIDR collections the account owns.
    fn cidr_collection_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// How many blocks the collection has.
    fn cidr_block_count(&self, id: &CidrCollectionId) -> Result<u64, Self::Error>;
    /// The location that has exactly this block.
    fn cidr_location_of(
        &self,
        id: &CidrCollectionId,
        block: &CidrBlock,
    ) -> Result<Option<CidrLocation>, Self::Error>;
    /// Whether the collection has such a location, which is one with blocks.
    fn cidr_location_exists(&self, id: &CidrCollectionId, name: &str) -> Result<bool, Self::Error>;
    /// How many record sets are routed by the collection. Those that are still being written
    /// unseen count, those that only history has do not.
    fn cidr_set_count(&self, id: &CidrCollectionId) -> Result<u64, Self::Error>;
    /// The version of a traffic policy, whoever owns it, also when it is deleted.
    fn traffic_policy(
        &self,
        id: &TrafficPolicyId,
        version: u32,
    ) -> Result<Option<TrafficPolicy>, Self::Error>;
    /// The traffic policy with this id, whoever owns it, unless all its versions are deleted.
    fn traffic_policy_summary(
        &self,
        id: &TrafficPolicyId,
    ) -> Result<Option<TrafficPolicySummary>, Self::Error>;
    /// The account's traffic policy of this name, unless all its versions are deleted.
    fn traffic_policy_named(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<TrafficPolicyId>, Self::Error>;
    /// The versions of the account's traffic policies that are deleted and can be read all the same,
    /// those that were deleted first before the others, at most so many.
    fn deleted_traffic_policies(
        &self,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<(TrafficPolicyId, u32)>, Self::Error>;
    /// How many traffic policies the account owns of which not all versions are deleted.
    fn traffic_policy_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// Whether there is an instance of this version of the traffic policy.
    fn has_traffic_policy_instance(
        &self,
        policy: &TrafficPolicyId,
        version: u32,
    ) -> Result<bool, Self::Error>;
    /// The traffic policy instance with this id, whoever owns it.
    fn traffic_policy_instance(
        &self,
        id: &TrafficPolicyInstanceId,
    ) -> Result<Option<TrafficPolicyInstance>, Self::Error>;
    /// The traffic policy instance of this name (lower case) and type.
    fn traffic_policy_instance_at(
        &self,
        zone: &ZoneId,
        name: &Name,
        rtype: RecordType,
    ) -> Result<Option<TrafficPolicyInstance>, Self::Error>;
    /// How many traffic policy instances the account owns.
    fn traffic_policy_instance_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// How many aliases to host names elsewhere the account's zones have. Sets that are still being
    /// written unseen do not count, nor do those that only history has.
    fn external_alias_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// The operator's own regions, by name.
    fn own_regions(&self) -> Result<Vec<OwnRegion>, Self::Error>;
    /// What the account has registered under this name.
    fn resource(
        &self,
        account: &AccountId,
        name: &ResourceName,
    ) -> Result<Option<Resource>, Self::Error>;
    /// How many resources the account has registered.
    fn resource_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// The protection of these sets.
    fn protection(&self, key: &ProtectionKey) -> Result<Option<Protection>, Self::Error>;
    /// How many protections the zone has.
    fn protection_count(&self, zone: &ZoneId) -> Result<u64, Self::Error>;
    /// The resource's tags, by key.
    fn tags(&self, resource: &TaggedResource) -> Result<Vec<Tag>, Self::Error>;
    /// The pool, by ordinal.
    fn name_servers(&self) -> Result<Vec<NameServer>, Self::Error>;
    /// Every reusable delegation set, of every account.
    fn delegation_sets(&self) -> Result<Vec<ReusableDelegationSet>, Self::Error>;
    /// The set that this reference was used for in this account, also when it is gone.
    fn delegation_set_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<DelegationSetId>, Self::Error>;
    /// How many reusable delegation sets the account owns.
    fn delegation_set_count(&self, account: &AccountId) -> Result<u64, Self::Error>;
    /// How many zones have this reusable delegation set.
    fn delegation_set_zone_count(&self, id: &DelegationSetId) -> Result<u64, Self::Error>;
    /// The configuration for logging the zone's queries, if it has one.
    fn query_logging_of(&self, zone: &ZoneId) -> Result<Option<QueryLoggingConfig>, Self::Error>;
    /// The VPC with this id, whoever owns it.
    fn vpc(&self, id: &VpcId) -> Result<Option<Vpc>, Self::Error>;
    /// Every VPC, of every account, by id.
    fn vpcs(&self) -> Result<Vec<Vpc>, Self::Error>;
    /// The private zones that are associated with a VPC, of every account, by id.
    fn zones_of_vpc(&self, id: &VpcId) -> Result<Vec<Zone>, Self::Error>;
    /// Which VPCs may come to see the zone, by id.
    fn vpc_authorizations(&self, zone: &ZoneId) -> Result<Vec<VpcAuthorization>, Self::Error>;
    /// The account's limit: its own when one was set, else [`Quota::default_limit`].
    fn limit(&self, account: &AccountId, quota: Quota) -> Result<u64, Self::Error>;
}

/// How many labels, from the root on, two names have in common, of which these are the sort keys. What
/// follows a key does not matter if it begins with a byte that no key has.
pub fn labels_in_common(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b);
    // Each label ends with a dot, and has none in it: those are escaped.
    same.filter(|(byte, _)| **byte == b'.').count()
}
