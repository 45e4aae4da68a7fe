//! The stored form of generations that no zone points to.

use meridian_model::{Generation, Timestamp, UnseenGeneration, UnseenState};
use prost::Message;

use super::zone::zone_id;
use super::{DecodeError, Stored, account_id};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct UnseenGenerationMessage {
    #[prost(uint64, tag = "1")]
    generation: u64,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(string, tag = "3")]
    zone: String,
    /// 1 draft, 2 superseded, 3 garbage.
    #[prost(uint32, tag = "4")]
    state: u32,
    #[prost(int64, tag = "5")]
    since: i64,
}

impl Stored for UnseenGeneration {
    type Message = UnseenGenerationMessage;

    fn to_message(&self) -> UnseenGenerationMessage {
        UnseenGenerationMessage {
            generation: self.generation.0,
            account: self.account.as_str().into(),
            zone: self.zone.as_str().into(),
            state: match self.state {
                UnseenState::Draft => 1,
                UnseenState::Superseded => 2,
                UnseenState::Garbage => 3,
            },
            since: self.since.0,
        }
    }

    fn from_message(message: UnseenGenerationMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            generation: Generation(message.generation),
            account: account_id(&message.account)?,
            zone: zone_id(&message.zone)?,
            state: match message.state {
                1 => UnseenState::Draft,
                2 => UnseenState::Superseded,
                3 => UnseenState::Garbage,
                _ => return Err(DecodeError::Field("state of a generation")),
            },
            since: Timestamp(message.since),
        })
    }
}
