//! Every operation of the control plane as one function: authorize, plan, one append.
//!
//! Start with [`Control`]: Route 53's operations are in `operation`, one file each; what
//! operators do through the admin socket is in `admin`. No XML, no HTTP, no calls to agents.

mod acks;
mod admin;
mod answering;
mod append;
mod caller;
mod control;
mod environment;
mod filling;
mod first_start;
mod generation;
mod group;
mod last_used;
mod observations;
mod operation;
mod page_token;
mod query_logging;
mod refusal;
mod request;
mod rights;
mod throttle;
mod turns;
mod usage;

pub use acks::{Acks, Served};
pub use admin::{
    AccountSummary, AdminError, ChangeDetail, ChangePreview, ChangedRecords, ControlUse,
    ExistingRecord, ExistingSets, Frozen, ImportOutcome, ImportRequest, ImportRoom, ImportTarget,
    Imported, ImportedApex, ImportedSet, InvalidSets, ListedRecords, NewKey, NewPolicy, NewUser,
    NewVpc, OwnedResource, PreviewReason, PreviewedCollection, PreviewedName, PreviewedQuestion,
    RecordAddition, RecordPolicy, RecordRemoval, RecordTarget, RefusedSet, RemovalExtent,
    ResourceRequest, RestoreOutcome, RestoredZone, SetDifference, TargetHealth, UserDetails,
    ZoneDetail, ZoneFilter, ZoneImport, ZoneSets, ZoneVersion,
};
pub use answering::{Answering, Supposed, TestAnswer, TestProtocol, TestQuery};
pub use caller::{Caller, Credential, Secret, Transport};
pub use control::Control;
pub use environment::{Environment, SystemEnvironment};
pub use filling::{FilledSet, RegionSource, Unfilled};
pub use first_start::FirstStart;
pub use generation::GenerationDraft;
pub use last_used::KeyUse;
pub use observations::{AlarmConfiguration, Observation, Observations};
pub use operation::DraftedSets;
pub use query_logging::QueryLogging;
pub use refusal::{Denial, Fault, OperationError, Refusal};
pub use request::{
    ChangeCidrCollection, ChangeOutcome, ChangeProtections, ChangeRecordSets, ChangeStatus,
    ChangeTags, CidrBlockPage, CidrCollectionPage, CidrLocationPage, CidrPage, CidrPageStart,
    CreateDelegationSet, CreateHostedZone, CreateQueryLoggingConfig, CreateTrafficPolicy,
    CreateTrafficPolicyInstance, CreateTrafficPolicyVersion, CreatedHostedZone, DelegationSetPage,
    GeoPlacePage, HealthCheckPage, HostedZone, InstanceFilter, InstancePage, InstanceState,
    InstanceStatus, Limit, ListDelegationSets, ListGeoLocations, ListHealthChecks, ListHostedZones,
    ListHostedZonesByName, ListHostedZonesByVpc, ListProtections, ListQueryLoggingConfigs,
    ListRecordSets, ListTrafficPolicies, ListTrafficPolicyInstances, ListTrafficPolicyVersions,
    ListVpcAuthorizations, PolicyVersion, ProtectionPage, QueryLoggingConfigPage, RecordSetPage,
    TestDnsAnswer, TrafficPolicyPage, TrafficPolicyVersionPage, UpdateHealthCheck,
    UpdateHostedZoneComment, UpdateHostedZoneFeatures, UpdateTrafficPolicyComment,
    UpdateTrafficPolicyInstance, Vpc, VpcPage, ZoneAndVpc, ZonePage, ZonesByNamePage,
    ZonesByVpcPage,
};
pub use rights::{
    Context, ContextError, Decision, Effect, MAX_CHARACTERS, Matched, PolicyError, Question,
    ReadyMade, ReadyMadeError, ReadyMadePolicy, UnreadablePolicy, Verdict, check_policy, evaluate,
    idle_statements, odd_question,
};
pub use throttle::Throttle;
pub use usage::QuotaUse;
