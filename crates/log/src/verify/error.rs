//! What can be wrong with a journal or its tables.

use meridian_model::{Seq, Timestamp};

use crate::format::Hash;
use crate::journal::{Head, JournalError};
use crate::storage::OpenError;
use crate::tables::{ApplyError, Digest, ReadError};

/// The first place that is not in order.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry is missing.
    #[error("entry {expected} is missing: entry {found} comes after the one before it")]
    Gap {
        /// The missing one.
        expected: Seq,
        /// The one found.
        found: Seq,
    },
    /// The chain ends before the head.
    #[error("the journal ends with entry {last}, its head is entry {}", head.seq)]
    Short {
        /// The last entry found.
        last: Seq,
        /// The head.
        head: Head,
    },
    /// An entry does not continue the one before.
    #[error("entry {seq} follows an entry of hash {follows}, the one before it has {actual}")]
    Chain {
        /// Which entry.
        seq: Seq,
        /// What it says it follows.
        follows: Hash,
        /// What it follows.
        actual: Hash,
    },
    /// The last entry is not the one the head names.
    #[error("entry {seq} has hash {actual}, the journal's head says {head}")]
    HeadHash {
        /// Which entry.
        seq: Seq,
        /// The head's.
        head: Hash,
        /// The entry's.
        actual: Hash,
    },
    /// An entry is of an earlier epoch than the one before.
    #[error("entry {seq} is of epoch {found} after epoch {before}")]
    Epoch {
        /// Which entry.
        seq: Seq,
        /// Its epoch.
        found: u32,
        /// The epoch before.
        before: u32,
    },
    /// Time runs backwards.
    #[error("entry {seq} has time {}, the one before it {}", found.0, before.0)]
    Time {
        /// Which entry.
        seq: Seq,
        /// Its time.
        found: Timestamp,
        /// The time before.
        before: Timestamp,
    },
    /// An entry's level is not that of its effects.
    #[error("entry {seq} says level {found}, its effects are of level {needed}")]
    Level {
        /// Which entry.
        seq: Seq,
        /// What it says.
        found: u16,
        /// What its effects need.
        needed: u16,
    },
    /// The replay has no memory.
    #[error("the replay cannot start: {0}")]
    Replay(#[from] OpenError),
    /// The replay fails.
    #[error("the replay fails: {0}")]
    Apply(#[from] ApplyError),
    /// The tables cannot be read.
    #[error(transparent)]
    Tables(#[from] ReadError),
    /// The tables have entries that the journal has not.
    #[error("the tables are at entry {applied}, the journal ends with entry {head}")]
    TablesAhead {
        /// Up to where the tables are.
        applied: Seq,
        /// The journal's head.
        head: Seq,
    },
    /// The tables come from another chain.
    #[error("the tables applied an entry {seq} of hash {applied}, the journal's has {actual}")]
    TablesOffChain {
        /// Up to where the tables are.
        seq: Seq,
        /// The hash of what they applied.
        applied: Hash,
        /// The journal's.
        actual: Hash,
    },
    /// The tables' rows are not those of the replay.
    #[error("at entry {seq} the rows of the table '{table}' are not those of the replay")]
    Rows {
        /// Up to where the tables are.
        seq: Seq,
        /// The first table that differs.
        table: &'static str,
    },
    /// The rows are right but the digest kept beside them is not.
    #[error("at entry {seq} the tables keep digest {kept}, their rows give {actual}")]
    KeptDigest {
        /// Up to where the tables are.
        seq: Seq,
        /// The one kept.
        kept: Digest,
        /// The one of the rows.
        actual: Digest,
    },
}
