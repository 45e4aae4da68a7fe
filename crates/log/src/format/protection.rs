//! The stored form of protections.

use meridian_model::{Protection, ProtectionKey};
use prost::Message;

use super::zone::zone_id;
use super::{DecodeError, Stored, name, record_type, required};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProtectionMessage {
    #[prost(message, optional, tag = "1")]
    key: Option<ProtectionKeyMessage>,
    #[prost(string, optional, tag = "2")]
    comment: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProtectionKeyMessage {
    #[prost(string, tag = "1")]
    zone: String,
    #[prost(bytes = "vec", tag = "2")]
    name: Vec<u8>,
    #[prost(uint32, tag = "3")]
    rtype: u32,
}

impl Stored for Protection {
    type Message = ProtectionMessage;

    fn to_message(&self) -> ProtectionMessage {
        ProtectionMessage {
            key: Some(self.key.to_message()),
            comment: self.comment.clone(),
        }
    }

    fn from_message(message: ProtectionMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            key: ProtectionKey::from_message(required(message.key, "protection key")?)?,
            comment: message.comment,
        })
    }
}

impl Stored for ProtectionKey {
    type Message = ProtectionKeyMessage;

    fn to_message(&self) -> ProtectionKeyMessage {
        ProtectionKeyMessage {
            zone: self.zone.as_str().into(),
            name: self.name.as_wire().into(),
            rtype: self.rtype.code().into(),
        }
    }

    fn from_message(message: ProtectionKeyMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            zone: zone_id(&message.zone)?,
            name: name(&message.name, "protected name")?,
            rtype: record_type(message.rtype)?,
        })
    }
}
