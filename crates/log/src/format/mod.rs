//! The stored form of entries and rows: protocol-buffer messages beside the model's types.
//!
//! Encoding is deterministic: fields in the order of their tags, no maps, no unknown fields kept.
//! Tags are never used twice. Whether what is decoded makes sense to Route 53 is not asked here.

mod account;
mod effect;
mod entry;
mod record_set;
mod rows;
mod zone;

use std::fmt;

use meridian_dns::{Name, RecordType};
use meridian_model::AccountId;
use prost::Message;

pub use entry::{Commit, Entry};
pub(crate) use rows::{AppliedRow, BeforeMessage, ChangeRow, HistoryMessage, RetryRow, StatsRow};

/// The highest journal level this version understands.
pub const LEVEL: u16 = 1;

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

fn record_type(code: u32) -> Result<RecordType, DecodeError> {
    let known = u16::try_from(code).ok().and_then(RecordType::from_code);
    required(known, "type")
}

fn account_id(text: &str) -> Result<AccountId, DecodeError> {
    AccountId::new(text).map_err(|_| DecodeError::Field("account"))
}

fn bytes32(bytes: &[u8], field: &'static str) -> Result<[u8; 32], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::Field(field))
}
