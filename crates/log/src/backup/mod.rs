//! Backups: the journal and the vault as of one entry, in one file that is written from front to
//! back and says itself whether it is whole.
//!
//! Written in `write`, read and checked in `read`, turned into a data directory in `restore`; the
//! file's form is in `frame`. Where the file lies, and who may have one, is others' business.

mod frame;
mod read;
mod restore;
#[cfg(test)]
mod tests;
mod write;

use meridian_model::{Seq, Timestamp};

use crate::format::Hash;
use crate::journal::{Head, JournalError};
use crate::storage::{OpenError, StorageError};
use crate::tables::{ApplyError, Digest, ReadError};
use crate::vault::{KeyId, VaultError};
use crate::verify::VerifyError;

pub use read::{Checked, check_backup};
pub use restore::{RESTORING, Restoration, Restored, restore};
pub use write::{BackupSource, Written, write_backup};

/// What a backup says of itself in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// When it was made.
    pub time: Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// The entry up to which it goes.
    pub head: Head,
    /// The level that the journal was finalized for.
    pub level: u16,
    /// The digest of the tables at that entry.
    pub digest: Digest,
    /// The key that opens its secrets.
    pub vault_key: KeyId,
    /// Whether that key is in it.
    pub with_key: bool,
}

/// A backup cannot be written, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read or written.
    #[error("the backup's file fails: {0}")]
    File(std::io::Error),
    /// It is something else.
    #[error("this is no backup of meridian's: it does not begin like one")]
    NoBackup,
    /// A newer version wrote it.
    #[error(
        "the backup is of format {found}, this version knows {known}: restore it with the version that wrote it, or a newer one"
    )]
    Format {
        /// The file's.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Some bytes are not those that were written.
    #[error(
        "the backup is damaged: {what}, in the part that begins at byte {offset}, after entry {after}"
    )]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// Where the part begins.
        offset: u64,
        /// The last entry before it.
        after: Seq,
    },
    /// The end is missing.
    #[error("the backup is cut off at byte {offset}, after entry {after}")]
    CutOff {
        /// How long it is.
        offset: u64,
        /// The last entry in it.
        after: Seq,
    },
    /// An entry cannot be read, although it is as it was written.
    #[error("an entry behind entry {after} of the backup cannot be read: {cause}")]
    Entry {
        /// The last one before.
        after: Seq,
        /// Why.
        cause: crate::format::DecodeError,
    },
    /// Its entries are no chain, or another one than it says.
    #[error("the backup's entries: {0}")]
    Chain(VerifyError),
    /// The entries lead to another state than the one that was backed up.
    #[error("the backup's entries lead to tables of digest {actual}, there were {expected}")]
    Digest {
        /// What it says.
        expected: Digest,
        /// What its entries lead to.
        actual: Digest,
    },
    /// The journal reads back otherwise than it was written.
    #[error("entry {0} of the journal is not as it was written; see `meridian journal verify`")]
    Rewritten(Seq),
    /// The key given is another one.
    #[error("the key given is {given}; the backup's secrets need {needed}")]
    OtherKey {
        /// The one given.
        given: KeyId,
        /// The one needed.
        needed: KeyId,
    },
    /// The operator or the client gave up.
    #[error("given up")]
    GivenUp,
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The vault fails.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A file of the data directory cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The tables cannot be made.
    #[error(transparent)]
    Tables(#[from] ApplyError),
    /// The tables cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of the data directory cannot be written.
    #[error("writing the data directory failed: {0}")]
    Storage(#[from] StorageError),
    /// The data directory cannot be written.
    #[error("writing the data directory failed: {0}")]
    Directory(std::io::Error),
}

/// Hears up to which entry it is done; `false` gives up.
pub type BackupProgress<'a> = &'a mut dyn FnMut(Seq) -> bool;

fn go_on(progress: BackupProgress<'_>, seq: Seq) -> Result<(), BackupError> {
    if progress(seq) {
        Ok(())
    } else {
        Err(BackupError::GivenUp)
    }
}

/// The chain of checks begins here.
const BEGINNING: &[u8; 16] = b"MERIDIAN-BACKUP\n";

fn first_check() -> Hash {
    Hash::of(BEGINNING)
}
