//! Traffic policies: what is routed where, written down once for the names of many zones. Making
//! record sets of a policy is the business of its instances.

mod document;
mod expand;
mod instance;

use meridian_dns::RecordType;

use crate::id::{AccountId, TrafficPolicyId};

pub use document::{
    Document, DocumentFault, DocumentFormat, EndpointService, EndpointTarget, Node, NodeRef,
    PolicyEndpoint, PolicyRule, RuleItem,
};

/// One version of a traffic policy as it is stored and echoed. Its document never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficPolicy {
    /// A lower-case UUID, which all versions have.
    pub id: TrafficPolicyId,
    /// The owner, the same for all versions.
    pub account: AccountId,
    /// 1 for the first.
    pub version: u32,
    /// The same for all versions.
    pub name: String,
    /// That of the document.
    pub rtype: RecordType,
    /// The document as it was submitted, which was read without a fault then.
    pub document: String,
    /// What somebody says of this version.
    pub comment: Option<String>,
    /// Whether it was deleted: it is in no list and no use any more, and can be read all the same,
    /// until others have been deleted after it.
    pub deleted: bool,
}

impl TrafficPolicy {
    /// The most versions that a policy ever has.
    pub const MAX_VERSIONS: u32 = 1000;
    /// The deleted versions of an account that can be read: those that were deleted last.
    pub const DELETED_KEPT: usize = 100;
}

/// A traffic policy as a whole: one that has a version that was not deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficPolicySummary {
    /// A lower-case UUID.
    pub id: TrafficPolicyId,
    /// The owner.
    pub account: AccountId,
    /// No other policy of the account has it.
    pub name: String,
    /// The type of the latest version.
    pub rtype: RecordType,
    /// The latest version that was not deleted.
    pub latest_version: u32,
    /// How many versions were not deleted.
    pub versions: u32,
    /// The latest version that was ever made.
    pub last_version: u32,
}
pub(crate) use expand::tree_name;
pub use expand::{NoRoom, Plot, Tree, expand};
pub use instance::TrafficPolicyInstance;
