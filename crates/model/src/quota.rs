//! What is limited per account, and Route 53's defaults. Where a limit is kept to is the business
//! of the plan that would break it.

/// What is limited per account. Many are Route 53's own limit types and carry its names; the rest
/// are named in their manner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quota {
    /// `MAX_HOSTED_ZONES_BY_OWNER`.
    HostedZonesByOwner,
    /// `MAX_RRSETS_BY_ZONE`.
    RecordSetsByZone,
    /// `MAX_REUSABLE_DELEGATION_SETS_BY_OWNER`.
    ReusableDelegationSetsByOwner,
    /// `MAX_ZONES_BY_REUSABLE_DELEGATION_SET`.
    ZonesByReusableDelegationSet,
    /// `MAX_VPCS_ASSOCIATED_BY_ZONE`: networks that see a private zone.
    VpcsByZone,
    /// `MAX_VPC_AUTHORIZATIONS_BY_ZONE`: networks of other accounts that may come to see it.
    VpcAuthorizationsByZone,
    /// `MAX_RRSET_PROTECTIONS_BY_ZONE`.
    ProtectionsByZone,
    /// `MAX_HEALTH_CHECKS_BY_OWNER`.
    HealthChecksByOwner,
    /// `MAX_HEALTH_CHECK_CREATIONS_BY_DAY`: health checks that are made within 24 hours.
    HealthCheckCreationsByDay,
    /// `MIN_HEALTH_CHECK_INTERVAL_SECONDS`: the least time between two probes of an endpoint by a
    /// checker. The one limit that is the least there may be.
    HealthCheckInterval,
    /// `MAX_TRAFFIC_POLICIES_BY_OWNER`.
    TrafficPoliciesByOwner,
    /// `MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER`.
    TrafficPolicyInstancesByOwner,
    /// `MAX_EXTERNAL_ALIASES_BY_OWNER`: record sets that are aliases to host names elsewhere, in
    /// all zones, those behind traffic policy instances among them.
    ExternalAliasesByOwner,
    /// `MAX_CIDR_COLLECTIONS_BY_OWNER`.
    CidrCollectionsByOwner,
    /// `MAX_CIDR_BLOCKS_BY_COLLECTION`.
    CidrBlocksByCollection,
    /// `MAX_CIDR_BLOCKS_BY_CHANGE`: blocks that one change of a collection names.
    CidrBlocksByChange,
    /// `MAX_RECORDS_BY_RRSET`: values of one record set.
    ValuesByRecordSet,
    /// `MAX_POLICY_RRSETS_BY_NAME`: sets of one name and type under a policy.
    PolicySetsByName,
    /// `MAX_GEOPROXIMITY_RRSETS_BY_NAME`: those of one name and type under geoproximity.
    GeoproximitySetsByName,
    /// `MAX_RECORDS_BY_CHANGE_BATCH`: values in a batch; those of an UPSERT count twice.
    ValuesByBatch,
    /// `MAX_RDATA_CHARACTERS_BY_CHANGE_BATCH`: characters of its values, counted likewise.
    CharactersByBatch,
    /// `MAX_TAGS_BY_RESOURCE`.
    TagsByResource,
    /// `MAX_REQUESTS_PER_SECOND`.
    RequestsPerSecond,
}

