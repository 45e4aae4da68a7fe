//! The stored form of tags.

use meridian_model::{Tag, TagSet, TaggedKind, TaggedResource};
use prost::Message;

use super::{DecodeError, Stored, required};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TagSetMessage {
    /// The API's word.
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    id: String,
    #[prost(message, repeated, tag = "3")]
    tags: Vec<TagMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TagMessage {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

impl Stored for TagSet {
    type Message = TagSetMessage;

    fn to_message(&self) -> TagSetMessage {
        let tag = |tag: &Tag| TagMessage {
            key: tag.key.clone(),
            value: tag.value.clone(),
        };
        TagSetMessage {
            kind: self.resource.kind.as_str().into(),
            id: self.resource.id.clone(),
            tags: self.tags.iter().map(tag).collect(),
        }
    }

    fn from_message(message: TagSetMessage) -> Result<Self, DecodeError> {
        let kind = TaggedKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == message.kind);
        let tag = |TagMessage { key, value }| Tag { key, value };
        Ok(Self {
            resource: TaggedResource {
                kind: required(kind, "kind of tagged resource")?,
                id: message.id,
            },
            tags: message.tags.into_iter().map(tag).collect(),
        })
    }
}
