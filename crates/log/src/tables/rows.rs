//! Reading and writing rows inside one write transaction, with the digest kept up to date.

use std::cell::OnceCell;
use std::ops::Bound;

use meridian_model::{Generation, RecordSet};
use prost::Message;
use redb::{ReadableTable, WriteTransaction};

use super::ApplyError;
use super::digest::Digest;
use super::layout::{Table, after_prefix};
use crate::format::Stored;

/// Sets that are read at a time when all are visited.
const SETS_AT_A_TIME: usize = 10_000;

/// A key and its value.
pub(super) type Row = (Vec<u8>, Vec<u8>);

type OpenTable<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

/// All tables of one write transaction, each opened when it is first needed: an entry touches few.
pub(super) struct Rows<'txn> {
    transaction: &'txn WriteTransaction,
    /// By the tables' numbers.
    tables: Box<[OnceCell<OpenTable<'txn>>]>,
    pub(super) digest: Digest,
}

impl<'txn> Rows<'txn> {
    pub(super) fn new(transaction: &'txn WriteTransaction, digest: Digest) -> Self {
        Self {
            transaction,
            tables: (0..=u8::MAX).map(|_| OnceCell::new()).collect(),
            digest,
        }
    }

    fn table(&self, table: Table) -> Result<&OpenTable<'txn>, redb::Error> {
        let cell = &self.tables[usize::from(table.number())];
        if let Some(open) = cell.get() {
            return Ok(open);
        }
        let open = self.transaction.open_table(table.definition())?;
        Ok(cell.get_or_init(|| open))
    }

    fn table_mut(&mut self, table: Table) -> Result<&mut OpenTable<'txn>, redb::Error> {
        self.table(table)?;
        let cell = &mut self.tables[usize::from(table.number())];
        Ok(cell.get_mut().expect("it was opened just now"))
    }

    /// Writes a row and returns the value it had.
    pub(super) fn put(
        &mut self,
        table: Table,
        key: &[u8],
        value: &[u8],
    ) -> Result<Option<Vec<u8>>, redb::Error> {
        let old = self.table_mut(table)?.insert(key, value)?;
        let old = old.map(|guard| guard.value().to_vec());
        if table.is_digested() {
            self.forget(table, key, old.as_deref());
            self.digest.add(Digest::of_row(table.number(), key, value));
        }
        Ok(old)
    }

    /// Removes a row and returns the value it had.
    pub(super) fn delete(
        &mut self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, redb::Error> {
        let old = self.table_mut(table)?.remove(key)?;
        let old = old.map(|guard| guard.value().to_vec());
        if table.is_digested() {
            self.forget(table, key, old.as_deref());
        }
        Ok(old)
    }

    fn forget(&mut self, table: Table, key: &[u8], old: Option<&[u8]>) {
        if let Some(old) = old {
            self.digest
                .subtract(Digest::of_row(table.number(), key, old));
        }
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, redb::Error> {
        let row = self.table(table)?.get(key)?;
        Ok(row.map(|guard| guard.value().to_vec()))
    }

    /// A row as the model's type.
    pub(super) fn get_stored<T: Stored>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<T>, ApplyError> {
        let row = self.get(table, key)?;
        row.map(|bytes| T::from_bytes(&bytes))
            .transpose()
            .map_err(|cause| ApplyError::row(table, cause))
    }

    /// A row as a message.
    pub(super) fn get_message<M: Message + Default>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<M>, ApplyError> {
        let row = self.get(table, key)?;
        row.map(|bytes| M::decode(bytes.as_slice()))
            .transpose()
            .map_err(|cause| ApplyError::row(table, cause.into()))
    }

    /// A row that holds a number; 0 when there is none.
    pub(super) fn number(&self, table: Table, key: &[u8]) -> Result<u64, ApplyError> {
        match self.get(table, key)? {
            Some(bytes) => number(&bytes).ok_or_else(|| ApplyError::number(table)),
            None => Ok(0),
        }
    }

    /// Adds one to a counter.
    pub(super) fn count_up(&mut self, counter: &[u8]) -> Result<(), ApplyError> {
        let count = self.number(Table::Counters, counter)?.saturating_add(1);
        self.put(Table::Counters, counter, &count.to_be_bytes())?;
        Ok(())
    }

    /// Takes one from a counter. One that comes to nothing is no row.
    pub(super) fn count_down(&mut self, counter: &[u8]) -> Result<(), ApplyError> {
        match self.number(Table::Counters, counter)? {
            0 | 1 => self.delete(Table::Counters, counter)?,
            count => self.put(Table::Counters, counter, &(count - 1).to_be_bytes())?,
        };
        Ok(())
    }

    /// What `read` makes of the value of the first row under a prefix, without a copy of it.
    pub(super) fn read_first<T>(
        &self,
        table: Table,
        prefix: &[u8],
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, redb::Error> {
        let table = self.table(table)?;
        let Some(row) = table.range(prefix..)?.next() else {
            return Ok(None);
        };
        let (key, value) = row?;
        Ok(key.value().starts_with(prefix).then(|| read(value.value())))
    }

    /// The first rows under a prefix, at most `limit`.
    pub(super) fn first(
        &self,
        table: Table,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, redb::Error> {
        let table = self.table(table)?;
        let range = match after_prefix(prefix) {
            Some(end) => table.range(prefix..end.as_slice())?,
            None => table.range(prefix..)?,
        };
        range
            .take(limit)
            .map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }

    /// The first rows behind a key, or of all, at most `limit`.
    pub(super) fn after(
        &self,
        table: Table,
        key: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, redb::Error> {
        let start = key.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self
            .table(table)?
            .range::<&[u8]>((start, Bound::Unbounded))?;
        rows.take(limit)
            .map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }

    /// Visits all record sets, of every generation, a portion at a time, so that what is found of them
    /// may be written meanwhile.
    pub(super) fn each_set(
        &mut self,
        mut visit: impl FnMut(&mut Self, Generation, &RecordSet) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let mut after: Option<Vec<u8>> = None;
        // Ends with the sets.
        loop {
            let portion = self.after(Table::Sets, after.as_deref(), SETS_AT_A_TIME)?;
            for (key, row) in &portion {
                let set = RecordSet::from_bytes(row)
                    .map_err(|cause| ApplyError::row(Table::Sets, cause))?;
                // Keys of sets begin with it.
                let generation = key.first_chunk().copied().map(u64::from_be_bytes);
                let generation = generation.ok_or_else(|| ApplyError::number(Table::Sets))?;
                visit(self, Generation(generation), &set)?;
            }
            match portion.into_iter().next_back() {
                Some((key, _)) => after = Some(key),
                None => return Ok(()),
            }
        }
    }

    /// The keys of the first rows under a prefix, at most `limit`.
    pub(super) fn first_keys(
        &self,
        table: Table,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, redb::Error> {
        let table = self.table(table)?;
        let range = match after_prefix(prefix) {
            Some(end) => table.range(prefix..end.as_slice())?,
            None => table.range(prefix..)?,
        };
        range
            .take(limit)
            .map(|row| row.map(|(key, _)| key.value().to_vec()))
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }
}

/// A stored number.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
