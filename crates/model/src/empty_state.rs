//! The state of a service that has nothing yet but its pool: what the first entries are planned
//! against, and those that fill a journal from outside.

use std::convert::Infallible;

use meridian_dns::{Name, RecordType};

use crate::state::labels_in_common;
use crate::{
    AccountId, CidrBlock, CidrCollection, CidrCollectionId, CidrLocation, DelegationSetId,
    Generation, HealthCheck, HealthCheckId, HealthSlot, HealthSwitch, NameServer, OwnRegion,
    ProbeRights, Protection, ProtectionKey, QueryLoggingConfig, Quota, RecordSet, Resource,
    ResourceName, ReusableDelegationSet, SetKey, State, Tag, TaggedResource, Timestamp,
    TrafficPolicy, TrafficPolicyId, TrafficPolicyInstance, TrafficPolicyInstanceId,
    TrafficPolicySummary, Vpc, VpcAuthorization, VpcId, Zone, ZoneId,
};

/// What limits a state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Limits {
    /// Those of accounts that nobody raised.
    #[default]
    Default,
    /// None.
    None,
}

/// No accounts, zones, checks or collections.
#[derive(Debug, Clone)]
pub struct EmptyState {
    /// The pool.
    pub name_servers: Vec<NameServer>,
    /// That of the next zone.
    pub next_generation: Generation,
    /// The record sets of the zone that is being made, whatever its generation.
    pub sets: Vec<RecordSet>,
    /// What zones and batches are held to.
    pub limits: Limits,
}

impl Default for EmptyState {
    fn default() -> Self {
        Self {
            name_servers: Vec::new(),
            next_generation: Generation(1),
            sets: Vec::new(),
            limits: Limits::Default,
        }
    }
}

impl State for EmptyState {
    type Error = Infallible;

    fn zone(&self, _: &ZoneId) -> Result<Option<Zone>, Infallible> {
        Ok(None)
    }

    fn zones_named(&self, _: &Name) -> Result<Vec<Zone>, Infallible> {
        Ok(Vec::new())
    }

    fn zones_below(&self, _: &Name) -> Result<Vec<Zone>, Infallible> {
        Ok(Vec::new())
    }

    fn zone_by_reference(&self, _: &AccountId, _: &str) -> Result<Option<ZoneId>, Infallible> {
        Ok(None)
    }

    fn zone_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn next_generation(&self) -> Result<Generation, Infallible> {
        Ok(self.next_generation)
    }

    fn sets_at(&self, _: Generation, name: &Name) -> Result<Vec<RecordSet>, Infallible> {
        let here = self.sets.iter().filter(|set| set.key.name == *name);
        Ok(here.cloned().collect())
    }

    fn labels_in_common(&self, _: Generation, name: &Name) -> Result<usize, Infallible> {
        let key = name.sort_key();
        let common = |set: &RecordSet| {
            let other = set.key.name.sort_key();
            labels_in_common(other.as_bytes(), key.as_bytes())
        };
        Ok(self.sets.iter().map(common).max().unwrap_or(0))
    }

    fn zone_labels_in_common(&self, _: &Name) -> Result<usize, Infallible> {
        Ok(0)
    }

    fn aliases_to(
        &self,
        _: (&ZoneId, &Name, RecordType),
        _: &Zone,
        _: usize,
    ) -> Result<Vec<(ZoneId, SetKey)>, Infallible> {
        Ok(Vec::new())
    }

    fn set_count(&self, _: Generation) -> Result<u64, Infallible> {
        Ok(0)
    }

    /// Who is held to nothing may name checks that come from elsewhere.
    fn health_check_exists(&self, _: &AccountId, _: &str) -> Result<bool, Infallible> {
        Ok(self.limits == Limits::None)
    }

    fn health_check(&self, _: &HealthCheckId) -> Result<Option<HealthCheck>, Infallible> {
        Ok(None)
    }

