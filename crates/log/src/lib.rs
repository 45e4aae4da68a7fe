//! One ordered journal, its tables and the vault.

mod format;
mod journal;
mod local;
mod storage;

pub use format::{Commit, DecodeError, Entry, Hash, LEVEL, RetryKey};
pub use journal::{AppendError, Head, Journal, JournalError, MAX_ENTRY_BYTES, MAX_READ_BYTES};
pub use local::LocalJournal;
pub use storage::{OpenError, StorageError};
