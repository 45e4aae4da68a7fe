//! The state that results from the journal: one redb file, written by [`Tables::apply`] alone and
//! read through [`Snapshot`]s. Never the truth: whatever is lost here is read again from the
//! journal.

mod alias_sources;
mod apply;
mod blocks;
mod cidr;
mod delegation_sets;
mod digest;
mod external_aliases;
mod health_checks;
mod history;
mod layout;
mod list;
mod protections;
mod query_logging;
mod regions;
mod requests;
mod resources;
mod rows;
mod snapshot;
#[cfg(test)]
mod tests;
mod traffic_policies;
mod traffic_policy_instances;
mod vpcs;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meridian_model::Seq;
use prost::Message;
use redb::{Database, ReadTransaction, TableHandle, WriteTransaction};

pub use blocks::{SetBlock, ZoneBlock};
pub use digest::Digest;
pub use list::SetStart;
pub use snapshot::{GenerationStats, HistoryRow, ReadError, Snapshot};
pub use traffic_policy_instances::{InstanceStart, InstancesOf};

use crate::format::{AppliedRow, DecodeError, Entry, Hash};
use crate::journal::Head;
use crate::storage::{
    META, OpenError, StorageError, begin_durable, storage_errors_from_redb, write_format,
};
use crate::store::Store;
use layout::Table;
use rows::Rows;

const FORMAT: u32 = 1;
const APPLIED_KEY: &str = "applied";
/// Which of the indices that are no part of the digest are kept up with what is applied. A version
/// that knows fewer of them says so, or nothing, with all that it applies.
const INDICES: u32 = 1;
/// Entries that one transaction writes at most.
pub const MAX_ENTRIES_PER_WRITE: usize = 1000;
/// Writes after which one is made durable: what a crash costs is that many to apply again.
const WRITES_PER_SYNC: u32 = 64;

/// When what was applied is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// At least every 64 writes and on [`Tables::flush`]: enough where the journal is on the same
    /// machine, because it is replayed.
    Batched,
    /// After each write: for a node that must start without its remote journal.
    Each,
}

/// How tables are kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Memory for pages of the file.
    pub cache_bytes: usize,
    /// When what was applied is on the disk.
    pub durability: Durability,
}

/// Entries cannot be applied. Nothing of the write they were in is there.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The storage fails.
    #[error("writing the tables failed: {0}")]
    Storage(StorageError),
    /// An entry is missing or comes twice.
    #[error("entry {expected} has to be applied next, not entry {found}")]
    Gap {
        /// The next one.
        expected: Seq,
        /// The one given.
        found: Seq,
    },
    /// The entry follows another entry than the last one applied: the tables are not on the chain
    /// that is being read.
    #[error("entry {seq} follows an entry of hash {follows}, the one applied has {applied}")]
    OffChain {
        /// The one given.
        seq: Seq,
        /// What it says it follows.
        follows: Hash,
        /// What it would follow.
        applied: Hash,
    },
    /// The entry is of an earlier epoch than the last one applied.
    #[error("entry {seq} is of epoch {found}, the tables are at epoch {applied}")]
    Epoch {
        /// The one given.
        seq: Seq,
        /// Its epoch.
        found: u32,
        /// The tables'.
        applied: u32,
    },
    /// A row of the tables cannot be read.
    #[error("a row of the table '{table}' cannot be read: {cause}")]
    Row {
        /// Which table.
        table: &'static str,
        /// Why.
        cause: DecodeError,
    },
}

storage_errors_from_redb!(ApplyError);

impl ApplyError {
    fn row(table: Table, cause: DecodeError) -> Self {
        Self::Row {
            table: table.name(),
            cause,
        }
    }

    fn number(table: Table) -> Self {
        Self::row(table, DecodeError::Field("value"))
    }
}

/// What [`Tables::apply`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Up to where the tables are now.
    pub head: Head,
    /// How many entries were applied.
    pub entries: usize,
}

/// The materialised state. Shared between threads: one writes, all read.
#[derive(Debug)]
pub struct Tables {
    store: Store,
    durability: Durability,
    writer: Mutex<Writer>,
    applied: Mutex<Head>,
    advanced: Condvar,
}

#[derive(Debug)]
struct Writer {
    head: Head,
    digest: Digest,
    /// Writes since the last durable one.
    unsynced: u32,
}

