//! What a planned change does: after-images and tombstones.

use meridian_dns::Name;

use crate::account::{AccessKey, Account, User};
use crate::change::Change;
use crate::cidr::{CidrBlocks, CidrCollection};
use crate::delegation_set::ReusableDelegationSet;
use crate::egress::ProbeRights;
use crate::generation::UnseenGeneration;
use crate::health_check::{HealthCheck, HealthSwitch, RoutingControl};
use crate::id::{
    AccessKeyId, AccountId, CidrCollectionId, DelegationSetId, Generation, HealthCheckId,
    QueryLoggingConfigId, TrafficPolicyId, TrafficPolicyInstanceId, VpcId, ZoneId,
};
use crate::name_server::NameServer;
use crate::own_region::OwnRegion;
use crate::protection::{Protection, ProtectionKey};
use crate::query_logging::QueryLoggingConfig;
use crate::quota::Quota;
use crate::record_set::{RecordSet, SetKey};
use crate::resource::{Resource, ResourceName};
use crate::routing::Region;
use crate::tag::TagSet;
use crate::traffic_policy::TrafficPolicy;
use crate::traffic_policy::TrafficPolicyInstance;
use crate::vpc::{Vpc, VpcAuthorization};
use crate::zone::{AcceleratedRecovery, Zone};

/// One write. Effects are applied in order and are never refused, so replaying an old journal
/// gives the old state whatever today's rules are.
///
/// A new kind raises the journal's level: nodes that do not know it must not be handed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The zone is now this.
    PutZone(Zone),
    /// The zone is gone. Its record sets were deleted by effects of their own.
    DeleteZone(ZoneId),
    /// The record set is now this.
    PutSet {
        /// Of the zone that points to this generation.
        generation: Generation,
        /// The whole set.
        set: RecordSet,
    },
    /// The record set is gone.
    DeleteSet {
        /// Of the zone that points to this generation.
        generation: Generation,
        /// Which one.
        key: SetKey,
    },
    /// A change was accepted; the entry's sequence number becomes its own.
    PutChange(Change),
    /// The pool's name server is now this.
    PutNameServer(NameServer),
    /// The name left the pool.
    DeleteNameServer(Name),
    /// The account is now this.
    PutAccount(Account),
    /// The account is gone, and its limits with it. Everything else in it was deleted by effects of
    /// their own.
    DeleteAccount(AccountId),
    /// The user is now this.
    PutUser(User),
    /// The user is gone; its keys were deleted by effects of their own.
    DeleteUser {
        /// The account.
        account: AccountId,
        /// The user's name.
        name: String,
    },
    /// The access key is now this.
    PutAccessKey(AccessKey),
    /// The access key is gone.
    DeleteAccessKey(AccessKeyId),
    /// The account's limit is now this instead of the default.
    PutQuota {
        /// The account.
        account: AccountId,
        /// What is limited.
        quota: Quota,
        /// The most there may be.
        limit: u64,
    },
    /// A generation that no zone points to is now this.
    PutUnseenGeneration(UnseenGeneration),
    /// A zone points to the generation from now on.
    DeleteUnseenGeneration(Generation),
    /// The first sets of an unseen generation are gone, and it too once none is left.
    CollectGeneration {
        /// One that no zone points to.
        generation: Generation,
        /// How many sets at most.
        most: u32,
    },
    /// The resource's tags are now these; an empty set is none.
    PutTags(TagSet),
    /// The sets are protected from now on.
    PutProtection(Protection),
    /// They are not any more.
    DeleteProtection(ProtectionKey),
    /// The reusable delegation set is there. The zone whose set it was is put by an effect of its
    /// own.
    PutDelegationSet(ReusableDelegationSet),
    /// The reusable delegation set, which no zone has any more, is gone.
    DeleteDelegationSet(DelegationSetId),
    /// The zone's queries are logged from now on.
    PutQueryLoggingConfig(QueryLoggingConfig),
    /// The queries of the configuration's zone are logged no more.
    DeleteQueryLoggingConfig(QueryLoggingConfigId),
    /// The VPC is now this.
    PutVpc(Vpc),
    /// The VPC, with which no zone is associated any more, is gone.
    DeleteVpc(VpcId),
    /// The owner of a VPC may associate it with a zone.
    PutVpcAuthorization(VpcAuthorization),
    /// That may not be any more.
    DeleteVpcAuthorization {
        /// The zone.
        zone: ZoneId,
        /// The VPC.
        vpc: VpcId,
    },
    /// The health check is now this.
    PutHealthCheck(HealthCheck),
    /// The health check is gone, and its place free. Its switch was taken back by an effect of its
    /// own.
    DeleteHealthCheck(HealthCheckId),
    /// The outcome of a health check is what somebody says.
    PutHealthSwitch(HealthSwitch),
    /// Nobody says so any more.
    DeleteHealthSwitch(HealthCheckId),
    /// The routing control is turned so.
    PutRoutingControl(RoutingControl),
    /// The operator's region is there now, or at another place.
    PutRegion(OwnRegion),
    /// It is gone. Record sets that name it stay as they are.
    DeleteRegion(Region),
    /// The resource is now this.
    PutResource(Resource),
    /// It is registered no more. Record sets that point to it stay as they are.
    DeleteResource {
        /// Whose it was.
        account: AccountId,
        /// What it is reached by.
        name: ResourceName,
    },
    /// The CIDR collection is now this; its blocks are as they were.
    PutCidrCollection(CidrCollection),
    /// The CIDR collection is gone. Its blocks were deleted by effects of their own.
    DeleteCidrCollection(CidrCollectionId),
    /// The blocks are this location's now, wherever in the collection they were.
    PutCidrBlocks(CidrBlocks),
    /// The blocks are this location's no more.
    DeleteCidrBlocks(CidrBlocks),
    /// The version of a traffic policy is now this.
    PutTrafficPolicy(TrafficPolicy),
    /// The version of a traffic policy is deleted. It stays to be read.
    DeleteTrafficPolicy {
        /// The policy.
        id: TrafficPolicyId,
        /// Which version.
        version: u32,
    },
    /// The deleted version of a traffic policy, of which there is no instance, cannot be read any
    /// more. Its number stays used.
    ForgetTrafficPolicy {
        /// The policy.
        id: TrafficPolicyId,
        /// Which version.
        version: u32,
    },
    /// The traffic policy instance is now this. Its record sets are put by effects of their own.
    PutTrafficPolicyInstance(TrafficPolicyInstance),
    /// The traffic policy instance is gone. Its record sets were deleted by effects of their own.
    DeleteTrafficPolicyInstance(TrafficPolicyInstanceId),
}

