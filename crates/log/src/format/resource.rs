//! The stored form of resources.

use meridian_model::{AccountId, Region, Resource, ResourceName};
use prost::Message;

use super::health_check::health_check_id;
use super::zone::{address, octets};
use super::{DecodeError, Stored, account_id, name, required};

/// Whose, and what it is reached by: a host or an address.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResourceKeyMessage {
    #[prost(string, tag = "1")]
    account: String,
    /// A name's wire form.
    #[prost(bytes = "vec", tag = "2")]
    host: Vec<u8>,
    /// Four or sixteen bytes.
    #[prost(bytes = "vec", tag = "3")]
    address: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResourceMessage {
    #[prost(message, optional, tag = "1")]
    key: Option<ResourceKeyMessage>,
    #[prost(string, tag = "2")]
    region: String,
    #[prost(string, optional, tag = "3")]
    health_check: Option<String>,
}

impl ResourceKeyMessage {
    pub(super) fn new(account: &AccountId, name: &ResourceName) -> Self {
        let (host, address) = match name {
            ResourceName::Host(host) => (host.as_wire().into(), Vec::new()),
            ResourceName::Address(address) => (Vec::new(), octets(address)),
        };
        Self {
            account: account.as_str().into(),
            host,
            address,
        }
    }

    pub(super) fn read(&self) -> Result<(AccountId, ResourceName), DecodeError> {
        let name = match self.host.as_slice() {
            [] => ResourceName::Address(address(&self.address)?),
            wire => ResourceName::Host(name(wire, "resource")?),
        };
        Ok((account_id(&self.account)?, name))
    }
}

impl Stored for Resource {
    type Message = ResourceMessage;

    fn to_message(&self) -> ResourceMessage {
        ResourceMessage {
            key: Some(ResourceKeyMessage::new(&self.account, &self.name)),
            region: self.region.as_str().into(),
            health_check: self.health_check.as_ref().map(ToString::to_string),
        }
    }

    fn from_message(message: ResourceMessage) -> Result<Self, DecodeError> {
        let (account, name) = required(message.key, "name of a resource")?.read()?;
        let check = message.health_check.as_deref().map(health_check_id);
        Ok(Self {
            account,
            name,
            region: Region::stored(&message.region),
            health_check: check.transpose()?,
        })
    }
}
