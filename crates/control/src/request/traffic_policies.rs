//! What the operations on traffic policies take and give.

use meridian_model::{NewPolicyVersion, TrafficPolicy, TrafficPolicyId, TrafficPolicySummary};

/// `CreateTrafficPolicyRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTrafficPolicy {
    /// 1 to 512 characters.
    pub name: String,
    /// The first version.
    pub first: NewPolicyVersion,
}

/// `CreateTrafficPolicyVersionRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTrafficPolicyVersion {
    /// The policy.
    pub id: String,
    /// Its next version.
    pub next: NewPolicyVersion,
}

/// Which version of which policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// The policy.
    pub id: String,
    /// 1 to 1000.
    pub version: u32,
}

/// `UpdateTrafficPolicyCommentRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateTrafficPolicyComment {
    /// Which version.
    pub of: PolicyVersion,
    /// Empty is none.
    pub comment: String,
}

/// Which page of an account's policies is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTrafficPolicies {
    /// The id of the first policy of the page.
    pub marker: Option<String>,
    /// 1 to 100.
    pub max_items: usize,
}

/// A page of policies, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficPolicyPage {
    /// The policies.
    pub policies: Vec<TrafficPolicySummary>,
    /// The first of the next page.
    pub next: Option<TrafficPolicyId>,
}

/// Which page of a policy's versions is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTrafficPolicyVersions {
    /// The policy.
    pub id: String,
    /// The first version of the page.
    pub marker: Option<u32>,
    /// 1 to 100.
    pub max_items: usize,
}

/// A page of versions, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficPolicyVersionPage {
    /// The versions.
    pub versions: Vec<TrafficPolicy>,
    /// The first of the next page.
    pub next: Option<u32>,
}