impl Effect {
    /// The journal level from which this kind of effect is understood.
    pub fn level(&self) -> u16 {
        match self {
            // A version of level 1 would lose the switch.
            Self::PutZone(zone) if zone.accelerated_recovery == AcceleratedRecovery::Enabled => 2,
            // What comes with a reusable set is read by those who know such sets.
            Self::PutZone(zone) if zone.delegation_set.id.is_some() => 2,
            // Without its VPCs a private zone would be seen by nobody.
            Self::PutZone(zone) if !zone.vpcs.is_empty() => 2,
            // Earlier versions would lose the right.
            Self::PutAccount(account) if account.probes != ProbeRights::Public => 3,
            // Earlier versions want a zone in every change.
            Self::PutChange(change) if change.zone.is_none() => 3,
            Self::PutZone(_)
            | Self::DeleteZone(_)
            | Self::PutSet { .. }
            | Self::DeleteSet { .. }
            | Self::PutChange(_)
            | Self::PutNameServer(_)
            | Self::DeleteNameServer(_)
            | Self::PutAccount(_)
            | Self::PutUser(_)
            | Self::DeleteUser { .. }
            | Self::PutAccessKey(_)
            | Self::DeleteAccessKey(_) => 1,
            Self::PutQuota { quota, .. } => quota.level(),
            Self::PutUnseenGeneration(_)
            | Self::DeleteUnseenGeneration(_)
            | Self::CollectGeneration { .. }
            | Self::PutTags(_)
            | Self::PutProtection(_)
            | Self::DeleteProtection(_)
            | Self::DeleteAccount(_)
            | Self::PutDelegationSet(_)
            | Self::DeleteDelegationSet(_)
            | Self::PutQueryLoggingConfig(_)
            | Self::DeleteQueryLoggingConfig(_)
            | Self::PutVpc(_)
            | Self::DeleteVpc(_)
            | Self::PutVpcAuthorization(_)
            | Self::DeleteVpcAuthorization { .. } => 2,
            Self::PutHealthCheck(_)
            | Self::DeleteHealthCheck(_)
            | Self::PutHealthSwitch(_)
            | Self::DeleteHealthSwitch(_)
            | Self::PutRoutingControl(_)
            | Self::PutRegion(_)
            | Self::DeleteRegion(_)
            | Self::PutResource(_)
            | Self::DeleteResource { .. } => 3,
            Self::PutCidrCollection(_)
            | Self::DeleteCidrCollection(_)
            | Self::PutCidrBlocks(_)
            | Self::DeleteCidrBlocks(_) => 3,
            Self::PutTrafficPolicy(_)
            | Self::DeleteTrafficPolicy { .. }
            | Self::ForgetTrafficPolicy { .. } => 3,
            Self::PutTrafficPolicyInstance(_) | Self::DeleteTrafficPolicyInstance(_) => 3,
        }
    }
}
