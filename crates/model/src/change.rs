//! Submitted changes, as GetChange reports them.

use crate::facts::Timestamp;
use crate::id::{AccountId, ChangeId, ZoneId};

/// A change that was accepted. Whether it is in sync is a question of status, not of intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The bare id.
    pub id: ChangeId,
    /// Who may ask for it.
    pub account: AccountId,
    /// The zone it changed; none where it was a CIDR collection.
    pub zone: Option<ZoneId>,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// The batch's comment; an empty one is absent.
    pub comment: Option<String>,
}
