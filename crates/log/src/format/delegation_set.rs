//! The stored form of reusable delegation sets. What a zone keeps of its set is in `zone`.

use meridian_model::{DelegationSetId, Generation, ReusableDelegationSet};
use prost::Message;

use super::{DecodeError, Stored, account_id, names};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct DelegationSetMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(string, tag = "3")]
    caller_reference: String,
    #[prost(bytes = "vec", repeated, tag = "4")]
    name_servers: Vec<Vec<u8>>,
    #[prost(uint64, tag = "5")]
    turn: u64,
}

impl Stored for ReusableDelegationSet {
    type Message = DelegationSetMessage;

    fn to_message(&self) -> DelegationSetMessage {
        DelegationSetMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            caller_reference: self.caller_reference.clone(),
            name_servers: self
                .name_servers
                .iter()
                .map(|n| n.as_wire().into())
                .collect(),
            turn: self.turn.0,
        }
    }

    fn from_message(message: DelegationSetMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            id: delegation_set_id(&message.id)?,
            account: account_id(&message.account)?,
            caller_reference: message.caller_reference,
            name_servers: names(&message.name_servers, "name servers")?,
            turn: Generation(message.turn),
        })
    }
}

pub(super) fn delegation_set_id(text: &str) -> Result<DelegationSetId, DecodeError> {
    DelegationSetId::new(text).map_err(|_| DecodeError::Field("delegation set"))
}