    fn health_check_by_reference(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<HealthCheckId>, Infallible> {
        Ok(None)
    }

    fn health_check_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn health_checks_created_since(&self, _: &AccountId, _: Timestamp) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn is_child_health_check(&self, _: &HealthCheckId) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn probe_rights(&self, _: &AccountId) -> Result<ProbeRights, Infallible> {
        Ok(ProbeRights::Public)
    }

    fn free_health_slot(&self) -> Result<HealthSlot, Infallible> {
        Ok(HealthSlot {
            slot: 0,
            incarnation: 1,
        })
    }

    fn health_switch(&self, _: &HealthCheckId) -> Result<Option<HealthSwitch>, Infallible> {
        Ok(None)
    }

    fn cidr_collection(&self, _: &CidrCollectionId) -> Result<Option<CidrCollection>, Infallible> {
        Ok(None)
    }

    fn cidr_collection_named(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<CidrCollection>, Infallible> {
        Ok(None)
    }

    fn cidr_collection_by_reference(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<CidrCollection>, Infallible> {
        Ok(None)
    }

    fn cidr_collection_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn cidr_block_count(&self, _: &CidrCollectionId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn cidr_location_of(
        &self,
        _: &CidrCollectionId,
        _: &CidrBlock,
    ) -> Result<Option<CidrLocation>, Infallible> {
        Ok(None)
    }

    fn cidr_location_exists(&self, _: &CidrCollectionId, _: &str) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn cidr_set_count(&self, _: &CidrCollectionId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn traffic_policy(
        &self,
        _: &TrafficPolicyId,
        _: u32,
    ) -> Result<Option<TrafficPolicy>, Infallible> {
        Ok(None)
    }

    fn traffic_policy_summary(
        &self,
        _: &TrafficPolicyId,
    ) -> Result<Option<TrafficPolicySummary>, Infallible> {
        Ok(None)
    }

    fn traffic_policy_named(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<TrafficPolicyId>, Infallible> {
        Ok(None)
    }

    fn traffic_policy_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn has_traffic_policy_instance(&self, _: &TrafficPolicyId, _: u32) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn traffic_policy_instance(
        &self,
        _: &TrafficPolicyInstanceId,
    ) -> Result<Option<TrafficPolicyInstance>, Infallible> {
        Ok(None)
    }

    fn traffic_policy_instance_at(
        &self,
        _: &ZoneId,
        _: &Name,
        _: RecordType,
    ) -> Result<Option<TrafficPolicyInstance>, Infallible> {
        Ok(None)
    }

    fn traffic_policy_instance_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn deleted_traffic_policies(
        &self,
        _: &AccountId,
        _: usize,
    ) -> Result<Vec<(TrafficPolicyId, u32)>, Infallible> {
        Ok(Vec::new())
    }

    fn external_alias_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn protection(&self, _: &ProtectionKey) -> Result<Option<Protection>, Infallible> {
        Ok(None)
    }

    fn protection_count(&self, _: &ZoneId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn tags(&self, _: &TaggedResource) -> Result<Vec<Tag>, Infallible> {
        Ok(Vec::new())
    }

    fn name_servers(&self) -> Result<Vec<NameServer>, Infallible> {
        Ok(self.name_servers.clone())
    }

    fn delegation_sets(&self) -> Result<Vec<ReusableDelegationSet>, Infallible> {
        Ok(Vec::new())
    }

    fn delegation_set_by_reference(
        &self,
        _: &AccountId,
        _: &str,
    ) -> Result<Option<DelegationSetId>, Infallible> {
        Ok(None)
    }

    fn delegation_set_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn delegation_set_zone_count(&self, _: &DelegationSetId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn query_logging_of(&self, _: &ZoneId) -> Result<Option<QueryLoggingConfig>, Infallible> {
        Ok(None)
    }

    fn vpc(&self, _: &VpcId) -> Result<Option<Vpc>, Infallible> {
        Ok(None)
    }

    fn resource(&self, _: &AccountId, _: &ResourceName) -> Result<Option<Resource>, Infallible> {
        Ok(None)
    }

    fn resource_count(&self, _: &AccountId) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn own_regions(&self) -> Result<Vec<OwnRegion>, Infallible> {
        Ok(Vec::new())
    }

    fn vpcs(&self) -> Result<Vec<Vpc>, Infallible> {
        Ok(Vec::new())
    }

    fn zones_of_vpc(&self, _: &VpcId) -> Result<Vec<Zone>, Infallible> {
        Ok(Vec::new())
    }

    fn vpc_authorizations(&self, _: &ZoneId) -> Result<Vec<VpcAuthorization>, Infallible> {
        Ok(Vec::new())
    }

    fn limit(&self, _: &AccountId, quota: Quota) -> Result<u64, Infallible> {
        Ok(match self.limits {
            Limits::Default => quota.default_limit(),
            Limits::None => u64::MAX,
        })
    }
}
