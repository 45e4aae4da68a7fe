//! How an operation can fail: by the caller's doing, in Route 53's words, or by ours.

use meridian_dns::RecordType;
use meridian_log::MAX_ENTRY_BYTES;
use meridian_model::ProtectionProblem;

/// An operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The caller can do something about it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The caller cannot.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A fault of ours. Nothing was changed unless it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Reading or writing the journal or the tables failed.
    #[error("storage: {0}")]
    Storage(String),
    /// The disk is full. As a rule nothing was changed; a request that was being written just
    /// then may have been.
    #[error(
        "the disk of this server is full, so that no change can be accepted; what was accepted \
         before is kept and answered. Send the request again once there is room"
    )]
    DiskFull,
    /// This node did not apply what is in the journal in time. Nothing was changed.
    #[error("this node has not applied all changes yet; send the request again")]
    NotApplied,
    /// The journal does not take this kind of change until the operator says so. Nothing was
    /// changed.
    #[error(
        "this kind of change came with level {needed} of the journal, and this journal is \
         finalized for level {finalized}: an operator raises it with `meridian journal finalize`, \
         after which earlier versions cannot read the journal"
    )]
    NotFinalized {
        /// The level the change needs.
        needed: u16,
        /// The journal's.
        finalized: u16,
    },
    /// The change is too large for one entry of the journal, and it is never halved. Nothing was
    /// changed.
    #[error(
        "this change would take {bytes} bytes in the journal, which takes at most {MAX_ENTRY_BYTES} \
         at a time; send it in smaller parts"
    )]
    TooLarge {
        /// What it would take.
        bytes: usize,
    },
    /// Too many writers are in line, or others kept winning. Nothing was changed; the same request
    /// can be sent again.
    #[error("too many concurrent changes; send the request again")]
    Contention,
}