impl Tables {
    /// Opens the file, or makes an empty one. It is as old as its last durable write.
    ///
    /// # Errors
    /// [`OpenError`] when the file cannot be opened, is of another format or damaged.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let store = Store::open(path, options.cache_bytes, FORMAT, create)?;
        Self::start(store, options.durability)
    }

    /// Empty tables in memory: for verification and tests.
    ///
    /// # Errors
    /// [`OpenError`] when there is no memory for them.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::start(Store::in_memory(create)?, Durability::Batched)
    }

    fn start(store: Store, durability: Durability) -> Result<Self, OpenError> {
        add_tables(&store).map_err(|error| match error {
            ApplyError::Storage(error) => OpenError::Storage(error),
            other => OpenError::Damaged(other.to_string()),
        })?;
        let (head, digest) = read_applied(&store.begin_read()?)?;
        Ok(Self {
            store,
            durability,
            writer: Mutex::new(Writer {
                head,
                digest,
                unsynced: 0,
            }),
            applied: Mutex::new(head),
            advanced: Condvar::new(),
        })
    }

    /// Applies the entries that follow, up to [`MAX_ENTRIES_PER_WRITE`] in one transaction
    /// together with the number they reach. Effects are written as they are, never refused.
    ///
    /// # Errors
    /// [`ApplyError`] when an entry does not continue the chain, or storage fails. Whole writes
    /// before it stay.
    pub fn apply(&self, entries: &[Entry]) -> Result<Applied, ApplyError> {
        let mut writer = self.begin_writing().map_err(ApplyError::Storage)?;
        for portion in entries.chunks(MAX_ENTRIES_PER_WRITE) {
            let written = self.write(&mut writer, portion);
            self.note(written)?;
        }
        Ok(Applied {
            head: writer.head,
            entries: entries.len(),
        })
    }

    fn write(&self, writer: &mut Writer, entries: &[Entry]) -> Result<(), ApplyError> {
        let mut transaction = self.store.begin_write_regardless()?;
        let sync = self.durability == Durability::Each || writer.unsynced + 1 >= WRITES_PER_SYNC;
        if !sync {
            relax(&mut transaction)?;
        }
        let mut head = writer.head;
        let mut rows = Rows::new(&transaction, writer.digest);
        for entry in entries {
            check_follows(head, entry)?;
            apply::apply_entry(&mut rows, entry)?;
            head = entry.head();
        }
        let digest = rows.digest;
        drop(rows);
        write_applied(&transaction, head, digest)?;
        transaction.commit()?;
        *writer = Writer {
            head,
            digest,
            unsynced: if sync { 0 } else { writer.unsynced + 1 },
        };
        *self.applied() = head;
        self.advanced.notify_all();
        Ok(())
    }

    /// Makes everything that was applied durable.
    ///
    /// # Errors
    /// [`ApplyError::Storage`] when storage fails.
    pub fn flush(&self) -> Result<(), ApplyError> {
        let mut writer = self.begin_writing().map_err(ApplyError::Storage)?;
        if writer.unsynced == 0 {
            return Ok(());
        }
        let write = || {
            let transaction = self.store.begin_write_regardless()?;
            write_applied(&transaction, writer.head, writer.digest)?;
            transaction.commit()?;
            Ok(())
        };
        self.note(write())?;
        writer.unsynced = 0;
        Ok(())
    }

    /// Nobody else writes as long as this is held. A file whose disk was full is open again: what
    /// was not durable in it is to be applied again.
    fn begin_writing(&self) -> Result<MutexGuard<'_, Writer>, StorageError> {
        // A failed write leaves the fields as they were, so a panic cannot leave half of them.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((head, digest)) = self.mend().map_err(OpenError::into_storage)? {
            *writer = Writer {
                head,
                digest,
                unsynced: 0,
            };
            *self.applied() = head;
        }
        Ok(writer)
    }

    fn mend(&self) -> Result<Option<(Head, Digest)>, OpenError> {
        if !self.store.mend()? {
            return Ok(None);
        }
        read_applied(&self.store.begin_read()?).map(Some)
    }

    /// Notes how a write ended.
    fn note<T>(&self, outcome: Result<T, ApplyError>) -> Result<T, ApplyError> {
        if let Err(ApplyError::Storage(error)) = &outcome {
            error.note_in(&self.store);
        }
        outcome
    }

    /// The state as it is now. It does not change under its reader.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails.
    pub fn read(&self) -> Result<Snapshot, ReadError> {
        if self.store.is_spent() {
            drop(self.begin_writing().map_err(ReadError::Storage)?);
        }
        Snapshot::new(self.store.begin_read()?)
    }

    /// Up to where the tables are.
    pub fn head(&self) -> Head {
        *self.applied()
    }

    /// Waits until the entry is applied; false when the time is over before.
    pub fn wait_applied(&self, seq: Seq, timeout: Duration) -> bool {
        let applied = self.applied();
        let (applied, _) = self
            .advanced
            .wait_timeout_while(applied, timeout, |head| head.seq < seq)
            .unwrap_or_else(PoisonError::into_inner);
        applied.seq >= seq
    }

    /// The digest by a scan over all rows: equal to [`Snapshot::digest`] unless the file or this
    /// program is faulty.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails.
    pub fn recompute_digest(&self) -> Result<Digest, ReadError> {
        self.read()?.recompute_digest()
    }

    fn applied(&self) -> MutexGuard<'_, Head> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        if let Err(cause) = self.flush() {
            tracing::warn!(%cause, "closing the tables: the last entries will be applied again");
        }
    }
}

