//! What the operations on traffic policy instances take and give.

use meridian_dns::RecordType;
use meridian_model::TrafficPolicyInstance;

use super::PolicyVersion;

/// `CreateTrafficPolicyInstanceRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTrafficPolicyInstance {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// The name, as sent.
    pub name: String,
    /// Seconds, 0 to 2147483647.
    pub ttl: u32,
    /// What it is an instance of.
    pub policy: PolicyVersion,
}

/// `UpdateTrafficPolicyInstanceRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateTrafficPolicyInstance {
    /// The instance.
    pub id: String,
    /// Seconds, 0 to 2147483647.
    pub ttl: u32,
    /// What it is an instance of.
    pub policy: PolicyVersion,
}

/// Which instances are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceFilter {
    /// All of the account.
    All,
    /// Those in this zone, bare.
    HostedZone(String),
    /// Those of this version of a policy.
    TrafficPolicy(PolicyVersion),
}

/// Which page of a list of instances is asked for. The markers come from the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTrafficPolicyInstances {
    /// Which instances.
    pub filter: InstanceFilter,
    /// The zone of the first one, bare; for a list of one zone it is that zone.
    pub hosted_zone_id: Option<String>,
    /// The name of the first one, as sent.
    pub name: Option<String>,
    /// The type of the first one.
    pub rtype: Option<RecordType>,
    /// 1 to 100.
    pub max_items: usize,
}

/// A page of instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstancePage {
    /// By zone, name and type.
    pub instances: Vec<InstanceStatus>,
    /// The first of the next page.
    pub next: Option<TrafficPolicyInstance>,
}

/// An instance and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceStatus {
    /// The instance.
    pub instance: TrafficPolicyInstance,
    /// Where its record sets are.
    pub state: InstanceState,
}

/// `TrafficPolicyInstanceState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Its record sets are accepted, and on their way to the name servers.
    Creating,
    /// Every name server answers by them.
    Applied,
    /// A name server could not take them over.
    Failed,
}

impl InstanceState {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Applied => "Applied",
            Self::Failed => "Failed",
        }
    }

    /// `Message`: why it failed.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Creating | Self::Applied => "",
            Self::Failed => {
                "A name server could not take over the hosted zone, and answers with the resource \
                 record sets that were there before."
            }
        }
    }
}
