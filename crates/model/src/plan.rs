//! Planning: what a request does to the state it meets, or every reason why not.

mod batch;
mod cidr;
mod conflicts;
mod delegation_set;
mod generation;
mod health_check;
mod health_switch;
mod hosted_zone;
mod import;
mod pool;
mod protections;
mod query_logging;
mod region;
mod resource;
mod structure;
mod tags;
mod traffic_policy;
mod traffic_policy_instance;
mod vpc;
mod zone_settings;

pub use batch::{BatchRefusal, keeps_to_zone, plan_batch};
pub use cidr::{
    ChangeCidrRefusal, CidrAction, CidrChange, CidrCollectionInUse, CreateCidrRefusal,
    NewCidrCollection, plan_change_cidr_collection, plan_create_cidr_collection,
    plan_delete_cidr_collection,
};
pub use delegation_set::{
    CreateDelegationSetRefusal, DelegationSetInUse, NewDelegationSet, plan_create_delegation_set,
    plan_delete_delegation_set,
};
pub use generation::{
    expired_generations, plan_begin_generation, plan_collect_generation, plan_publish_generation,
};
pub use health_check::{
    HealthCheckRefusal, HealthCheckUpdate, NewHealthCheck, PlannedHealthCheck,
    plan_create_health_check, plan_delete_health_check, plan_set_health_check_interval,
    plan_update_health_check,
};
pub use health_switch::{HealthSwitchRefusal, plan_release_health_check, plan_switch_health_check};
pub use hosted_zone::{
    CreateZoneRefusal, NewZone, ZoneNotEmpty, plan_create_zone, plan_delete_zone,
};
pub use import::{
    FollowedAliases, ImportLimits, ImportedName, PlannedName, check_imported_apex,
    plan_imported_alias, plan_imported_name,
};
pub use pool::{NameServerRefusal, plan_delete_name_server, plan_put_name_server};
pub use protections::{
    ProtectionCode, ProtectionDraft, ProtectionProblem, ProtectionRefusal, plan_create_protections,
    plan_delete_protections,
};
pub use query_logging::{AlreadyLogged, plan_create_query_logging};
pub use region::{RegionRefusal, plan_add_region, plan_remove_region};
pub use resource::{
    NewResource, ResourceRefusal, known_region, plan_add_resource, plan_remove_resource,
    region_of_target,
};
pub use tags::{TagChange, TagRefusal, plan_change_tags};
pub use traffic_policy::{
    NewPolicyVersion, TrafficPolicyRefusal, plan_comment_traffic_policy,
    plan_create_traffic_policy, plan_create_traffic_policy_version, plan_delete_traffic_policy,
};
pub use traffic_policy_instance::{
    InstanceRefusal, NewInstance, plan_create_instance, plan_delete_instance, plan_update_instance,
};
pub use vpc::{
    AssociationRefusal, AuthorizationRefusal, VpcRefusal, plan_associate_vpc, plan_authorize_vpc,
    plan_create_vpc, plan_delete_vpc, plan_disassociate_vpc, plan_set_vpc_networks,
};
pub use zone_settings::{NotPublic, plan_zone_comment, plan_zone_features};

/// A request was not planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError<R, E> {
    /// It may not be done.
    Refused(R),
    /// The state could not be read.
    State(E),
}

impl<R, E> From<E> for PlanError<R, E> {
    fn from(error: E) -> Self {
        Self::State(error)
    }
}
