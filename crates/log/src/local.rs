//! The journal of a machine on its own: one redb file, entries by number, the head beside them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meridian_model::{Seq, Timestamp};
use prost::Message;
use redb::{Database, ReadTransaction, ReadableTable, TableDefinition};

use crate::format::{Commit, Entry, Hash, LEVEL};
use crate::journal::{AppendError, Head, Journal, JournalError, MAX_ENTRY_BYTES, MAX_READ_BYTES};
use crate::storage::{META, OpenError, StorageError, begin_durable, write_format};
use crate::store::Store;

const FORMAT: u32 = 1;
/// Entries are read once, in order: a cache would only hold what nobody asks for again.
const CACHE_BYTES: usize = 16 * 1024 * 1024;
pub(crate) const ENTRIES: TableDefinition<'static, u64, &'static [u8]> =
    TableDefinition::new("entries");
const HEAD_KEY: &str = "head";

/// A journal in a file. One process at a time has it open.
#[derive(Debug)]
pub struct LocalJournal {
    store: Store,
    /// Held while an entry is written, so that heads are compared and replaced by one at a time.
    writer: Mutex<()>,
    tail: Mutex<Tail>,
    /// The tail has grown, or waiting is over.
    grown: Condvar,
    waits_ended: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Tail {
    head: Head,
    time: Timestamp,
    /// The level that the operator finalized.
    level: u16,
}

#[derive(Clone, PartialEq, Message)]
struct HeadMessage {
    #[prost(uint32, tag = "1")]
    epoch: u32,
    #[prost(uint64, tag = "2")]
    seq: u64,
    #[prost(bytes = "vec", tag = "3")]
    hash: Vec<u8>,
    #[prost(uint32, tag = "4")]
    level: u32,
}

impl LocalJournal {
    /// Opens the file, or makes an empty one. The stored head must be that of the last entry;
    /// whether the whole chain holds is asked by [`crate::verify()`].
    ///
    /// # Errors
    /// [`OpenError`] when the file cannot be opened, is of another format or damaged.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::start(Store::open(path, CACHE_BYTES, FORMAT, create)?)
    }

    /// An empty journal in memory, for tests and trials.
    ///
    /// # Errors
    /// [`OpenError`] when there is no memory for it.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::start(Store::in_memory(create)?)
    }

    fn start(store: Store) -> Result<Self, OpenError> {
        let tail = read_tail(&store.begin_read()?)?;
        Ok(Self {
            store,
            writer: Mutex::new(()),
            tail: Mutex::new(tail),
            grown: Condvar::new(),
            waits_ended: AtomicBool::new(false),
        })
    }

    #[cfg(test)]
    pub(crate) fn file(&self) -> &Store {
        &self.store
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        // The tail is replaced as a whole, so a panic elsewhere cannot leave half of one.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, entry: &Entry, bytes: &[u8], level: u16) -> Result<(), redb::Error> {
        let transaction = self.store.begin_write()?;
        transaction
            .open_table(ENTRIES)?
            .insert(entry.seq.0, bytes)?;
        transaction
            .open_table(META)?
            .insert(HEAD_KEY, head_bytes(entry.head(), level).as_slice())?;
        transaction.commit()?;
        Ok(())
    }

    fn store_level(&self, head: Head, level: u16) -> Result<(), redb::Error> {
        let transaction = self.store.begin_write()?;
        transaction
            .open_table(META)?
            .insert(HEAD_KEY, head_bytes(head, level).as_slice())?;
        transaction.commit()?;
        Ok(())
    }

    /// Nobody else writes as long as this is held. A file whose disk was full is open again, with
    /// the head that it has: an entry that could not be confirmed may be in it.
    fn begin_writing(&self) -> Result<MutexGuard<'_, ()>, StorageError> {
        let writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = self.mend().map_err(OpenError::into_storage)? {
            *self.tail() = tail;
            self.grown.notify_all();
        }
        Ok(writing)
    }

    /// Appends an entry that begins the next epoch: a chain that was restored goes on from here,
    /// and whoever holds entries of the old one behind this place is not on it any more.
    pub(crate) fn begin_epoch(
        &self,
        commit: Commit,
        time: Timestamp,
    ) -> Result<Entry, StorageError> {
        let _writing = self.begin_writing()?;
        let Tail {
            head,
            time: last,
            level,
        } = *self.tail();
        let head = Head {
            epoch: head.epoch.saturating_add(1),
            ..head
        };
        let (entry, bytes) = Entry::after(head, time.max(last), vec![commit]);
        let stored = self.store.note(self.store(&entry, &bytes, level));
        stored.map_err(StorageError::new)?;
        *self.tail() = Tail {
            head: entry.head(),
            time: entry.time,
            level,
        };
        Ok(entry)
    }

    fn mend(&self) -> Result<Option<Tail>, OpenError> {
        if !self.store.mend()? {
            return Ok(None);
        }
        read_tail(&self.store.begin_read()?).map(Some)
    }
}

