//! What operations take and give. Ids come in bare; whether they can exist is found out here.

mod cidr;
mod delegation_sets;
mod geo;
mod health_checks;
mod limit;
mod protections;
mod query_logging;
mod tags;
mod test_answer;
mod traffic_policies;
mod traffic_policy_instances;
mod vpcs;
mod zone_settings;

pub use cidr::{
    ChangeCidrCollection, CidrBlockPage, CidrCollectionPage, CidrLocationPage, CidrPage,
    CidrPageStart,
};
pub use delegation_sets::{CreateDelegationSet, DelegationSetPage, ListDelegationSets};
pub use health_checks::{HealthCheckPage, ListHealthChecks, UpdateHealthCheck};
pub use query_logging::{
    CreateQueryLoggingConfig, ListQueryLoggingConfigs, QueryLoggingConfigPage,
};

use meridian_model::{Change, DraftChange, RecordSet, SetKey, Zone, ZoneId};

pub use geo::{GeoPlacePage, ListGeoLocations};
pub use limit::Limit;
pub use protections::{ChangeProtections, ListProtections, ProtectionPage};
pub use tags::ChangeTags;
pub use test_answer::TestDnsAnswer;
pub use traffic_policies::{
    CreateTrafficPolicy, CreateTrafficPolicyVersion, ListTrafficPolicies,
    ListTrafficPolicyVersions, PolicyVersion, TrafficPolicyPage, TrafficPolicyVersionPage,
    UpdateTrafficPolicyComment,
};
pub use traffic_policy_instances::{
    CreateTrafficPolicyInstance, InstanceFilter, InstancePage, InstanceState, InstanceStatus,
    ListTrafficPolicyInstances, UpdateTrafficPolicyInstance,
};
pub use vpcs::{
    ListHostedZonesByVpc, ListVpcAuthorizations, Vpc, VpcPage, ZoneAndVpc, ZonesByVpcPage,
};
pub use zone_settings::{UpdateHostedZoneComment, UpdateHostedZoneFeatures};

/// `CreateHostedZoneRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateHostedZone {
    /// As sent.
    pub name: String,
    /// 1 to 128 characters.
    pub caller_reference: String,
    /// `HostedZoneConfig.Comment`, at most 256 characters; empty is absent.
    pub comment: Option<String>,
    /// `HostedZoneConfig.PrivateZone`.
    pub private_zone: bool,
    /// The network of a private zone.
    pub vpc: Option<Vpc>,
    /// A reusable delegation set, bare.
    pub delegation_set_id: Option<String>,
}

/// A zone with what is counted rather than stored in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// The zone.
    pub zone: Zone,
    /// `ResourceRecordSetCount`.
    pub record_set_count: u64,
}

/// `CreateHostedZoneResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedHostedZone {
    /// The new zone.
    pub zone: HostedZone,
    /// The change that made it.
    pub change: ChangeOutcome,
}

/// `ChangeInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOutcome {
    /// The change.
    pub change: Change,
    /// How far it is.
    pub status: ChangeStatus,
}

/// `ChangeStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeStatus {
    /// Not every name server of the zone serves it yet.
    Pending,
    /// Every name server of the zone serves it.
    Insync,
}

impl ChangeStatus {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Insync => "INSYNC",
        }
    }
}

/// `ListHostedZonesRequest`. Page sizes are clamped by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListHostedZones {
    /// The zone that starts the page.
    pub marker: Option<String>,
    /// 1 to 100.
    pub max_items: usize,
    /// Only zones of this reusable set.
    pub delegation_set_id: Option<String>,
    /// Only private zones.
    pub private_only: bool,
}

/// A page of zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonePage {
    /// In order of their ids.
    pub zones: Vec<HostedZone>,
    /// The first zone of the next page.
    pub next: Option<ZoneId>,
}

/// `ListHostedZonesByNameRequest`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListHostedZonesByName {
    /// The name that starts the page, as sent.
    pub dns_name: Option<String>,
    /// The zone of that name that starts the page.
    pub hosted_zone_id: Option<String>,
    /// 1 to 100.
    pub max_items: usize,
}

/// A page of zones in order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonesByNamePage {
    /// In order of reversed names, then ids.
    pub zones: Vec<HostedZone>,
    /// The first zone of the next page.
    pub next: Option<Zone>,
}

/// `ChangeResourceRecordSetsRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecordSets {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// `ChangeBatch.Comment`, at most 256 characters; empty is absent.
    pub comment: Option<String>,
    /// At least one.
    pub changes: Vec<DraftChange>,
}

/// `ListResourceRecordSetsRequest`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRecordSets {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// The name that starts the page, as sent.
    pub name: Option<String>,
    /// The type that starts the page; needs a name.
    pub rtype: Option<meridian_dns::RecordType>,
    /// The identifier that starts the page; needs a name and a type.
    pub identifier: Option<String>,
    /// 1 to 300.
    pub max_items: usize,
}

/// A page of record sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSetPage {
    /// In Route 53's order.
    pub sets: Vec<RecordSet>,
    /// The first set of the next page.
    pub next: Option<SetKey>,
}