impl Quota {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::HostedZonesByOwner,
        Self::RecordSetsByZone,
        Self::ReusableDelegationSetsByOwner,
        Self::ZonesByReusableDelegationSet,
        Self::VpcsByZone,
        Self::VpcAuthorizationsByZone,
        Self::ProtectionsByZone,
        Self::HealthChecksByOwner,
        Self::HealthCheckCreationsByDay,
        Self::HealthCheckInterval,
        Self::TrafficPoliciesByOwner,
        Self::TrafficPolicyInstancesByOwner,
        Self::ExternalAliasesByOwner,
        Self::CidrCollectionsByOwner,
        Self::CidrBlocksByCollection,
        Self::CidrBlocksByChange,
        Self::ValuesByRecordSet,
        Self::PolicySetsByName,
        Self::GeoproximitySetsByName,
        Self::ValuesByBatch,
        Self::CharactersByBatch,
        Self::TagsByResource,
        Self::RequestsPerSecond,
    ];

    /// Its name in the API, on the command line and in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HostedZonesByOwner => "MAX_HOSTED_ZONES_BY_OWNER",
            Self::RecordSetsByZone => "MAX_RRSETS_BY_ZONE",
            Self::ReusableDelegationSetsByOwner => "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER",
            Self::ZonesByReusableDelegationSet => "MAX_ZONES_BY_REUSABLE_DELEGATION_SET",
            Self::VpcsByZone => "MAX_VPCS_ASSOCIATED_BY_ZONE",
            Self::VpcAuthorizationsByZone => "MAX_VPC_AUTHORIZATIONS_BY_ZONE",
            Self::ProtectionsByZone => "MAX_RRSET_PROTECTIONS_BY_ZONE",
            Self::HealthChecksByOwner => "MAX_HEALTH_CHECKS_BY_OWNER",
            Self::HealthCheckCreationsByDay => "MAX_HEALTH_CHECK_CREATIONS_BY_DAY",
            Self::HealthCheckInterval => "MIN_HEALTH_CHECK_INTERVAL_SECONDS",
            Self::TrafficPoliciesByOwner => "MAX_TRAFFIC_POLICIES_BY_OWNER",
            Self::TrafficPolicyInstancesByOwner => "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER",
            Self::ExternalAliasesByOwner => "MAX_EXTERNAL_ALIASES_BY_OWNER",
            Self::CidrCollectionsByOwner => "MAX_CIDR_COLLECTIONS_BY_OWNER",
            Self::CidrBlocksByCollection => "MAX_CIDR_BLOCKS_BY_COLLECTION",
            Self::CidrBlocksByChange => "MAX_CIDR_BLOCKS_BY_CHANGE",
            Self::ValuesByRecordSet => "MAX_RECORDS_BY_RRSET",
            Self::PolicySetsByName => "MAX_POLICY_RRSETS_BY_NAME",
            Self::GeoproximitySetsByName => "MAX_GEOPROXIMITY_RRSETS_BY_NAME",
            Self::ValuesByBatch => "MAX_RECORDS_BY_CHANGE_BATCH",
            Self::CharactersByBatch => "MAX_RDATA_CHARACTERS_BY_CHANGE_BATCH",
            Self::TagsByResource => "MAX_TAGS_BY_RESOURCE",
            Self::RequestsPerSecond => "MAX_REQUESTS_PER_SECOND",
        }
    }

    /// Route 53's default, where it has one: it does not say how many protections a zone may have,
    /// has no aliases to names anywhere, and its 5 requests a second keep tools waiting that share
    /// an account.
    pub const fn default_limit(self) -> u64 {
        match self {
            Self::HostedZonesByOwner => 500,
            Self::RecordSetsByZone => 10_000,
            Self::ReusableDelegationSetsByOwner
            | Self::ZonesByReusableDelegationSet
            | Self::PolicySetsByName => 100,
            Self::VpcsByZone => 300,
            Self::VpcAuthorizationsByZone
            | Self::ProtectionsByZone
            | Self::CidrBlocksByCollection
            | Self::CidrBlocksByChange
            | Self::ValuesByBatch
            | Self::HealthCheckCreationsByDay
            | Self::RequestsPerSecond => 1000,
            Self::CharactersByBatch => 32_000,
            // Each is looked up again and again by every name server, which takes 100,000 in all.
            Self::ExternalAliasesByOwner => 2000,
            Self::HealthChecksByOwner => 200,
            Self::HealthCheckInterval => 10,
            Self::TrafficPoliciesByOwner | Self::TagsByResource => 50,
            Self::TrafficPolicyInstancesByOwner | Self::CidrCollectionsByOwner => 5,
            Self::ValuesByRecordSet => 400,
            Self::GeoproximitySetsByName => 30,
        }
    }

    /// The journal level from which the name is understood.
    pub(crate) const fn level(self) -> u16 {
        match self {
            Self::HostedZonesByOwner | Self::RecordSetsByZone => 1,
            Self::CidrBlocksByChange
            | Self::HealthCheckInterval
            | Self::HealthCheckCreationsByDay
            | Self::ExternalAliasesByOwner => 3,
            _ => 2,
        }
    }
}
