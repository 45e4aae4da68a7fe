//! The stored form of traffic policy instances.

use meridian_model::{ChangeId, TrafficPolicyId, TrafficPolicyInstance, TrafficPolicyInstanceId};
use prost::Message;

use super::zone::zone_id;
use super::{DecodeError, Stored, account_id, name, record_type};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TrafficPolicyInstanceMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(string, tag = "3")]
    zone: String,
    #[prost(bytes = "vec", tag = "4")]
    name: Vec<u8>,
    #[prost(uint32, tag = "5")]
    rtype: u32,
    #[prost(uint32, tag = "6")]
    ttl: u32,
    #[prost(string, tag = "7")]
    policy: String,
    #[prost(uint32, tag = "8")]
    version: u32,
    #[prost(string, tag = "9")]
    change: String,
    #[prost(uint32, tag = "10")]
    names: u32,
}

impl Stored for TrafficPolicyInstance {
    type Message = TrafficPolicyInstanceMessage;

    fn to_message(&self) -> TrafficPolicyInstanceMessage {
        TrafficPolicyInstanceMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            zone: self.zone.as_str().into(),
            name: self.name.as_wire().into(),
            rtype: self.rtype.code().into(),
            ttl: self.ttl,
            policy: self.policy.as_str().into(),
            version: self.version,
            change: self.change.as_str().into(),
            names: self.names,
        }
    }

    fn from_message(message: TrafficPolicyInstanceMessage) -> Result<Self, DecodeError> {
        let policy = TrafficPolicyId::new(&message.policy);
        let change = ChangeId::new(&message.change);
        Ok(Self {
            id: traffic_policy_instance_id(&message.id)?,
            account: account_id(&message.account)?,
            zone: zone_id(&message.zone)?,
            name: name(&message.name, "name")?,
            rtype: record_type(message.rtype)?,
            ttl: message.ttl,
            policy: policy.map_err(|_| DecodeError::Field("traffic policy"))?,
            version: message.version,
            change: change.map_err(|_| DecodeError::Field("change"))?,
            names: message.names,
        })
    }
}

pub(crate) fn traffic_policy_instance_id(
    text: &str,
) -> Result<TrafficPolicyInstanceId, DecodeError> {
    TrafficPolicyInstanceId::new(text).map_err(|_| DecodeError::Field("traffic policy instance"))
}
