//! The stored form of rows that only tables know: no journal entry carries them.

use meridian_model::{Change, RecordSet, SetKey};
use prost::encoding::{self, DecodeContext};
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
    /// Which indices the one who applied kept up with it; none where that was an earlier version.
    #[prost(uint32, tag = "5")]
    pub(crate) indices: u32,
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

impl HistoryMessage {
    /// The time alone: what comes after it may be long, and is not looked at.
    pub(crate) fn time_of(bytes: &[u8]) -> Result<i64, DecodeError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (tag, wire_type) = encoding::decode_key(&mut rest)?;
            match tag {
                1 => encoding::skip_field(wire_type, tag, &mut rest, DecodeContext::default())?,
                // As int64 is written.
                2 => return Ok(encoding::decode_varint(&mut rest)?.cast_signed()),
                _ => break,
            }
        }
        // A time of zero is not written.
        Ok(0)
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_time_alone_is_the_time_of_the_whole(
            principal in ".{0,9}", time: i64, previous_generation: Option<u64>,
        ) {
            for time in [time, 0] {
                let principal = principal.clone();
                let before = vec![BeforeMessage { before: None }];
                let row = HistoryMessage { principal, time, previous_generation, before };
                prop_assert_eq!(HistoryMessage::time_of(&row.encode_to_vec()), Ok(time));
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = HistoryMessage::time_of(&bytes);
        }
    }
}