impl Journal for LocalJournal {
    fn head(&self) -> Result<Head, JournalError> {
        Ok(self.tail().head)
    }

    fn append(
        &self,
        expected: Head,
        commits: Vec<Commit>,
        time: Timestamp,
    ) -> Result<Head, AppendError> {
        let _writing = self.begin_writing().map_err(AppendError::Storage)?;
        let Tail {
            head,
            time: last,
            level,
        } = *self.tail();
        if head != expected {
            return Err(AppendError::Conflict { head });
        }
        let (entry, bytes) = Entry::after(head, time.max(last), commits);
        if entry.level > level {
            return Err(AppendError::Level {
                needed: entry.level,
                finalized: level,
            });
        }
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(AppendError::TooLarge { bytes: bytes.len() });
        }
        // After an I/O error redb refuses everything until the file is opened again, which reads
        // the head anew: an entry of unknown outcome is never followed by another one under the
        // same number.
        self.store.note(self.store(&entry, &bytes, level))?;
        *self.tail() = Tail {
            head: entry.head(),
            time: entry.time,
            level,
        };
        self.grown.notify_all();
        Ok(entry.head())
    }

    fn level(&self) -> Result<u16, JournalError> {
        Ok(self.tail().level)
    }

    fn finalize(&self) -> Result<u16, StorageError> {
        let _writing = self.begin_writing()?;
        let Tail { head, level, .. } = *self.tail();
        if level < LEVEL {
            let stored = self.store.note(self.store_level(head, LEVEL));
            stored.map_err(StorageError::new)?;
            self.tail().level = LEVEL;
        }
        Ok(LEVEL)
    }

    fn check(&self) -> Result<(), StorageError> {
        if self.store.is_spent() {
            drop(self.begin_writing()?);
        }
        self.store.check_room().map_err(StorageError::new)
    }

    fn read(&self, after: Seq, max_entries: usize) -> Result<Vec<Entry>, JournalError> {
        let Some(first) = after.0.checked_add(1) else {
            return Ok(Vec::new());
        };
        let table = self.store.begin_read()?.open_table(ENTRIES)?;
        let mut entries = Vec::new();
        let mut total = 0;
        for row in table.range(first..)?.take(max_entries.max(1)) {
            let (key, value) = row?;
            let seq = Seq(key.value());
            total += value.value().len();
            if total > MAX_READ_BYTES && !entries.is_empty() {
                break;
            }
            let entry = Entry::decode(value.value())
                .map_err(|cause| JournalError::Unreadable { seq, cause })?;
            if entry.seq != seq {
                return Err(JournalError::Misplaced {
                    seq,
                    found: entry.seq,
                });
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn wait(&self, after: Seq, timeout: Duration) -> Seq {
        let tail = self.tail();
        self.grown
            .wait_timeout_while(tail, timeout, |tail| {
                tail.head.seq <= after && !self.waits_ended.load(Ordering::Relaxed)
            })
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .head
            .seq
    }

    fn end_waits(&self) {
        // Under the lock, so that nobody has looked and does not sleep yet.
        let _tail = self.tail();
        self.waits_ended.store(true, Ordering::Relaxed);
        self.grown.notify_all();
    }
}

/// A new journal that gets the entries of another one, as they are.
pub(crate) struct JournalCopy {
    database: Database,
    level: u16,
}

impl JournalCopy {
    /// An empty journal in a new file, finalized for this level.
    pub(crate) fn begin(path: &Path, level: u16) -> Result<Self, OpenError> {
        let database = Database::create(path)?;
        create_at(&database, level)?;
        Ok(Self { database, level })
    }

    /// Adds entries, of which the first has this number and the last is `head`. That they are a
    /// chain is the caller's to know.
    pub(crate) fn put(
        &self,
        first: Seq,
        entries: &[Vec<u8>],
        head: Head,
    ) -> Result<(), redb::Error> {
        let transaction = begin_durable(&self.database)?;
        let mut table = transaction.open_table(ENTRIES)?;
        for (seq, bytes) in (first.0..).zip(entries) {
            table.insert(seq, bytes.as_slice())?;
        }
        drop(table);
        transaction
            .open_table(META)?
            .insert(HEAD_KEY, head_bytes(head, self.level).as_slice())?;
        transaction.commit()?;
        Ok(())
    }
}

fn head_bytes(head: Head, level: u16) -> Vec<u8> {
    HeadMessage {
        epoch: head.epoch,
        seq: head.seq.0,
        hash: head.hash.0.to_vec(),
        level: u32::from(level),
    }
    .encode_to_vec()
}

fn create(database: &Database) -> Result<(), redb::Error> {
    create_at(database, LEVEL)
}

fn create_at(database: &Database, level: u16) -> Result<(), redb::Error> {
    let transaction = begin_durable(database)?;
    write_format(&transaction, FORMAT)?;
    transaction.open_table(ENTRIES)?;
    transaction
        .open_table(META)?
        .insert(HEAD_KEY, head_bytes(Head::EMPTY, level).as_slice())?;
    transaction.commit()?;
    Ok(())
}

/// Reads the head and compares it with the last entry.
fn read_tail(transaction: &ReadTransaction) -> Result<Tail, OpenError> {
    let damaged = |what: String| Err(OpenError::Damaged(what));
    let meta = transaction.open_table(META)?;
    let row = meta.get(HEAD_KEY)?;
    let Some(Ok(stored)) = row.map(|row| HeadMessage::decode(row.value())) else {
        return damaged("the head of the journal is absent or unreadable".into());
    };
    let Ok(hash) = <[u8; 32]>::try_from(stored.hash.as_slice()) else {
        return damaged("the head of the journal has no hash".into());
    };
    let Some(level) = u16::try_from(stored.level).ok().filter(|l| *l <= LEVEL) else {
        return Err(OpenError::NewerLevel {
            found: stored.level,
            known: LEVEL,
        });
    };
    let head = Head {
        epoch: stored.epoch,
        seq: Seq(stored.seq),
        hash: Hash(hash),
    };
    let entries = transaction.open_table(ENTRIES)?;
    let Some((key, value)) = entries.last()? else {
        if head.seq != Seq(0) {
            return damaged(format!("the head is entry {}, but there is none", head.seq));
        }
        return Ok(Tail {
            head,
            time: Timestamp(i64::MIN),
            level,
        });
    };
    let (found, actual) = (key.value(), Hash::of(value.value()));
    if (found, actual) != (head.seq.0, head.hash) {
        return damaged(format!(
            "the head is entry {} with hash {}, the last entry is {found} with hash {actual}",
            head.seq, head.hash
        ));
    }
    let last = match Entry::decode(value.value()) {
        Ok(last) => last,
        Err(cause) => return damaged(format!("the last entry, {found}: {cause}")),
    };
    Ok(Tail {
        head,
        time: last.time,
        level,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use meridian_model::{Effect, ZoneId};

    use super::*;

    /// The file as a version left it that understood this level.
    fn of_level(path: &Path, level: u16) -> LocalJournal {
        let store = Store::open(path, CACHE_BYTES, FORMAT, |new| create_at(new, level));
        LocalJournal::start(store.unwrap()).unwrap()
    }

    fn commit() -> Commit {
        Commit {
            request_id: String::new(),
            account: None,
            principal: String::new(),
            source: String::new(),
            retry: None,
            effects: vec![Effect::DeleteZone(ZoneId::new("Z1").unwrap())],
        }
    }

    #[test]
    fn effects_of_a_level_above_the_finalized_one_wait_for_the_operator() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.redb");
        // One below the lowest level there is: any effect is above it.
        let journal = of_level(&path, 0);
        let empty = journal.append(Head::EMPTY, vec![], Timestamp(1));
        assert!(matches!(
            empty,
            Err(AppendError::Level {
                needed: 1,
                finalized: 0
            })
        ));
        let refused = journal.append(Head::EMPTY, vec![commit()], Timestamp(1));
        assert!(matches!(
            refused,
            Err(AppendError::Level {
                needed: 1,
                finalized: 0
            })
        ));
        assert_eq!(journal.head().unwrap(), Head::EMPTY);
        assert_eq!(journal.finalize().unwrap(), LEVEL);
        assert_eq!(journal.level().unwrap(), LEVEL);
        let head = journal
            .append(Head::EMPTY, vec![commit()], Timestamp(1))
            .unwrap();
        drop(journal);
        let journal = LocalJournal::open(&path).unwrap();
        assert_eq!(journal.level().unwrap(), LEVEL, "it is on the disk");
        assert_eq!(journal.head().unwrap(), head, "and the head is as it was");
        assert_eq!(journal.finalize().unwrap(), LEVEL, "twice is as once");
    }

    #[test]
    fn a_journal_of_an_earlier_version_keeps_its_level_until_it_is_finalized() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.redb");
        let head = of_level(&path, 1)
            .append(Head::EMPTY, vec![commit()], Timestamp(1))
            .unwrap();
        let journal = LocalJournal::open(&path).unwrap();
        assert_eq!(journal.level().unwrap(), 1);
        journal.append(head, vec![commit()], Timestamp(2)).unwrap();
        assert_eq!(journal.level().unwrap(), 1, "appending leaves the level");
        let stored = || read_tail(&journal.file().begin_read().unwrap()).unwrap();
        assert_eq!(stored().level, 1);
        journal.finalize().unwrap();
        assert_eq!(stored().level, LEVEL);
    }

    #[test]
    fn a_full_disk_refuses_entries_loses_none_and_takes_more_once_there_is_room() {
        let limit = Arc::new(AtomicU64::new(2 * 1024 * 1024));
        let journal = LocalJournal::start(Store::limited(Arc::clone(&limit), create)).unwrap();
        let (mut head, mut refused) = (Head::EMPTY, 0);
        while refused < 5 {
            match journal.append(head, vec![commit(); 500], Timestamp(1)) {
                Ok(appended) => head = appended,
                // What could not be confirmed may be there all the same.
                Err(AppendError::Conflict { head: found }) if refused > 0 => {
                    assert_eq!(found.seq.0, head.seq.0 + 1);
                    head = found;
                }
                Err(AppendError::Storage(error)) if error.is_full() => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(head.seq > Seq(5), "{}", head.seq);
        journal.check().unwrap();
        let before = journal.head().unwrap();
        assert!(before == head || before.seq.0 == head.seq.0 + 1);
        limit.store(u64::MAX, Ordering::Relaxed);
        journal
            .append(before, vec![commit()], Timestamp(1))
            .unwrap();
        let report = crate::verify(&journal, None).unwrap();
        assert_eq!(report.head.seq.0, before.seq.0 + 1);
    }
}
