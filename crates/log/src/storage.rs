//! Opening redb files with the settings all of ours share. What lies in them is their owners'.

use std::fs::File;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

/// The storage under a journal, tables or a vault failed. Never a user's fault.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StorageError(Box<dyn std::error::Error + Send + Sync>);

impl StorageError {
    /// Wraps what a back end reports.
    pub fn new(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(cause))
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

pub(crate) const META: TableDefinition<'static, &'static str, &'static [u8]> =
    TableDefinition::new("meta");
const FORMAT_KEY: &str = "format";

/// Opens or creates the redb file at `path`; a new one is on the disk with its directory entry.
pub(crate) fn open_database(path: &Path, cache_bytes: usize) -> Result<Database, OpenError> {
    let fail = |cause| OpenError::File {
        path: path.to_owned(),
        cause,
    };
    let fresh = !path.exists();
    let database = Database::builder()
        .set_cache_size(cache_bytes)
        .create(path)
        .map_err(|cause| fail(StorageError::new(cause)))?;
    if fresh {
        // redb syncs the file, not the directory: without this a power cut may take a new file
        // away together with what was acknowledged in it.
        sync_directory_of(path).map_err(|cause| fail(StorageError::new(cause)))?;
    }
    Ok(database)
}

/// Makes the directory entry of `path` durable.
pub(crate) fn sync_directory_of(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// A write transaction that is on the disk when it is committed, and whose file opens at once
/// after a crash.
pub(crate) fn begin_durable(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// The stored format of an existing file, none for a new one.
///
/// There has been one format of each file so far; the first migration goes here.
pub(crate) fn check_format(database: &Database, known: u32) -> Result<Option<()>, OpenError> {
    let meta = match database.begin_read()?.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(cause) => return Err(cause.into()),
    };
    let stored = meta.get(FORMAT_KEY)?;
    let found = stored
        .and_then(|row| row.value().try_into().ok())
        .map(u32::from_be_bytes)
        .ok_or_else(|| OpenError::Damaged("its format number is absent or cut off".into()))?;
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => Err(OpenError::NewerFormat { found, known }),
        std::cmp::Ordering::Less => Err(OpenError::OlderFormat { found, known }),
        std::cmp::Ordering::Equal => Ok(Some(())),
    }
}

/// Writes the format number of a new file.
pub(crate) fn write_format(transaction: &WriteTransaction, format: u32) -> Result<(), redb::Error> {
    let mut meta = transaction.open_table(META)?;
    meta.insert(FORMAT_KEY, format.to_be_bytes().as_slice())?;
    Ok(())
}
