//! The stored form of traffic policies.

use meridian_model::{TrafficPolicy, TrafficPolicyId};
use prost::Message;

use super::{DecodeError, Stored, account_id, record_type};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TrafficPolicyMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(uint32, tag = "3")]
    version: u32,
    #[prost(string, tag = "4")]
    name: String,
    #[prost(uint32, tag = "5")]
    rtype: u32,
    #[prost(string, tag = "6")]
    document: String,
    #[prost(string, optional, tag = "7")]
    comment: Option<String>,
    #[prost(bool, tag = "8")]
    deleted: bool,
}

/// A policy as a whole: what its versions have in common, and which of them were not deleted.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TrafficPolicyRow {
    #[prost(string, tag = "1")]
    pub(crate) account: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    /// The entry that made the first version.
    #[prost(uint64, tag = "3")]
    pub(crate) created: u64,
    /// The highest version that there ever was.
    #[prost(uint32, tag = "4")]
    pub(crate) last_version: u32,
    /// By version. There are a thousand at most.
    #[prost(message, repeated, tag = "5")]
    pub(crate) live: Vec<LiveVersion>,
}

/// A version that was not deleted.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct LiveVersion {
    #[prost(uint32, tag = "1")]
    pub(crate) version: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) rtype: u32,
}

impl Stored for TrafficPolicy {
    type Message = TrafficPolicyMessage;

    fn to_message(&self) -> TrafficPolicyMessage {
        TrafficPolicyMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            version: self.version,
            name: self.name.clone(),
            rtype: self.rtype.code().into(),
            document: self.document.clone(),
            comment: self.comment.clone(),
            deleted: self.deleted,
        }
    }

    fn from_message(message: TrafficPolicyMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            id: traffic_policy_id(&message.id)?,
            account: account_id(&message.account)?,
            version: message.version,
            name: message.name,
            rtype: record_type(message.rtype)?,
            document: message.document,
            comment: message.comment,
            deleted: message.deleted,
        })
    }
}

pub(crate) fn traffic_policy_id(text: &str) -> Result<TrafficPolicyId, DecodeError> {
    TrafficPolicyId::new(text).map_err(|_| DecodeError::Field("traffic policy"))
}