/// A request is refused. The variants are Route 53's error codes; `Display` is the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    #[error(
        "User: {principal} is not authorized to perform: {action}{}{}",
        on_resource(resource),
        why.words(action)
    )]
    AccessDenied {
        principal: String,
        action: String,
        resource: String,
        why: Denial,
    },
    #[error("{0}")]
    InvalidInput(String),
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0}")]
    InvalidDomainName(String),
    #[error("[{}]", .0.join(", "))]
    InvalidChangeBatch(Vec<String>),
    #[error("No hosted zone found with ID: {0}")]
    NoSuchHostedZone(String),
    #[error("Could not find resource with ID: {0}")]
    NoSuchChange(String),
    #[error("A health check with id {0} does not exist.")]
    NoSuchHealthCheck(String),
    #[error("No delegation set found with ID: {0}")]
    NoSuchDelegationSet(String),
    #[error("A hosted zone has already been created with the specified caller reference.")]
    HostedZoneAlreadyExists,
    #[error(
        "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
    )]
    HostedZoneNotEmpty,
    #[error(
        "The specified hosted zone contains protections of resource record sets and so cannot be deleted."
    )]
    HostedZoneProtected,
    #[error("No protection was created or deleted, because of {} of the request.", entries(.0))]
    InvalidProtectionBatch(Vec<ProtectionProblem>),
    #[error("Everything that the request would protect is protected already.")]
    ProtectionAlreadyExists(Vec<ProtectionProblem>),
    #[error("The pagination token is not one that this list gave out.")]
    InvalidPaginationToken,
    #[error("Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.")]
    TooManyHostedZones,
    #[error("The specified hosted zone is a public hosted zone, not a private hosted zone.")]
    HostedZoneNotPrivate,
    #[error("{0}")]
    ConflictingDomainExists(String),
    #[error("{0}")]
    DelegationSetNotAvailable(String),
    #[error(
        "Limits Exceeded: MAX_ZONES_BY_REUSABLE_DELEGATION_SET - Cannot create more hosted zones."
    )]
    TooManyHostedZonesOfDelegationSet,
    #[error(
        "A delegation set with the same owner and caller reference combination has already been created."
    )]
    DelegationSetAlreadyCreated,
    #[error("The specified delegation set has already been marked as reusable.")]
    DelegationSetAlreadyReusable,
    #[error(
        "The specified delegation set contains associated hosted zones which must be deleted before the reusable delegation set can be deleted."
    )]
    DelegationSetInUse,
    #[error("The delegation set of the hosted zone {0} is not reusable.")]
    DelegationSetNotReusable(String),
    #[error("The specified hosted zone cannot be found: {0}")]
    HostedZoneNotFound(String),
    #[error("{0}")]
    LimitsExceeded(String),
    #[error("{0}")]
    CidrCollectionAlreadyExists(&'static str),
    #[error("A CIDR collection with id {0} does not exist.")]
    NoSuchCidrCollection(String),
    #[error(
        "A CIDR location with name {location} does not exist in the CIDR collection with id {collection}."
    )]
    NoSuchCidrLocation {
        location: String,
        collection: String,
    },
    #[error(
        "The CIDR collection version you provided, doesn't match the current version of the collection, which is {0}."
    )]
    CidrCollectionVersionMismatch(u64),
    #[error("This CIDR block is already in use: {0}")]
    CidrBlockInUse(String),
    #[error("{0}")]
    CidrCollectionInUse(&'static str),
    #[error("Route 53 doesn't support the specified geographic location.")]
    NoSuchGeoLocation,
    #[error("A query logging configuration already exists for this hosted zone")]
    QueryLoggingConfigAlreadyExists,
    #[error("The query logging configuration does not exist")]
    NoSuchQueryLoggingConfig,
    #[error("The specified CloudWatch Logs log group doesn't exist.")]
    NoSuchCloudWatchLogsLogGroup,
    #[error("The operator of this service does not have the queries of single zones logged.")]
    InsufficientCloudWatchLogsResourcePolicy,
    #[error(
        "The VPC ID that you specified either isn't a valid ID or the current account is not authorized to access this VPC."
    )]
    InvalidVpcId,
    #[error("The caller is not authorized to associate the VPC {0} with the hosted zone.")]
    NotAuthorized(String),
    #[error(
        "You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't support associating a VPC with a public hosted zone."
    )]
    PublicZoneVpcAssociation,
    #[error("The specified VPC and hosted zone are not currently associated.")]
    VpcAssociationNotFound,
    #[error(
        "The VPC that you're trying to disassociate from the private hosted zone is the last VPC that is associated with the hosted zone. Amazon Route 53 doesn't support disassociating the last VPC from a hosted zone."
    )]
    LastVpcAssociation,
    #[error(
        "Limits Exceeded: MAX_VPC_AUTHORIZATIONS_BY_ZONE - Cannot authorize more VPCs to be associated with the hosted zone."
    )]
    TooManyVpcAssociationAuthorizations,
    #[error("The VPC that you specified is not authorized to be associated with the hosted zone.")]
    VpcAssociationAuthorizationNotFound,
    #[error("Limits Exceeded: MAX_HEALTH_CHECKS_BY_OWNER - Cannot create more health checks.")]
    TooManyHealthChecks,
    #[error(
        "Limits Exceeded: MAX_HEALTH_CHECK_CREATIONS_BY_DAY - Cannot create more health checks."
    )]
    TooManyHealthCheckCreations,
    #[error(
        "A different health check has already been created with the specified caller reference."
    )]
    HealthCheckAlreadyExists,
    #[error("The specified version does not match the version of the health check, which is {0}.")]
    HealthCheckVersionMismatch(u64),
    #[error(
        "The specified health check is a child of a calculated health check and so cannot be deleted."
    )]
    HealthCheckInUse,
    #[error("{}", .0.join(";"))]
    InvalidTrafficPolicyDocument(Vec<String>),
    #[error("No traffic policy exists with ID: {0}")]
    NoSuchTrafficPolicy(String),
    #[error("No traffic policy exists with ID: {id} and version: {version}")]
    NoSuchTrafficPolicyVersion { id: String, version: u32 },
    #[error("A traffic policy with the name '{0}' already exists.")]
    TrafficPolicyAlreadyExists(String),
    #[error("Policy is in use for at least one instance")]
    TrafficPolicyInUse,
    #[error(
        "Limits Exceeded: MAX_TRAFFIC_POLICIES_BY_OWNER - Cannot create more traffic policies."
    )]
    TooManyTrafficPolicies,
    #[error(
        "The traffic policy has had as many versions as there can be, {0}: create a new traffic policy."
    )]
    TooManyTrafficPolicyVersions(u32),
    #[error("No traffic policy instance exists with ID: {0}")]
    NoSuchTrafficPolicyInstance(String),
    #[error("No traffic policy instance of type {rtype} exists for {name} in hosted zone {zone}")]
    NoTrafficPolicyInstanceAt {
        zone: String,
        name: String,
        rtype: RecordType,
    },
    #[error("The name and type are those of the traffic policy instance {0}.")]
    TrafficPolicyInstanceAlreadyExists(String),
    #[error(
        "Limits Exceeded: MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER - Cannot create more traffic policy instances."
    )]
    TooManyTrafficPolicyInstances,
    #[error(
        "The traffic policy instance is of type {has}, and the traffic policy version of type {wanted}."
    )]
    ConflictingTypes { has: RecordType, wanted: RecordType },
}

