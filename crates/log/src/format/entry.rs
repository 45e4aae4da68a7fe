//! Journal entries and the commits in them.

use meridian_model::{AccountId, Effect, Seq, Timestamp};
use prost::Message;

use super::effect::EffectMessage;
use super::{DecodeError, Hash, LEVEL, RetryKey, Stored, account_id, bytes32};
use crate::journal::Head;

/// The format of the bytes of an entry.
const FORMAT: u32 = 1;

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How often the chain was restored by an operator; never falls along the chain.
    pub epoch: u32,
    /// One more than the entry before; the first is 1.
    pub seq: Seq,
    /// The hash of the entry before, zeros for the first.
    pub previous: Hash,
    /// The highest level of any effect in it.
    pub level: u16,
    /// When it was appended; never earlier than the entry before.
    pub time: Timestamp,
    /// What it does, in order.
    pub commits: Vec<Commit>,
    /// SHA-256 of the stored bytes, all the above included. Not stored in them.
    pub hash: Hash,
}

/// What one request did, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The request's own id, for people and logs.
    pub request_id: String,
    /// On whose behalf; none for the node's own.
    pub account: Option<AccountId>,
    /// Who asked.
    pub principal: String,
    /// From where.
    pub source: String,
    /// By what a retry of the same request is recognised.
    pub retry: Option<RetryKey>,
    /// What it writes, in order.
    pub effects: Vec<Effect>,
}

impl Entry {
    /// The entry that follows `head`, with the bytes to store for it.
    pub fn after(head: Head, time: Timestamp, commits: Vec<Commit>) -> (Self, Vec<u8>) {
        let effects = commits.iter().flat_map(|commit| &commit.effects);
        let mut entry = Self {
            epoch: head.epoch,
            seq: Seq(head.seq.0 + 1),
            previous: head.hash,
            level: effects.map(Effect::level).max().unwrap_or(1),
            time,
            commits,
            hash: Hash::default(),
        };
        let bytes = entry.encode();
        entry.hash = Hash::of(&bytes);
        (entry, bytes)
    }

    /// Reads stored bytes and hashes them.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that this version did not write or does not understand.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        // The first pass reads the header alone: what a newer format or level means by the rest
        // is not ours to judge.
        let header = HeaderMessage::decode(bytes)?;
        if header.format != FORMAT {
            return Err(DecodeError::Format {
                found: header.format,
                known: FORMAT,
            });
        }
        let level = u16::try_from(header.level)
            .ok()
            .filter(|level| *level <= LEVEL)
            .ok_or(DecodeError::Level {
                found: header.level,
                known: LEVEL,
            })?;
        let message = EntryMessage::decode(bytes)?;
        let commits = message.commits.into_iter().map(Commit::from_message);
        Ok(Self {
            epoch: message.epoch,
            seq: Seq(message.seq),
            previous: Hash(bytes32(&message.previous, "previous hash")?),
            level,
            time: Timestamp(message.time),
            commits: commits.collect::<Result<_, _>>()?,
            hash: Hash::of(bytes),
        })
    }

    /// The head of a journal that ends with this entry.
    pub fn head(&self) -> Head {
        Head {
            epoch: self.epoch,
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// The bytes to store.
    pub(crate) fn encode(&self) -> Vec<u8> {
        EntryMessage {
            format: FORMAT,
            epoch: self.epoch,
            seq: self.seq.0,
            previous: self.previous.0.to_vec(),
            level: u32::from(self.level),
            time: self.time.0,
            commits: self.commits.iter().map(Stored::to_message).collect(),
        }
        .encode_to_vec()
    }
}

#[derive(Clone, PartialEq, Message)]
struct HeaderMessage {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(uint32, tag = "5")]
    level: u32,
}

#[derive(Clone, PartialEq, Message)]
struct EntryMessage {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(uint32, tag = "2")]
    epoch: u32,
    #[prost(uint64, tag = "3")]
    seq: u64,
    #[prost(bytes = "vec", tag = "4")]
    previous: Vec<u8>,
    #[prost(uint32, tag = "5")]
    level: u32,
    #[prost(int64, tag = "6")]
    time: i64,
    #[prost(message, repeated, tag = "7")]
    commits: Vec<CommitMessage>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CommitMessage {
    #[prost(string, tag = "1")]
    request_id: String,
    #[prost(string, optional, tag = "2")]
    account: Option<String>,
    #[prost(string, tag = "3")]
    principal: String,
    #[prost(string, tag = "4")]
    source: String,
    #[prost(bytes = "vec", optional, tag = "5")]
    retry: Option<Vec<u8>>,
    #[prost(message, repeated, tag = "6")]
    effects: Vec<EffectMessage>,
}

impl Stored for Commit {
    type Message = CommitMessage;

    fn to_message(&self) -> CommitMessage {
        CommitMessage {
            request_id: self.request_id.clone(),
            account: self.account.as_ref().map(|id| id.as_str().into()),
            principal: self.principal.clone(),
            source: self.source.clone(),
            retry: self.retry.map(|key| key.0.to_vec()),
            effects: self.effects.iter().map(Stored::to_message).collect(),
        }
    }

    fn from_message(message: CommitMessage) -> Result<Self, DecodeError> {
        let retry = message.retry.map(|key| bytes32(&key, "retry key"));
        let effects = message.effects.into_iter().map(Effect::from_message);
        Ok(Self {
            request_id: message.request_id,
            account: message.account.as_deref().map(account_id).transpose()?,
            principal: message.principal,
            source: message.source,
            retry: retry.transpose()?.map(RetryKey),
            effects: effects.collect::<Result<_, _>>()?,
        })
    }
}
