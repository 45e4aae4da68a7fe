//! A redb file that goes on after its disk was full.
//!
//! Once a write has failed redb refuses everything, reads too, until the file is opened again. So
//! writes are refused here while there is still room, and if somebody else takes that room in the
//! midst of one, the file is opened again. What lies in the file is its owner's; so is starting
//! over from what the file holds then.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, ReadTransaction, ReadableDatabase, WriteTransaction};

use crate::storage::{OpenError, begin_durable, check_format, make_if_absent};

/// What must be free on the file system for a write to begin: the longest entry with all that the
/// tables make of it, several times over.
pub(crate) const ROOM: u64 = 32 * 1024 * 1024;

type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// An open file, or one that is about to be opened again.
pub(crate) struct Store {
    /// None while it cannot be opened again.
    database: RwLock<Option<Database>>,
    opener: Opener,
    /// On which file system room is looked for; none in memory.
    path: Option<PathBuf>,
    /// A write found the disk full, and the file was not opened again since.
    spent: AtomicBool,
}

impl Store {
    /// Opens the file; a new one is filled by `initialize` first.
    pub(crate) fn open(
        path: &Path,
        cache_bytes: usize,
        format: u32,
        initialize: impl FnOnce(&Database) -> Result<(), redb::Error>,
    ) -> Result<Self, OpenError> {
        make_if_absent(path, initialize)?;
        let file = path.to_owned();
        let opener = move || {
            let mut builder = Database::builder();
            builder.set_cache_size(cache_bytes).open(&file)
        };
        let database = opener().map_err(|cause| OpenError::file(path, cause))?;
        check_format(&database, format)?;
        Ok(Self::new(database, Box::new(opener), Some(path.to_owned())))
    }

    /// An empty one in memory.
    pub(crate) fn in_memory(
        initialize: impl FnOnce(&Database) -> Result<(), redb::Error>,
    ) -> Result<Self, OpenError> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new())?;
        initialize(&database)?;
        // There is no disk that could be full.
        let opener = Box::new(|| Err(DatabaseError::DatabaseAlreadyOpen));
        Ok(Self::new(database, opener, None))
    }

    fn new(database: Database, opener: Opener, path: Option<PathBuf>) -> Self {
        Self {
            database: RwLock::new(Some(database)),
            opener,
            path,
            spent: AtomicBool::new(false),
        }
    }

    /// What the file holds now.
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, redb::Error> {
        match &*self.database() {
            Some(database) => Ok(database.begin_read()?),
            None => Err(closed()),
        }
    }

    /// A durable write, if there is room for one.
    pub(crate) fn begin_write(&self) -> Result<WriteTransaction, redb::Error> {
        self.check_room()?;
        self.begin_write_regardless()
    }

    /// A durable write of what has to be written: there may be no room for it.
    pub(crate) fn begin_write_regardless(&self) -> Result<WriteTransaction, redb::Error> {
        match &*self.database() {
            Some(database) => begin_durable(database),
            None => Err(closed()),
        }
    }

    /// Whether there is room for a write, as far as the system tells.
    pub(crate) fn check_room(&self) -> Result<(), redb::Error> {
        // A file system that says nothing is found out by writing.
        let Some((path, free)) = self
            .path
            .as_ref()
            .and_then(|path| Some((path, free_bytes(path)?)))
        else {
            return Ok(());
        };
        if free >= ROOM {
            return Ok(());
        }
        let text = format!(
            "the disk is full: {} has {} MiB free, changes need {} MiB",
            path.parent().unwrap_or(path).display(),
            free / (1024 * 1024),
            ROOM / (1024 * 1024),
        );
        Err(io::Error::new(ErrorKind::StorageFull, text).into())
    }

    /// Whether a write found the disk full and [`Store::mend`] is due.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Acquire)
    }

    /// Notes how a write ended.
    pub(crate) fn note<T>(&self, outcome: Result<T, redb::Error>) -> Result<T, redb::Error> {
        if let Err(error) = &outcome {
            self.note_failure(error);
        }
        outcome
    }

    /// Notes why a write failed. After any other failure than a full disk the file stays as it is:
    /// what a disk that fails has kept is not to be guessed at.
    pub(crate) fn note_failure(&self, error: &redb::Error) {
        if is_full(error) && self.path.is_some() {
            self.spent.store(true, Ordering::Release);
        }
    }

    /// Opens the file again if that is due; true if it was. What it holds then is what was
    /// committed durably, among it perhaps the write that failed: both the syncs of a commit come
    /// after all of its writes, and neither needs room.
    pub(crate) fn mend(&self) -> Result<bool, DatabaseError> {
        if !self.is_spent() {
            return Ok(false);
        }
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.is_spent() {
            return Ok(true);
        }
        // Closed first: a file is open once at a time.
        *database = None;
        *database = Some((self.opener)()?);
        self.spent.store(false, Ordering::Release);
        if let Some(path) = &self.path {
            let path = path.display();
            tracing::warn!(%path, "the disk was full in the midst of a write: {path} is open again");
        }
        Ok(true)
    }

    fn database(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .field("spent", &self.spent)
            .finish_non_exhaustive()
    }
}

