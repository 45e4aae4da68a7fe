//! Which tables there are. Where a key has a name, the function of that name makes it.

use redb::TableDefinition;

/// Every table has byte strings for keys and values.
type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// A table. The number is part of the digest and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::tables) enum Table {
    /// Zone id → zone.
    Zones = 0,
    /// Name, zone id → nothing.
    ZoneNames = 1,
    /// Account, zone id → nothing.
    AccountZones = 2,
    /// Account, name, zone id → nothing.
    AccountZoneNames = 3,
    /// Account, caller reference → zone id. Rows stay for ever.
    CallerReferences = 4,
    /// Generation → id of the zone that points to it.
    Generations = 5,
    /// `set` → record set.
    Sets = 6,
    /// Generation → counts.
    Stats = 7,
    /// Change id → change and the entry that carried it.
    Changes = 8,
    /// Name → name server.
    NameServers = 9,
    /// Account id → account.
    Accounts = 10,
    /// Account's name → account id.
    AccountNames = 11,
    /// Account, user's name → user.
    Users = 12,
    /// Access key id → access key.
    AccessKeys = 13,
    /// Account, access key id → nothing.
    AccountKeys = 14,
    /// Account, quota → limit.
    Quotas = 15,
    /// Retry key → entry and time.
    Requests = 16,
    /// Time, retry key → nothing.
    RequestTimes = 17,
    /// What is counted once: see `GENERATION_COUNTER` and the functions after it.
    Counters = 18,
    /// Zone id, entry, commit → what the commit overwrote. Kept by control nodes only, therefore
    /// not digested.
    History = 19,
    /// Entry → digest after it. Not digested.
    Digests = 20,
    /// Generation that no zone points to → what it is there for.
    UnseenGenerations = 70,
    /// Kind of resource, id → its tags.
    Tags = 30,
    /// `protection` → protection.
    Protections = 31,
    /// Delegation set id → reusable delegation set.
    DelegationSets = 40,
    /// Account, delegation set id → nothing.
    AccountDelegationSets = 41,
    /// Account, caller reference → delegation set id. Rows stay for ever.
    DelegationSetReferences = 42,
    /// Delegation set id, id of a zone that has it → nothing.
    DelegationSetZones = 43,
    /// Query logging configuration's id → configuration.
    QueryLoggingConfigs = 44,
    /// Account, id of a query logging configuration → nothing.
    AccountQueryLogging = 45,
    /// Zone id → id of its query logging configuration.
    ZoneQueryLogging = 46,
    /// VPC id → VPC.
    Vpcs = 50,
    /// VPC id, id of a zone that it sees → nothing.
    VpcZones = 51,
    /// Zone id, VPC id → authorization.
    VpcAuthorizations = 52,
    /// Health check id → health check.
    HealthChecks = 90,
    /// Account, health check id → nothing.
    AccountHealthChecks = 91,
    /// Account, caller reference → health check id. Rows stay for ever.
    HealthCheckReferences = 92,
    /// Place → its incarnation and the health check that has it. Rows stay for ever.
    HealthSlots = 93,
    /// Place that no health check has any more → nothing.
    FreeHealthSlots = 94,
    /// Health check id, id of one that is calculated from it → nothing.
    HealthCheckParents = 95,
    /// Health check id → what somebody says of it.
    HealthSwitches = 96,
    /// Account, `hour` → how many health checks were made in it. Some hours are kept.
    HealthCheckCreations = 97,
    /// ARN → how the routing control is turned.
    RoutingControls = 60,
    /// Name → region of the operator's own.
    Regions = 61,
    /// Account, name → resource.
    Resources = 63,
    /// `external_aliases` → how many aliases to names elsewhere the generation has. Counted again
    /// where an earlier version did not, therefore not digested.
    ExternalAliases = 62,
    /// `deleted_traffic_policy` → nothing. Made again where an earlier version did not, therefore
    /// not digested.
    DeletedTrafficPolicies = 64,
    /// CIDR collection's id → collection.
    CidrCollections = 100,
    /// Account, CIDR collection's name → its id.
    CidrCollectionNames = 101,
    /// Account, caller reference → id of the CIDR collection that it made.
    CidrCollectionReferences = 102,
    /// CIDR collection's id, `cidr_block` → location.
    CidrBlocks = 103,
    /// CIDR collection's id, location, `cidr_block` → nothing.
    CidrLocationBlocks = 104,
    /// Traffic policy's id → what its versions have in common. Rows stay for ever: numbers of
    /// versions are used once.
    TrafficPolicies = 110,
    /// `traffic_policy_version` → the version, deleted ones too until they are forgotten.
    TrafficPolicyVersions = 111,
    /// Account, traffic policy's name → its id.
    TrafficPolicyNames = 112,
    /// `account_traffic_policy` → nothing.
    AccountTrafficPolicies = 113,
    /// Traffic policy instance's id → instance.
    TrafficPolicyInstances = 114,
    /// `InstancePlace` → id of the traffic policy instance that is there.
    ZoneInstances = 115,
    /// Account, `InstancePlace` → id of its traffic policy instance that is there.
    AccountInstances = 116,
    /// Traffic policy's id, version, `InstancePlace` → id of the instance that is there.
    PolicyInstances = 117,
    /// `alias_source` → nothing. Made again where an earlier version did not keep it up, therefore
    /// not digested.
    AliasSources = 118,
}

