//! A data directory from a backup. Its journal goes on from the backup's last entry in a new epoch.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use meridian_model::{Seq, Timestamp};

use super::frame::SecretMessage;
use super::read::{Reader, TABLES, Taker, compare};
use super::{BackupError, BackupProgress, Checked};
use crate::format::{Commit, Entry};
use crate::journal::Head;
use crate::local::{JournalCopy, LocalJournal};
use crate::storage::StorageError;
use crate::tables::Tables;
use crate::vault::{self, KeyId, Secret, VaultRestore};

/// The directory in a data directory in which a restore is under way. As long as it is there, the
/// data directory is not whole.
pub const RESTORING: &str = "restoring";

/// What to restore besides the backup itself.
#[derive(Debug)]
pub struct Restoration<'a> {
    /// An empty directory.
    pub directory: &'a Path,
    /// The vault's key, where the backup does not have it.
    pub key: Option<Secret>,
    /// What the entry that begins the new epoch says of who restored.
    pub commit: Commit,
    /// When.
    pub time: Timestamp,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub backup: Checked,
    /// The head of the journal now.
    pub head: Head,
    /// The vault's key is in its place.
    pub has_key: bool,
}

/// Fills the directory from a backup and begins a new epoch. Until all of it is in its place a
/// directory [`RESTORING`] says that it is not: whoever fails on the way leaves that behind.
///
/// # Errors
/// [`BackupError`] says what is wrong with the backup, and where, or what cannot be written.
pub fn restore(
    input: impl Read,
    restoration: Restoration<'_>,
    progress: BackupProgress<'_>,
) -> Result<Restored, BackupError> {
    let reader = Reader::begin(input)?;
    let needed = reader.front.opening.vault_key;
    let key = restoration.key.or_else(|| reader.front.key.clone());
    if let Some(key) = &key {
        let given = KeyId::of(key);
        if given != needed {
            return Err(BackupError::OtherKey { given, needed });
        }
    }
    let place = restoration.directory.join(RESTORING);
    fs::create_dir(&place).map_err(BackupError::Directory)?;
    let level = reader.front.opening.level;
    let mut copy = Copy {
        journal: JournalCopy::begin(&place.join(JOURNAL), level)?,
        tables: Tables::open(&place.join(TABLES_FILE), TABLES)?,
        vault: VaultRestore::begin(&place.join(VAULT), &reader.front.key_check)?,
    };
    let (backup, last) = reader.read_all(&mut copy, progress)?;
    let Copy {
        journal, tables, ..
    } = copy;
    compare(&tables, &backup.opening)?;
    drop(journal);
    let journal = LocalJournal::open(&place.join(JOURNAL))?;
    let time = restoration.time.max(last);
    let entry = journal.begin_epoch(restoration.commit, time)?;
    tables.apply(std::slice::from_ref(&entry))?;
    tables.flush()?;
    drop((journal, tables));
    if let Some(key) = &key {
        vault::write_key_file(&place.join(KEY), key)?;
    }
    put_in_place(&place, restoration.directory).map_err(BackupError::Directory)?;
    Ok(Restored {
        backup,
        head: entry.head(),
        has_key: key.is_some(),
    })
}

const JOURNAL: &str = "journal.redb";
const TABLES_FILE: &str = "tables.redb";
const VAULT: &str = "vault.redb";
const KEY: &str = "vault.key";

struct Copy {
    journal: JournalCopy,
    tables: Tables,
    vault: VaultRestore,
}

impl Taker for Copy {
    fn secrets(&mut self, rows: Vec<SecretMessage>) -> Result<(), BackupError> {
        let rows = rows.iter().map(|row| (row.id.as_str(), &*row.sealed));
        Ok(self.vault.put(rows)?)
    }

    fn entries(&mut self, entries: &[Entry], bytes: Vec<Vec<u8>>) -> Result<(), BackupError> {
        let Some(head) = entries.last().map(Entry::head) else {
            return Ok(());
        };
        let first = entries.first().map_or(Seq(0), |entry| entry.seq);
        self.journal
            .put(first, &bytes, head)
            .map_err(StorageError::new)?;
        self.tables.apply(entries)?;
        Ok(())
    }
}

/// Moves the files, the journal last, and makes sure that the directory knows it.
fn put_in_place(from: &Path, to: &Path) -> std::io::Result<()> {
    for name in [KEY, VAULT, TABLES_FILE, JOURNAL] {
        let file = from.join(name);
        if file.exists() {
            File::open(&file)?.sync_all()?;
            fs::rename(file, to.join(name))?;
        }
    }
    File::open(to)?.sync_all()?;
    fs::remove_dir(from)?;
    File::open(to)?.sync_all()
}