impl Refusal {
    /// Route 53's error code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AccessDenied { .. } => "AccessDenied",
            Self::InvalidInput(_) => "InvalidInput",
            Self::InvalidArgument(_) => "InvalidArgument",
            Self::InvalidDomainName(_) => "InvalidDomainName",
            Self::InvalidChangeBatch(_) => "InvalidChangeBatch",
            Self::NoSuchHostedZone(_) => "NoSuchHostedZone",
            Self::NoSuchChange(_) => "NoSuchChange",
            Self::NoSuchHealthCheck(_) => "NoSuchHealthCheck",
            Self::NoSuchDelegationSet(_) => "NoSuchDelegationSet",
            Self::HostedZoneAlreadyExists => "HostedZoneAlreadyExists",
            Self::HostedZoneNotEmpty | Self::HostedZoneProtected => "HostedZoneNotEmpty",
            Self::InvalidProtectionBatch(_) => "InvalidResourceRecordSetProtectionBatch",
            Self::ProtectionAlreadyExists(_) => "ProtectionAlreadyExists",
            Self::InvalidPaginationToken => "InvalidPaginationToken",
            Self::TooManyHostedZones | Self::TooManyHostedZonesOfDelegationSet => {
                "TooManyHostedZones"
            }
            Self::HostedZoneNotPrivate => "HostedZoneNotPrivate",
            Self::ConflictingDomainExists(_) => "ConflictingDomainExists",
            Self::DelegationSetNotAvailable(_) => "DelegationSetNotAvailable",
            Self::DelegationSetAlreadyCreated => "DelegationSetAlreadyCreated",
            Self::DelegationSetAlreadyReusable => "DelegationSetAlreadyReusable",
            Self::DelegationSetInUse => "DelegationSetInUse",
            Self::DelegationSetNotReusable(_) => "DelegationSetNotReusable",
            Self::HostedZoneNotFound(_) => "HostedZoneNotFound",
            Self::LimitsExceeded(_) => "LimitsExceeded",
            Self::CidrCollectionAlreadyExists(_) => "CidrCollectionAlreadyExistsException",
            Self::NoSuchCidrCollection(_) => "NoSuchCidrCollectionException",
            Self::NoSuchCidrLocation { .. } => "NoSuchCidrLocationException",
            Self::CidrCollectionVersionMismatch(_) => "CidrCollectionVersionMismatchException",
            Self::CidrBlockInUse(_) => "CidrBlockInUseException",
            Self::CidrCollectionInUse(_) => "CidrCollectionInUseException",
            Self::NoSuchGeoLocation => "NoSuchGeoLocation",
            Self::QueryLoggingConfigAlreadyExists => "QueryLoggingConfigAlreadyExists",
            Self::NoSuchQueryLoggingConfig => "NoSuchQueryLoggingConfig",
            Self::NoSuchCloudWatchLogsLogGroup => "NoSuchCloudWatchLogsLogGroup",
            Self::InsufficientCloudWatchLogsResourcePolicy => {
                "InsufficientCloudWatchLogsResourcePolicy"
            }
            Self::InvalidVpcId => "InvalidVPCId",
            Self::NotAuthorized(_) => "NotAuthorizedException",
            Self::PublicZoneVpcAssociation => "PublicZoneVPCAssociation",
            Self::VpcAssociationNotFound => "VPCAssociationNotFound",
            Self::LastVpcAssociation => "LastVPCAssociation",
            Self::TooManyVpcAssociationAuthorizations => "TooManyVPCAssociationAuthorizations",
            Self::VpcAssociationAuthorizationNotFound => "VPCAssociationAuthorizationNotFound",
            Self::TooManyHealthChecks | Self::TooManyHealthCheckCreations => "TooManyHealthChecks",
            Self::HealthCheckAlreadyExists => "HealthCheckAlreadyExists",
            Self::HealthCheckVersionMismatch(_) => "HealthCheckVersionMismatch",
            Self::HealthCheckInUse => "HealthCheckInUse",
            Self::InvalidTrafficPolicyDocument(_) => "InvalidTrafficPolicyDocument",
            Self::NoSuchTrafficPolicy(_) | Self::NoSuchTrafficPolicyVersion { .. } => {
                "NoSuchTrafficPolicy"
            }
            Self::TrafficPolicyAlreadyExists(_) => "TrafficPolicyAlreadyExists",
            Self::TrafficPolicyInUse => "TrafficPolicyInUse",
            Self::TooManyTrafficPolicies => "TooManyTrafficPolicies",
            Self::TooManyTrafficPolicyVersions(_) => "TooManyTrafficPolicyVersionsForCurrentPolicy",
            Self::NoSuchTrafficPolicyInstance(_) | Self::NoTrafficPolicyInstanceAt { .. } => {
                "NoSuchTrafficPolicyInstance"
            }
            Self::TrafficPolicyInstanceAlreadyExists(_) => "TrafficPolicyInstanceAlreadyExists",
            Self::TooManyTrafficPolicyInstances => "TooManyTrafficPolicyInstances",
            Self::ConflictingTypes { .. } => "ConflictingTypes",
        }
    }
}

/// Why a right is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// No statement allows it.
    Implicit,
    /// A statement denies it.
    Explicit,
    /// The policy of this name is not understood, and might deny it.
    Unreadable(String),
}

impl Denial {
    /// The end of the message, in AWS's words.
    fn words(&self, action: &str) -> String {
        match self {
            Self::Implicit => {
                format!(" because no identity-based policy allows the {action} action")
            }
            Self::Explicit => " with an explicit deny in an identity-based policy".to_owned(),
            Self::Unreadable(name) => format!(" because the policy {name} cannot be kept to"),
        }
    }
}

/// AWS leaves the resource out where an action concerns nothing in particular.
fn on_resource(resource: &str) -> String {
    match resource {
        "*" => String::new(),
        resource => format!(" on resource: {resource}"),
    }
}

/// `1 entry`, `2 entries`.
fn entries(problems: &[ProtectionProblem]) -> String {
    match problems.len() {
        1 => "1 entry".to_owned(),
        len => format!("{len} entries"),
    }
}