impl Table {
    pub(in crate::tables) const ALL: &[Self] = &[
        Self::Zones,
        Self::ZoneNames,
        Self::AccountZones,
        Self::AccountZoneNames,
        Self::CallerReferences,
        Self::Generations,
        Self::Sets,
        Self::Stats,
        Self::Changes,
        Self::NameServers,
        Self::Accounts,
        Self::AccountNames,
        Self::Users,
        Self::AccessKeys,
        Self::AccountKeys,
        Self::Quotas,
        Self::Requests,
        Self::RequestTimes,
        Self::Counters,
        Self::History,
        Self::Digests,
        Self::UnseenGenerations,
        Self::Tags,
        Self::Protections,
        Self::DelegationSets,
        Self::AccountDelegationSets,
        Self::DelegationSetReferences,
        Self::DelegationSetZones,
        Self::QueryLoggingConfigs,
        Self::AccountQueryLogging,
        Self::ZoneQueryLogging,
        Self::Vpcs,
        Self::VpcZones,
        Self::VpcAuthorizations,
        Self::HealthChecks,
        Self::AccountHealthChecks,
        Self::HealthCheckReferences,
        Self::HealthSlots,
        Self::FreeHealthSlots,
        Self::HealthCheckParents,
        Self::HealthSwitches,
        Self::HealthCheckCreations,
        Self::RoutingControls,
        Self::Regions,
        Self::Resources,
        Self::ExternalAliases,
        Self::DeletedTrafficPolicies,
        Self::AliasSources,
        Self::CidrCollections,
        Self::CidrCollectionNames,
        Self::CidrCollectionReferences,
        Self::CidrBlocks,
        Self::CidrLocationBlocks,
        Self::AccountInstances,
        Self::AccountTrafficPolicies,
        Self::PolicyInstances,
        Self::TrafficPolicies,
        Self::TrafficPolicyInstances,
        Self::TrafficPolicyNames,
        Self::TrafficPolicyVersions,
        Self::ZoneInstances,
    ];

    pub(in crate::tables) const fn name(self) -> &'static str {
        match self {
            Self::Zones => "zones",
            Self::ZoneNames => "zone_names",
            Self::AccountZones => "account_zones",
            Self::AccountZoneNames => "account_zone_names",
            Self::CallerReferences => "caller_references",
            Self::Generations => "generations",
            Self::Sets => "sets",
            Self::Stats => "stats",
            Self::Changes => "changes",
            Self::NameServers => "name_servers",
            Self::Accounts => "accounts",
            Self::AccountNames => "account_names",
            Self::Users => "users",
            Self::AccessKeys => "access_keys",
            Self::AccountKeys => "account_keys",
            Self::Quotas => "quotas",
            Self::Requests => "requests",
            Self::RequestTimes => "request_times",
            Self::Counters => "counters",
            Self::History => "history",
            Self::Digests => "digests",
            Self::UnseenGenerations => "unseen_generations",
            Self::Tags => "tags",
            Self::Protections => "protections",
            Self::DelegationSets => "delegation_sets",
            Self::AccountDelegationSets => "account_delegation_sets",
            Self::DelegationSetReferences => "delegation_set_references",
            Self::DelegationSetZones => "delegation_set_zones",
            Self::QueryLoggingConfigs => "query_logging_configs",
            Self::AccountQueryLogging => "account_query_logging",
            Self::ZoneQueryLogging => "zone_query_logging",
            Self::Vpcs => "vpcs",
            Self::VpcZones => "vpc_zones",
            Self::VpcAuthorizations => "vpc_authorizations",
            Self::HealthChecks => "health_checks",
            Self::AccountHealthChecks => "account_health_checks",
            Self::HealthCheckReferences => "health_check_references",
            Self::HealthSlots => "health_slots",
            Self::FreeHealthSlots => "free_health_slots",
            Self::HealthCheckParents => "health_check_parents",
            Self::HealthSwitches => "health_switches",
            Self::HealthCheckCreations => "health_check_creations",
            Self::RoutingControls => "routing_controls",
            Self::Regions => "regions",
            Self::Resources => "resources",
            Self::ExternalAliases => "external_aliases",
            Self::DeletedTrafficPolicies => "deleted_traffic_policies",
            Self::CidrCollections => "cidr_collections",
            Self::CidrCollectionNames => "cidr_collection_names",
            Self::CidrCollectionReferences => "cidr_collection_references",
            Self::CidrBlocks => "cidr_blocks",
            Self::CidrLocationBlocks => "cidr_location_blocks",
            Self::TrafficPolicies => "traffic_policies",
            Self::TrafficPolicyVersions => "traffic_policy_versions",
            Self::TrafficPolicyNames => "traffic_policy_names",
            Self::AccountTrafficPolicies => "account_traffic_policies",
            Self::TrafficPolicyInstances => "traffic_policy_instances",
            Self::ZoneInstances => "zone_instances",
            Self::AccountInstances => "account_instances",
            Self::PolicyInstances => "policy_instances",
            Self::AliasSources => "alias_sources",
        }
    }

    pub(in crate::tables) const fn number(self) -> u8 {
        self as u8
    }

    pub(in crate::tables) const fn definition(self) -> Definition {
        TableDefinition::new(self.name())
    }

    pub(in crate::tables) const fn is_digested(self) -> bool {
        !matches!(
            self,
            Self::History
                | Self::Digests
                | Self::ExternalAliases
                | Self::DeletedTrafficPolicies
                | Self::AliasSources
        )
    }
}
