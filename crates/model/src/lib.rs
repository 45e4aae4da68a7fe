//! Route 53's nouns: what they are, when they are valid, what a change does to them.
//!
//! Deterministic and free of input and output: state is read through [`State`], time and
//! randomness are arguments, and the outcome of a plan is a list of [`Effect`]s or every reason
//! why not. How effects are stored is the business of the log; what they answer is that of
//! `answer`.

mod account;
mod change;
mod cidr;
mod delegation_set;
mod draft;
mod effect;
mod egress;
mod empty_state;
mod facts;
mod generation;
mod geo;
mod health_check;
mod host_region;
mod id;
mod json;
mod local_zone_group;
mod name_server;
mod own_region;
mod plan;
mod protection;
mod query_logging;
mod quota;
mod record_set;
mod resource;
mod routing;
mod service_zone;
mod state;
mod tag;
mod traffic_policy;
mod vpc;
mod xml_char;
mod zone;

pub use account::{AccessKey, Account, KeyStatus, Policy, User};
pub use change::Change;
pub use cidr::{
    CidrBlock, CidrBlocks, CidrCollection, CidrLocation, InvalidBlock, InvalidLocation,
};
pub use delegation_set::{DelegationSet, ReusableDelegationSet};
pub use draft::{Action, Draft, DraftAlias, DraftChange};
pub use effect::Effect;
pub use egress::{AddressRange, ProbeRights};
pub use empty_state::{EmptyState, Limits};
pub use facts::{Facts, Timestamp};
pub use generation::{UnseenGeneration, UnseenState};
pub use geo::{Continent, Country, GeoPlace, GeoStart, Subdivision};
pub use health_check::{
    ALARM_REGIONS, AlarmDraft, BreakGlass, CheckerRegion, ControlState, Endpoint, Health,
    HealthCheck, HealthCheckConfig, HealthCheckDraft, HealthCheckSettings, HealthCheckType,
    HealthSlot, HealthSubject, HealthSwitch, MAX_BREAK_GLASS_MS, Protocol, Reason, ResetElement,
    RoutingControl, Standing, Standings, WithoutData, check_reason, is_routing_control,
};
pub use host_region::region_of_host;
pub use id::{
    AccessKeyId, AccountId, ChangeId, CidrCollectionId, DelegationSetId, Generation, HealthCheckId,
    InvalidId, QueryLoggingConfigId, Seq, TrafficPolicyId, TrafficPolicyInstanceId, VpcId, ZoneId,
};
pub use json::{Json, JsonError, JsonNames};
pub use local_zone_group::local_zone_groups;
pub use name_server::NameServer;
pub use own_region::OwnRegion;
pub use plan::{
    AlreadyLogged, AssociationRefusal, AuthorizationRefusal, BatchRefusal, ChangeCidrRefusal,
    CidrAction, CidrChange, CidrCollectionInUse, CreateCidrRefusal, CreateDelegationSetRefusal,
    CreateZoneRefusal, DelegationSetInUse, FollowedAliases, HealthCheckRefusal, HealthCheckUpdate,
    HealthSwitchRefusal, ImportLimits, ImportedName, InstanceRefusal, NameServerRefusal,
    NewCidrCollection, NewDelegationSet, NewHealthCheck, NewInstance, NewPolicyVersion,
    NewResource, NewZone, NotPublic, PlanError, PlannedHealthCheck, PlannedName, ProtectionCode,
    ProtectionDraft, ProtectionProblem, ProtectionRefusal, RegionRefusal, ResourceRefusal,
    TagChange, TagRefusal, TrafficPolicyRefusal, VpcRefusal, ZoneNotEmpty, check_imported_apex,
    expired_generations, keeps_to_zone, known_region, plan_add_region, plan_add_resource,
    plan_associate_vpc, plan_authorize_vpc, plan_batch, plan_begin_generation,
    plan_change_cidr_collection, plan_change_tags, plan_collect_generation,
    plan_comment_traffic_policy, plan_create_cidr_collection, plan_create_delegation_set,
    plan_create_health_check, plan_create_instance, plan_create_protections,
    plan_create_query_logging, plan_create_traffic_policy, plan_create_traffic_policy_version,
    plan_create_vpc, plan_create_zone, plan_delete_cidr_collection, plan_delete_delegation_set,
    plan_delete_health_check, plan_delete_instance, plan_delete_name_server,
    plan_delete_protections, plan_delete_traffic_policy, plan_delete_vpc, plan_delete_zone,
    plan_disassociate_vpc, plan_imported_alias, plan_imported_name, plan_publish_generation,
    plan_put_name_server, plan_release_health_check, plan_remove_region, plan_remove_resource,
    plan_set_health_check_interval, plan_set_vpc_networks, plan_switch_health_check,
    plan_update_health_check, plan_update_instance, plan_zone_comment, plan_zone_features,
    region_of_target,
};
pub use protection::{Protection, ProtectionKey};
pub use query_logging::{InvalidArn, LogGroupArn, QueryLoggingConfig};
pub use quota::Quota;
pub use record_set::{AliasTarget, RecordSet, SetData, SetKey, may_be_reserved};
pub use resource::{Resource, ResourceName};
pub use routing::{
    Coordinates, FailoverRole, GeoLocation, GeoproximityLocation, GeoproximityPlace, Region,
    Routing, RoutingKind,
};
pub use service_zone::{EXTERNAL, ServiceZone, external, is_external_type};
pub use state::{State, labels_in_common};
pub use tag::{Tag, TagSet, TaggedKind, TaggedResource};
pub use traffic_policy::{
    Document, DocumentFault, DocumentFormat, EndpointService, EndpointTarget, NoRoom, Node,
    NodeRef, Plot, PolicyEndpoint, PolicyRule, RuleItem, TrafficPolicy, TrafficPolicyInstance,
    TrafficPolicySummary, Tree, expand,
};
pub use vpc::{AssociatedVpc, Network, NetworkError, Vpc, VpcAuthorization, VpcRegion};
pub use xml_char::is_xml_char;
pub use zone::{AcceleratedRecovery, Zone};
