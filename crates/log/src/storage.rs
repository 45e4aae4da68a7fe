//! Opening redb files with the settings all of ours share. What lies in them is their owners'.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

use crate::store::{Store, is_full};

/// The storage under a journal, tables or a vault failed. Never a user's fault.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StorageError(Box<dyn std::error::Error + Send + Sync>);

impl StorageError {
    /// Wraps what a back end reports.
    pub fn new(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(cause))
    }

    /// Whether it is the disk that is full: there is nothing wrong with what is stored, and once
    /// there is room it goes on.
    pub fn is_full(&self) -> bool {
        self.0.downcast_ref().is_some_and(is_full)
    }

    /// Notes it as the reason why a write to this file failed.
    pub(crate) fn note_in(&self, store: &Store) {
        if let Some(error) = self.0.downcast_ref() {
            store.note_failure(error);
        }
    }
}

/// Lets `?` turn every one of redb's error types into the variant `Storage` of `$error`.
macro_rules! storage_errors_from_redb {
    ($($error:ty),+) => {$(
        impl<E: Into<redb::Error>> From<E> for $error {
            fn from(cause: E) -> Self {
                Self::Storage($crate::storage::StorageError::new(cause.into()))
            }
        }
    )+};
}
pub(crate) use storage_errors_from_redb;

/// A stored file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its file system fails.
    #[error("cannot open {path}: {cause}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        cause: StorageError,
    },
    /// The storage fails after it was opened.
    #[error("reading the stored file failed: {0}")]
    Storage(StorageError),
    /// A newer version wrote the file.
    #[error(
        "the file is of format {found}, this version knows only up to {known}: run the version \
         that wrote it, or a newer one"
    )]
    NewerFormat {
        /// The file's.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A version wrote the file whose format is not migrated any more.
    #[error("the file is of format {found}, this version reads only {known} and has no migration")]
    OlderFormat {
        /// The file's.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The operator finalized a level that this version does not know.
    #[error("the journal is finalized for level {found}, this version knows up to {known}")]
    NewerLevel {
        /// The journal's.
        found: u32,
        /// Ours.
        known: u16,
    },
    /// What the file says about itself does not hold together.
    #[error("the file is damaged: {0}")]
    Damaged(String),
}

storage_errors_from_redb!(OpenError);

impl OpenError {
    pub(crate) fn file(path: &Path, cause: impl Into<redb::Error>) -> Self {
        Self::File {
            path: path.to_owned(),
            cause: StorageError::new(cause.into()),
        }
    }

    /// The same for whoever had the file open before.
    pub(crate) fn into_storage(self) -> StorageError {
        match self {
            Self::File { cause, .. } | Self::Storage(cause) => cause,
            other => StorageError::new(other),
        }
    }
}

pub(crate) const META: TableDefinition<'static, &'static str, &'static [u8]> =
    TableDefinition::new("meta");
const FORMAT_KEY: &str = "format";

/// Makes the redb file at `path` if there is none. It is filled by `initialize` and then appears
/// under its name as a whole: redb refuses a file whose creation was cut off.
pub(crate) fn make_if_absent(
    path: &Path,
    initialize: impl FnOnce(&Database) -> Result<(), redb::Error>,
) -> Result<(), OpenError> {
    if path.exists() {
        return Ok(());
    }
    let fill = |unfinished: &Path| initialize(&Database::create(unfinished)?);
    create_whole(path, fill).map_err(|cause: redb::Error| OpenError::file(path, cause))
}

/// Makes a file that appears under its name, durably, once `fill` has written it under another.
/// When another process was faster, its file stays.
pub(crate) fn create_whole<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".new-{}", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    remove_if_there(&unfinished)?;
    fill(&unfinished)?;
    // A link and not a renaming, which would replace the other process's file.
    match fs::hard_link(&unfinished, path) {
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => return Err(cause.into()),
        _ => {}
    }
    remove_if_there(&unfinished)?;
    // Without this a power cut may take a new file away together with what was acknowledged in
    // it: redb syncs files, not directories.
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

/// A write transaction that is on the disk when it is committed, and whose file opens at once
/// after a crash.
pub(crate) fn begin_durable(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Whether the file is of the format that this version reads.
///
/// There has been one format of each file so far; the first migration goes here.
pub(crate) fn check_format(database: &Database, known: u32) -> Result<(), OpenError> {
    let damaged = || OpenError::Damaged("it has no format number, or one that is cut off".into());
    let meta = match database.begin_read()?.open_table(META) {
        Err(TableError::TableDoesNotExist(_)) => return Err(damaged()),
        meta => meta?,
    };
    let stored = meta.get(FORMAT_KEY)?;
    let found = stored
        .and_then(|row| row.value().try_into().ok())
        .map(u32::from_be_bytes)
        .ok_or_else(damaged)?;
    match found.cmp(&known) {
        Ordering::Greater => Err(OpenError::NewerFormat { found, known }),
        Ordering::Less => Err(OpenError::OlderFormat { found, known }),
        Ordering::Equal => Ok(()),
    }
}

/// Writes the format number of a new file.
pub(crate) fn write_format(transaction: &WriteTransaction, format: u32) -> Result<(), redb::Error> {
    let mut meta = transaction.open_table(META)?;
    meta.insert(FORMAT_KEY, format.to_be_bytes().as_slice())?;
    Ok(())
}
