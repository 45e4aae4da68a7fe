//! The stored form of zones, changes and name servers.

use std::net::IpAddr;

use meridian_model::{
    AcceleratedRecovery, AssociatedVpc, Change, ChangeId, DelegationSet, Generation, NameServer,
    Timestamp, Zone, ZoneId,
};
use prost::Message;

use super::delegation_set::delegation_set_id;
use super::vpc::AssociatedVpcMessage;
use super::{DecodeError, Stored, account_id, name, names};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ZoneMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(bytes = "vec", tag = "3")]
    name: Vec<u8>,
    #[prost(string, tag = "4")]
    caller_reference: String,
    #[prost(string, optional, tag = "5")]
    comment: Option<String>,
    #[prost(bool, tag = "6")]
    private: bool,
    #[prost(string, optional, tag = "7")]
    delegation_set: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    name_servers: Vec<Vec<u8>>,
    #[prost(uint64, tag = "9")]
    generation: u64,
    #[prost(int64, tag = "10")]
    created_at: i64,
    /// Whether it is enabled.
    #[prost(bool, tag = "20")]
    accelerated_recovery: bool,
    #[prost(message, repeated, tag = "25")]
    vpcs: Vec<AssociatedVpcMessage>,
    #[prost(string, optional, tag = "30")]
    delegation_set_reference: Option<String>,
}

impl Stored for Zone {
    type Message = ZoneMessage;

    fn to_message(&self) -> ZoneMessage {
        let DelegationSet {
            id,
            caller_reference,
            name_servers,
        } = &self.delegation_set;
        ZoneMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            name: self.name.as_wire().into(),
            caller_reference: self.caller_reference.clone(),
            comment: self.comment.clone(),
            private: self.private,
            delegation_set: id.as_ref().map(|id| id.as_str().into()),
            name_servers: name_servers.iter().map(|n| n.as_wire().into()).collect(),
            generation: self.generation.0,
            created_at: self.created_at.0,
            accelerated_recovery: self.accelerated_recovery == AcceleratedRecovery::Enabled,
            vpcs: self.vpcs.iter().map(Stored::to_message).collect(),
            delegation_set_reference: caller_reference.clone(),
        }
    }

    fn from_message(message: ZoneMessage) -> Result<Self, DecodeError> {
        let id = message.delegation_set.as_deref().map(delegation_set_id);
        Ok(Self {
            id: zone_id(&message.id)?,
            account: account_id(&message.account)?,
            name: name(&message.name, "zone name")?,
            caller_reference: message.caller_reference,
            comment: message.comment,
            private: message.private,
            delegation_set: DelegationSet {
                id: id.transpose()?,
                caller_reference: message.delegation_set_reference,
                name_servers: names(&message.name_servers, "name servers")?,
            },
            generation: Generation(message.generation),
            created_at: Timestamp(message.created_at),
            accelerated_recovery: if message.accelerated_recovery {
                AcceleratedRecovery::Enabled
            } else {
                AcceleratedRecovery::Disabled
            },
            vpcs: message
                .vpcs
                .into_iter()
                .map(AssociatedVpc::from_message)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChangeMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    /// Empty where it is the change of no zone.
    #[prost(string, tag = "3")]
    zone: String,
    #[prost(int64, tag = "4")]
    submitted_at: i64,
    #[prost(string, optional, tag = "5")]
    comment: Option<String>,
}

impl Stored for Change {
    type Message = ChangeMessage;

    fn to_message(&self) -> ChangeMessage {
        ChangeMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            zone: self.zone.as_ref().map_or("", ZoneId::as_str).into(),
            submitted_at: self.submitted_at.0,
            comment: self.comment.clone(),
        }
    }

    fn from_message(message: ChangeMessage) -> Result<Self, DecodeError> {
        let zone = Some(&message.zone).filter(|id| !id.is_empty());
        let zone = zone.map(|id| zone_id(id));
        Ok(Self {
            id: ChangeId::new(&message.id).map_err(|_| DecodeError::Field("change id"))?,
            account: account_id(&message.account)?,
            zone: zone.transpose()?,
            submitted_at: Timestamp(message.submitted_at),
            comment: message.comment,
        })
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NameServerMessage {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
    /// Four or sixteen bytes each.
    #[prost(bytes = "vec", repeated, tag = "2")]
    addresses: Vec<Vec<u8>>,
    #[prost(uint32, tag = "3")]
    ordinal: u32,
}

impl Stored for NameServer {
    type Message = NameServerMessage;

    fn to_message(&self) -> NameServerMessage {
        NameServerMessage {
            name: self.name.as_wire().into(),
            addresses: self.addresses.iter().map(octets).collect(),
            ordinal: self.ordinal,
        }
    }

    fn from_message(message: NameServerMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            name: name(&message.name, "name server")?,
            addresses: message
                .addresses
                .iter()
                .map(|octets| address(octets))
                .collect::<Result<_, _>>()?,
            ordinal: message.ordinal,
        })
    }
}

pub(super) fn octets(address: &IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

pub(super) fn address(octets: &[u8]) -> Result<IpAddr, DecodeError> {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        return Ok(v4.into());
    }
    <[u8; 16]>::try_from(octets)
        .map(IpAddr::from)
        .map_err(|_| DecodeError::Field("address"))
}

pub(super) fn zone_id(text: &str) -> Result<ZoneId, DecodeError> {
    ZoneId::new(text).map_err(|_| DecodeError::Field("zone id"))
}
