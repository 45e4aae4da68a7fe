//! One ordered journal, its tables and the vault.
//!
//! Everything users change is one chain of [`Entry`]s in a [`Journal`]; [`Tables`] is the state
//! that results from applying them, [`verify()`] checks one against the other, and the [`Vault`]
//! keeps what must not enter the chain. AWS, HTTP, DNS answers and validation live elsewhere.

mod backup;
mod format;
mod journal;
mod local;
mod storage;
mod store;
mod tables;
#[cfg(test)]
mod testing;
mod vault;
mod verify;

pub use backup::{
    BackupError, BackupProgress, BackupSource, Checked, Opening, RESTORING, Restoration, Restored,
    Written, check_backup, restore, write_backup,
};
pub use format::{Commit, DecodeError, Entry, Hash, LEVEL, RetryKey};
pub use journal::{AppendError, Head, Journal, JournalError, MAX_ENTRY_BYTES, MAX_READ_BYTES};
pub use local::LocalJournal;
pub use storage::{OpenError, StorageError};
pub use tables::{
    Applied, ApplyError, Digest, Durability, GenerationStats, HistoryRow, InstanceStart,
    InstancesOf, MAX_ENTRIES_PER_WRITE, Options, ReadError, SetBlock, SetStart, Snapshot, Tables,
    ZoneBlock,
};
pub use vault::{KeyId, ReaderClass, Secret, Vault, VaultCopy, VaultError, read_key_file};
pub use verify::{Report, TablesReport, VerifyError, verify};
