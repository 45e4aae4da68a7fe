//! The stored form of CIDR collections and their blocks.

use meridian_model::{
    CidrBlock, CidrBlocks, CidrCollection, CidrCollectionId, CidrLocation, Network,
};
use prost::Message;

use super::vpc::NetworkMessage;
use super::{DecodeError, Stored, account_id};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CidrCollectionMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    caller_reference: String,
    #[prost(uint64, tag = "5")]
    version: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CidrBlocksMessage {
    #[prost(string, tag = "1")]
    collection: String,
    #[prost(string, tag = "2")]
    location: String,
    #[prost(message, repeated, tag = "3")]
    blocks: Vec<NetworkMessage>,
}

impl Stored for CidrCollection {
    type Message = CidrCollectionMessage;

    fn to_message(&self) -> CidrCollectionMessage {
        CidrCollectionMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            name: self.name.clone(),
            caller_reference: self.caller_reference.clone(),
            version: self.version,
        }
    }

    fn from_message(message: CidrCollectionMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            id: cidr_collection_id(&message.id)?,
            account: account_id(&message.account)?,
            name: message.name,
            caller_reference: message.caller_reference,
            version: message.version,
        })
    }
}

impl Stored for CidrBlocks {
    type Message = CidrBlocksMessage;

    fn to_message(&self) -> CidrBlocksMessage {
        let block = |block: &CidrBlock| block.network().to_message();
        CidrBlocksMessage {
            collection: self.collection.as_str().into(),
            location: self.location.as_str().into(),
            blocks: self.blocks.iter().map(block).collect(),
        }
    }

    fn from_message(message: CidrBlocksMessage) -> Result<Self, DecodeError> {
        let blocks = message.blocks.into_iter();
        let blocks = blocks.map(|block| Network::from_message(block).map(CidrBlock::stored));
        Ok(Self {
            collection: cidr_collection_id(&message.collection)?,
            location: CidrLocation::stored(&message.location),
            blocks: blocks.collect::<Result<_, _>>()?,
        })
    }
}

pub(super) fn cidr_collection_id(text: &str) -> Result<CidrCollectionId, DecodeError> {
    CidrCollectionId::new(text).map_err(|_| DecodeError::Field("CIDR collection"))
}
