//! What a journal is, whatever it is stored in. Back ends live in files of their own.

use std::time::Duration;

use meridian_model::{Seq, Timestamp};

use crate::format::{Commit, DecodeError, Entry, Hash};
use crate::storage::{StorageError, storage_errors_from_redb};

/// The longest stored form of one entry: an etcd request of 1.5 MiB is refused, and a full batch
/// of Route 53 is below a third of it.
pub const MAX_ENTRY_BYTES: usize = 1024 * 1024;
/// Reading stops before the stored bytes of its entries pass this, the first one excepted.
pub const MAX_READ_BYTES: usize = 2 * 1024 * 1024;

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How often the chain was restored by an operator; the first is 1.
    pub epoch: u32,
    /// The last entry, 0 when there is none.
    pub seq: Seq,
    /// The last entry's hash, zeros when there is none.
    pub hash: Hash,
}

impl Head {
    /// The head of a chain without entries.
    pub const EMPTY: Self = Self {
        epoch: 1,
        seq: Seq(0),
        hash: Hash([0; 32]),
    };
}

/// A journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The back end fails.
    #[error("reading the journal failed: {0}")]
    Storage(StorageError),
    /// A stored entry cannot be read.
    #[error("entry {seq} of the journal cannot be read: {cause}")]
    Unreadable {
        /// Which one.
        seq: Seq,
        /// Why.
        cause: DecodeError,
    },
    /// An entry lies under a number that is not its own.
    #[error("entry {seq} of the journal calls itself {found}")]
    Misplaced {
        /// Where it lies.
        seq: Seq,
        /// What it says.
        found: Seq,
    },
}

/// An entry was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended first: plan again at `head`.
    #[error("the journal's head is entry {} by now", head.seq)]
    Conflict {
        /// The actual head.
        head: Head,
    },
    /// The back end fails. Whether the entry is in the journal is not known: read on from the
    /// expected head and look for the commits' retry keys before anything is tried again.
    #[error("appending to the journal failed: {0}")]
    Storage(StorageError),
    /// The entry would be longer than [`MAX_ENTRY_BYTES`].
    #[error("the entry would take {bytes} bytes, the most is {MAX_ENTRY_BYTES}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// An effect is of a level that is not finalized: nodes may be running that do not know it.
    #[error("the entry is of level {needed}, but the journal is finalized only for {finalized}")]
    Level {
        /// The entry's.
        needed: u16,
        /// The journal's.
        finalized: u16,
    },
}

storage_errors_from_redb!(JournalError, AppendError);

/// One totally ordered chain of entries.
pub trait Journal: Send + Sync {
    /// The confirmed end of the chain.
    ///
    /// # Errors
    /// [`JournalError`] when the back end cannot tell.
    fn head(&self) -> Result<Head, JournalError>;

    /// Appends one entry after `expected` and returns the new head once it is durable. The
    /// entry's time is `time`, or that of the entry before when clocks went backwards.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] when `expected` is not the head, and the other kinds.
    fn append(
        &self,
        expected: Head,
        commits: Vec<Commit>,
        time: Timestamp,
    ) -> Result<Head, AppendError>;

    /// The highest level of effects that may be appended.
    ///
    /// # Errors
    /// [`JournalError`] when the back end cannot tell.
    fn level(&self) -> Result<u16, JournalError>;

    /// From now on takes effects of every level that this version understands; returns that
    /// level. Earlier versions, which do not understand it, cannot open the journal any more: an
    /// operator says when none of them will be needed.
    ///
    /// # Errors
    /// [`StorageError`] when the back end fails; then it is not known whether it was done.
    fn finalize(&self) -> Result<u16, StorageError>;

    /// Whether an entry could be appended, as far as the back end can tell without appending one.
    ///
    /// # Errors
    /// [`StorageError`] says why not.
    fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// The entries after `after`, in order: at most `max_entries` and about [`MAX_READ_BYTES`],
    /// but at least one if there is one. The reader checks the chain.
    ///
    /// # Errors
    /// [`JournalError`] when the back end fails or a stored entry cannot be read.
    fn read(&self, after: Seq, max_entries: usize) -> Result<Vec<Entry>, JournalError>;

    /// Waits until there seems to be an entry after `after`, or the time is over. Returns the last
    /// number heard of: a hint, to be followed by [`Journal::read`].
    fn wait(&self, after: Seq, timeout: Duration) -> Seq;

    /// Ends every [`Journal::wait`], those to come too: whoever follows is to stop now.
    fn end_waits(&self);
}
