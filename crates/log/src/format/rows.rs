//! The stored form of rows that only tables know: no journal entry carries them.

use meridian_model::{Change, RecordSet, SetKey};
use prost::{Message, Oneof};

use super::record_set::{RecordSetMessage, SetKeyMessage};
use super::zone::ChangeMessage;
use super::{DecodeError, Stored, required};

/// Up to where the tables are, and the sum over their rows.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AppliedRow {
    #[prost(uint32, tag = "1")]
    pub(crate) epoch: u32,
    #[prost(uint64, tag = "2")]
    pub(crate) seq: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) digest: Vec<u8>,
}

/// A change with the sequence number of the entry that carried it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChangeRow {
    #[prost(uint64, tag = "1")]
    pub(crate) seq: u64,
    #[prost(message, optional, tag = "2")]
    change: Option<ChangeMessage>,
}

impl ChangeRow {
    pub(crate) fn new(seq: u64, change: &Change) -> Self {
        Self {
            seq,
            change: Some(change.to_message()),
        }
    }

    pub(crate) fn into_change(self) -> Result<Change, DecodeError> {
        Change::from_message(required(self.change, "change")?)
    }
}

/// What is counted per generation.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct StatsRow {
    #[prost(uint64, tag = "1")]
    pub(crate) sets: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) last_changed: u64,
}

/// Where a request was carried out.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct RetryRow {
    #[prost(uint64, tag = "1")]
    pub(crate) seq: u64,
    #[prost(int64, tag = "2")]
    pub(crate) time: i64,
}

/// What one commit overwrote in one zone.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoryMessage {
    #[prost(string, tag = "1")]
    pub(crate) principal: String,
    #[prost(int64, tag = "2")]
    pub(crate) time: i64,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) previous_generation: Option<u64>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) before: Vec<BeforeMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct BeforeMessage {
    #[prost(oneof = "Before", tags = "1, 2")]
    before: Option<Before>,
}

/// A set as it was before a commit.
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Before {
    #[prost(message, tag = "1")]
    Set(RecordSetMessage),
    #[prost(message, tag = "2")]
    Absent(SetKeyMessage),
}

impl BeforeMessage {
    /// The set that had the stored bytes `old`, or none with this key.
    pub(crate) fn new(key: &SetKey, old: Option<&[u8]>) -> Result<Self, DecodeError> {
        let before = match old {
            Some(bytes) => Before::Set(RecordSetMessage::decode(bytes)?),
            None => Before::Absent(key.to_message()),
        };
        Ok(Self {
            before: Some(before),
        })
    }

    pub(crate) fn into_set(self) -> Result<(SetKey, Option<RecordSet>), DecodeError> {
        match required(self.before, "before")? {
            Before::Set(set) => {
                let set = RecordSet::from_message(set)?;
                Ok((set.key.clone(), Some(set)))
            }
            Before::Absent(key) => Ok((SetKey::from_message(key)?, None)),
        }
    }
}