fn relax(transaction: &mut WriteTransaction) -> Result<(), redb::Error> {
    transaction.set_durability(redb::Durability::None)?;
    // Quick repair concerns what is found after a crash: a write that no crash leaves behind
    // need not pay for it.
    transaction.set_quick_repair(false);
    Ok(())
}

/// Whether the entry continues the chain. The hash decides; the epoch may rise, because an
/// operator's restore goes on from an entry that was applied here.
fn check_follows(head: Head, entry: &Entry) -> Result<(), ApplyError> {
    let expected = Seq(head.seq.0 + 1);
    if entry.seq != expected {
        return Err(ApplyError::Gap {
            expected,
            found: entry.seq,
        });
    }
    if entry.previous != head.hash {
        return Err(ApplyError::OffChain {
            seq: entry.seq,
            follows: entry.previous,
            applied: head.hash,
        });
    }
    if entry.epoch < head.epoch {
        return Err(ApplyError::Epoch {
            seq: entry.seq,
            found: entry.epoch,
            applied: head.epoch,
        });
    }
    Ok(())
}

fn create(database: &Database) -> Result<(), redb::Error> {
    let transaction = begin_durable(database)?;
    write_format(&transaction, FORMAT)?;
    write_applied(&transaction, Head::EMPTY, Digest::default())?;
    transaction.commit()?;
    Ok(())
}

/// Makes the tables that are not there: all in a new file, those of later versions in an older one,
/// with what follows from the rows that are there. So is what an earlier version left behind as it
/// went on with a file of this one.
fn add_tables(store: &Store) -> Result<(), ApplyError> {
    let reading = store.begin_read()?;
    let tables = reading.list_tables()?;
    let present: BTreeSet<String> = tables.map(|table| table.name().to_owned()).collect();
    let applied = read_applied_row(&reading)?;
    let is_indexed = applied.as_ref().is_some_and(|row| row.indices >= INDICES);
    drop(reading);
    if is_indexed
        && Table::ALL
            .iter()
            .all(|table| present.contains(table.name()))
    {
        return Ok(());
    }
    let transaction = store.begin_write_regardless()?;
    for table in Table::ALL {
        transaction.open_table(table.definition())?;
    }
    if !present.contains(Table::ExternalAliases.name()) {
        external_aliases::count_all(&transaction)?;
    }
    if !present.contains(Table::DeletedTrafficPolicies.name()) {
        traffic_policies::find_deleted(&transaction)?;
    }
    if !is_indexed || !present.contains(Table::AliasSources.name()) {
        alias_sources::find_all(&transaction)?;
    }
    // What cannot be read is told by whoever reads it next.
    if let Some((head, digest)) = applied.and_then(applied_of) {
        write_applied(&transaction, head, digest)?;
    }
    transaction.commit()?;
    Ok(())
}

fn write_applied(
    transaction: &WriteTransaction,
    head: Head,
    digest: Digest,
) -> Result<(), redb::Error> {
    let row = AppliedRow {
        epoch: head.epoch,
        seq: head.seq.0,
        hash: head.hash.0.to_vec(),
        digest: digest.to_bytes().to_vec(),
        indices: INDICES,
    };
    let mut meta = transaction.open_table(META)?;
    meta.insert(APPLIED_KEY, row.encode_to_vec().as_slice())?;
    Ok(())
}

fn read_applied(transaction: &ReadTransaction) -> Result<(Head, Digest), OpenError> {
    let meta = transaction.open_table(META)?;
    let row = meta.get(APPLIED_KEY)?;
    row.and_then(|row| decode_applied(row.value()))
        .ok_or_else(|| OpenError::Damaged("up to where the tables are is not readable".into()))
}

fn read_applied_row(transaction: &ReadTransaction) -> Result<Option<AppliedRow>, redb::Error> {
    let meta = transaction.open_table(META)?;
    let row = meta.get(APPLIED_KEY)?;
    Ok(row.and_then(|row| AppliedRow::decode(row.value()).ok()))
}

fn decode_applied(bytes: &[u8]) -> Option<(Head, Digest)> {
    applied_of(AppliedRow::decode(bytes).ok()?)
}

fn applied_of(row: AppliedRow) -> Option<(Head, Digest)> {
    let head = Head {
        epoch: row.epoch,
        seq: Seq(row.seq),
        hash: Hash(row.hash.try_into().ok()?),
    };
    Some((head, Digest::from_bytes(row.digest.try_into().ok()?)))
}
