//! The stored form of VPCs and of what authorizes their owners.

use meridian_model::{AssociatedVpc, Network, Vpc, VpcAuthorization, VpcId, VpcRegion};
use prost::Message;

use super::zone::{address, octets, zone_id};
use super::{DecodeError, Stored, account_id, required};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct VpcMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    region: String,
    #[prost(string, tag = "3")]
    account: String,
    #[prost(message, repeated, tag = "4")]
    networks: Vec<NetworkMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NetworkMessage {
    /// Four or sixteen bytes.
    #[prost(bytes = "vec", tag = "1")]
    address: Vec<u8>,
    #[prost(uint32, tag = "2")]
    prefix_len: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AssociatedVpcMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    region: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct VpcAuthorizationMessage {
    #[prost(string, tag = "1")]
    zone: String,
    #[prost(message, optional, tag = "2")]
    vpc: Option<AssociatedVpcMessage>,
    #[prost(string, tag = "3")]
    account: String,
}

impl Stored for Vpc {
    type Message = VpcMessage;

    fn to_message(&self) -> VpcMessage {
        VpcMessage {
            id: self.id.as_str().into(),
            region: self.region.as_str().into(),
            account: self.account.as_str().into(),
            networks: self.networks.iter().map(Stored::to_message).collect(),
        }
    }

    fn from_message(message: VpcMessage) -> Result<Self, DecodeError> {
        let networks = message.networks.into_iter().map(Network::from_message);
        Ok(Self {
            id: vpc_id(&message.id)?,
            region: VpcRegion::stored(&message.region),
            account: account_id(&message.account)?,
            networks: networks.collect::<Result<_, _>>()?,
        })
    }
}

impl Stored for Network {
    type Message = NetworkMessage;

    fn to_message(&self) -> NetworkMessage {
        NetworkMessage {
            address: octets(&self.address()),
            prefix_len: self.prefix_len().into(),
        }
    }

    fn from_message(message: NetworkMessage) -> Result<Self, DecodeError> {
        let len = u8::try_from(message.prefix_len).ok();
        let address = address(&message.address)?;
        required(len.and_then(|len| Self::new(address, len)), "network")
    }
}

impl Stored for AssociatedVpc {
    type Message = AssociatedVpcMessage;

    fn to_message(&self) -> AssociatedVpcMessage {
        AssociatedVpcMessage {
            id: self.id.as_str().into(),
            region: self.region.as_str().into(),
        }
    }

    fn from_message(message: AssociatedVpcMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            id: vpc_id(&message.id)?,
            region: VpcRegion::stored(&message.region),
        })
    }
}

impl Stored for VpcAuthorization {
    type Message = VpcAuthorizationMessage;

    fn to_message(&self) -> VpcAuthorizationMessage {
        VpcAuthorizationMessage {
            zone: self.zone.as_str().into(),
            vpc: Some(self.vpc.to_message()),
            account: self.account.as_str().into(),
        }
    }

    fn from_message(message: VpcAuthorizationMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            zone: zone_id(&message.zone)?,
            vpc: AssociatedVpc::from_message(required(message.vpc, "vpc")?)?,
            account: account_id(&message.account)?,
        })
    }
}

pub(super) fn vpc_id(text: &str) -> Result<VpcId, DecodeError> {
    VpcId::new(text).map_err(|_| DecodeError::Field("vpc id"))
}
