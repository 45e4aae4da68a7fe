//! The stored form of entries and rows: protocol-buffer messages beside the model's types.
//!
//! Encoding is deterministic: fields in the order of their tags, no maps, no unknown fields kept.
//! Tags are never used twice. Whether what is decoded makes sense to Route 53 is not asked here.

mod account;
mod cidr;
mod delegation_set;
mod effect;
mod entry;
mod generation;
mod health_check;
mod plain;
mod protection;
mod query_logging;
mod record_set;
mod region;
mod resource;
mod rows;
mod tag;
mod traffic_policy;
mod traffic_policy_instance;
mod vpc;
mod zone;

use std::fmt;

use meridian_dns::{Name, RecordType};
use meridian_model::AccountId;
use prost::Message;

pub use entry::{Commit, Entry};
pub(crate) use health_check::{HealthSlotRow, health_check_id};
pub(crate) use rows::{AppliedRow, BeforeMessage, ChangeRow, HistoryMessage, RetryRow, StatsRow};
pub(crate) use traffic_policy::{LiveVersion, TrafficPolicyRow, traffic_policy_id};

/// The highest journal level this version understands.
pub const LEVEL: u16 = 3;

/// A SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

pub(crate) fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// What makes a repeated request the same request, as a hash that control computes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetryKey(pub [u8; 32]);

impl fmt::Debug for RetryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// Stored bytes are not what this version can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No message of the kind expected.
    #[error("the bytes are not a stored message: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// A field has no value or one that this version does not know.
    #[error("the field '{0}' is absent or holds a value that this version does not know")]
    Field(&'static str),
    /// An entry is of another format.
    #[error("the entry is of format {found}, this version reads {known}")]
    Format {
        /// The entry's.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// An entry holds kinds of effects that came later.
    #[error("the entry is of level {found}, this version knows up to {known}")]
    Level {
        /// The entry's.
        found: u32,
        /// Ours.
        known: u16,
    },
}

/// A type that has a stored form.
pub(crate) trait Stored: Sized {
    /// The stored form.
    type Message: Message + Default;

    fn to_message(&self) -> Self::Message;
    fn from_message(message: Self::Message) -> Result<Self, DecodeError>;

    fn to_bytes(&self) -> Vec<u8> {
        self.to_message().encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::from_message(Self::Message::decode(bytes)?)
    }
}

/// The value of a field that must be there.
fn required<T>(value: Option<T>, field: &'static str) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Field(field))
}

fn name(wire: &[u8], field: &'static str) -> Result<Name, DecodeError> {
    Name::from_wire(wire).map_err(|_| DecodeError::Field(field))
}

fn names(wires: &[Vec<u8>], field: &'static str) -> Result<Vec<Name>, DecodeError> {
    wires.iter().map(|wire| name(wire, field)).collect()
}

pub(crate) fn record_type(code: u32) -> Result<RecordType, DecodeError> {
    let known = u16::try_from(code).ok().and_then(RecordType::from_code);
    required(known, "type")
}

pub(crate) fn account_id(text: &str) -> Result<AccountId, DecodeError> {
    AccountId::new(text).map_err(|_| DecodeError::Field("account"))
}

fn bytes32(bytes: &[u8], field: &'static str) -> Result<[u8; 32], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::Field(field))
}

#[cfg(test)]
mod tests {
    use meridian_model::{Effect, RecordSet, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::journal::Head;
    use crate::testing;

    proptest! {
        #[test]
        fn every_effect_survives_its_stored_form(effect in testing::effect()) {
            let bytes = effect.to_bytes();
            let back = Effect::from_bytes(&bytes).unwrap();
            prop_assert_eq!(&back, &effect);
            prop_assert_eq!(back.to_bytes(), bytes, "encoding is deterministic");
        }

        #[test]
        fn every_entry_survives_with_its_hash(
            commits in prop::collection::vec(testing::commit(), 0..3),
            time: i64, epoch: u32, previous: [u8; 32], seq in 0..u64::MAX,
        ) {
            let head = Head { epoch, seq: meridian_model::Seq(seq), hash: Hash(previous) };
            let (entry, bytes) = Entry::after(head, Timestamp(time), commits);
            prop_assert_eq!(Hash::of(&bytes), entry.hash);
            prop_assert_eq!(Entry::decode(&bytes).unwrap(), entry);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Entry::decode(&bytes);
            let _ = Effect::from_bytes(&bytes);
            let _ = RecordSet::from_bytes(&bytes);
        }

        #[test]
        fn no_damaged_entry_panics(
            commits in prop::collection::vec(testing::commit(), 1..3),
            at: prop::sample::Index, with: u8,
        ) {
            let (entry, mut bytes) = Entry::after(Head::EMPTY, Timestamp(1), commits);
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            if let Ok(damaged) = Entry::decode(&bytes) {
                prop_assert_eq!(damaged.hash == entry.hash, with == 0);
            }
        }
    }

    #[test]
    fn a_newer_format_and_a_newer_level_are_refused_by_name() {
        let (_, bytes) = Entry::after(Head::EMPTY, Timestamp(1), vec![]);
        // Fields one and five, as a later version would write them: the last one counts.
        let with = |extra: [u8; 2]| Entry::decode(&[bytes.as_slice(), &extra].concat());
        let format = with([0x08, 2]).unwrap_err();
        assert_eq!(
            format.to_string(),
            "the entry is of format 2, this version reads 1"
        );
        let level = with([0x28, 9]).unwrap_err();
        assert_eq!(
            level.to_string(),
            "the entry is of level 9, this version knows up to 3"
        );
    }

    /// An entry of version 1, written down: decoding it must never change.
    #[test]
    fn the_first_format_stays_readable() {
        let effects = vec![Effect::DeleteZone(
            meridian_model::ZoneId::new("Z1").unwrap(),
        )];
        let commit = Commit {
            request_id: "r".into(),
            account: Some(AccountId::new("123456789012").unwrap()),
            principal: "p".into(),
            source: "s".into(),
            retry: None,
            effects,
        };
        let (entry, bytes) = Entry::after(Head::EMPTY, Timestamp(1), vec![commit]);
        let mut stored = vec![0x08, 1, 0x10, 1, 0x18, 1, 0x22, 32];
        stored.extend([0; 32]);
        stored.extend([0x28, 1, 0x30, 1, 0x3a, 29, 0x0a, 1, b'r', 0x12, 12]);
        stored.extend(b"123456789012");
        stored.extend([0x1a, 1, b'p', 0x22, 1, b's', 0x32, 4, 0x12, 2, b'Z', b'1']);
        assert_eq!(bytes, stored);
        assert_eq!(Entry::decode(&stored).unwrap(), entry);
    }
}
