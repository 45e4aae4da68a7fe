//! Hosted zones.

use meridian_dns::Name;

use crate::delegation_set::DelegationSet;
use crate::facts::Timestamp;
use crate::id::{AccountId, Generation, VpcId, ZoneId};
use crate::vpc::AssociatedVpc;

/// A hosted zone as it is stored. Its record sets are stored beside it, under `generation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The bare id.
    pub id: ZoneId,
    /// The owner.
    pub account: AccountId,
    /// The apex, in lower case.
    pub name: Name,
    /// The request's own key, unique in the account for ever.
    pub caller_reference: String,
    /// `HostedZoneConfig.Comment`; an empty one is absent.
    pub comment: Option<String>,
    /// Whether only associated networks see it.
    pub private: bool,
    /// The names that answer for it and where they come from.
    pub delegation_set: DelegationSet,
    /// Under which number its record sets are stored.
    pub generation: Generation,
    /// When it was created; of two zones of one name in one view the older answers.
    pub created_at: Timestamp,
    /// `Features.AcceleratedRecoveryStatus`; of public zones only.
    pub accelerated_recovery: AcceleratedRecovery,
    /// The VPCs that see a private zone, in the order in which they came; a public one has none.
    pub vpcs: Vec<AssociatedVpc>,
}

impl Zone {
    /// Whether it is a private zone that this VPC sees.
    pub fn is_seen_by(&self, vpc: &VpcId) -> bool {
        self.vpcs.iter().any(|associated| associated.id == *vpc)
    }
}

/// Whether the owner asked for accelerated recovery. It is kept and shown, no more: there is one
/// journal, so changes to all zones come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum AcceleratedRecovery {
    Enabled,
    #[default]
    Disabled,
}

impl AcceleratedRecovery {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }
}