/// Whether it is for want of room.
pub(crate) fn is_full(error: &redb::Error) -> bool {
    use ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error, redb::Error::Io(cause) if matches!(cause.kind(), StorageFull | QuotaExceeded))
}

fn closed() -> redb::Error {
    let text = "the disk was full, and the file could not be opened again yet";
    io::Error::new(ErrorKind::StorageFull, text).into()
}

/// What whoever runs this may still write on the file system of a file.
fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
impl Store {
    /// One in a file that takes no more bytes than `limit` says, without looking for room before.
    pub(crate) fn limited(
        limit: std::sync::Arc<std::sync::atomic::AtomicU64>,
        initialize: impl FnOnce(&Database) -> Result<(), redb::Error>,
    ) -> Self {
        let bytes = std::sync::Arc::default();
        let opener = move || {
            let backend = tests::Limited::new(&bytes, &limit);
            Database::builder().create_with_backend(backend)
        };
        let database = opener().unwrap();
        initialize(&database).unwrap();
        // A path where nothing is: nothing is known about the room there.
        Self::new(
            database,
            Box::new(opener),
            Some(PathBuf::from("/nowhere/at/all")),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::sync::{Arc, Mutex};

    use redb::{StorageBackend, TableDefinition};

    use super::*;

    const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");

    /// A file in memory on a disk of this many bytes. Growing is free, as on most disks: room is
    /// taken by writing.
    #[derive(Debug)]
    pub(super) struct Limited {
        bytes: Arc<Mutex<Vec<u8>>>,
        limit: Arc<AtomicU64>,
    }

    impl Limited {
        pub(super) fn new(bytes: &Arc<Mutex<Vec<u8>>>, limit: &Arc<AtomicU64>) -> Self {
            let (bytes, limit) = (Arc::clone(bytes), Arc::clone(limit));
            Self { bytes, limit }
        }
    }

    impl StorageBackend for Limited {
        fn len(&self) -> io::Result<u64> {
            Ok(self.bytes.lock().unwrap().len() as u64)
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            let start = usize::try_from(offset).unwrap();
            let bytes = self.bytes.lock().unwrap();
            out.copy_from_slice(&bytes[start..start + out.len()]);
            Ok(())
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            let len = usize::try_from(len).unwrap();
            self.bytes.lock().unwrap().resize(len, 0);
            Ok(())
        }

        fn sync_data(&self) -> io::Result<()> {
            Ok(())
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            if offset + data.len() as u64 > self.limit.load(Ordering::Relaxed) {
                return Err(ErrorKind::StorageFull.into());
            }
            let start = usize::try_from(offset).unwrap();
            self.bytes.lock().unwrap()[start..start + data.len()].copy_from_slice(data);
            Ok(())
        }
    }

    fn write(store: &Store, key: u64) -> Result<(), redb::Error> {
        let written = || {
            let transaction = store.begin_write()?;
            transaction
                .open_table(ROWS)?
                .insert(key, vec![7; 10_000].as_slice())?;
            transaction.commit()?;
            Ok(())
        };
        store.note(written())
    }

    fn rows(store: &Store) -> Result<u64, redb::Error> {
        use redb::ReadableTableMetadata;
        Ok(store.begin_read()?.open_table(ROWS)?.len()?)
    }

    #[test]
    fn a_file_goes_on_once_there_is_room_again() {
        let limit = Arc::new(AtomicU64::new(2 * 1024 * 1024));
        let store = Store::limited(Arc::clone(&limit), |_| Ok(()));
        let mut written = 0;
        let error = loop {
            match write(&store, written) {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
        };
        assert!(is_full(&error) && written > 10, "{error} after {written}");
        assert!(store.is_spent());
        assert!(write(&store, written).is_err(), "redb takes nothing");
        // Mended while the disk is full: nothing is lost, nothing is taken.
        assert!(store.mend().unwrap());
        let kept = rows(&store).unwrap();
        assert!(
            kept == written || kept == written + 1,
            "{kept} of {written}"
        );
        assert!(write(&store, u64::MAX).is_err());
        assert!(store.mend().unwrap());
        assert_eq!(rows(&store).unwrap(), kept);
        limit.store(u64::MAX, Ordering::Relaxed);
        write(&store, u64::MAX).unwrap();
        assert!(!store.mend().unwrap(), "there is nothing to be mended");
        assert_eq!(rows(&store).unwrap(), kept + 1);
    }

    #[test]
    fn a_disk_that_fails_otherwise_is_left_to_the_operator() {
        let store = Store::limited(Arc::new(AtomicU64::new(u64::MAX)), |_| Ok(()));
        store.note_failure(&io::Error::other("unreadable").into());
        assert!(!store.is_spent());
        let memory = Store::in_memory(|_| Ok(())).unwrap();
        memory.note_failure(&closed());
        assert!(!memory.is_spent(), "there is nothing to open again");
    }
}
