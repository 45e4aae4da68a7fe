//! Lists: pages in the order of their keys, and whole scans by callback.

use std::ops::ControlFlow;

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccessKey, Account, AccountId, Generation, RecordSet, Seq, TagSet, TaggedKind, Timestamp,
    UnseenGeneration, User, Zone, ZoneId, labels_in_common,
};
use prost::Message;

use super::layout::{self, Table, after_prefix};
use super::snapshot::{HistoryRow, ReadError, Snapshot};
use crate::format::{DecodeError, HistoryMessage, Stored};

/// Where a list of record sets starts: at the first set that is not before this.
#[derive(Debug, Clone, Copy)]
pub struct SetStart<'a> {
    /// The name, in lower case.
    pub name: &'a Name,
    /// The type at that name; without one, all of them.
    pub rtype: Option<RecordType>,
    /// The identifier at that type; meaningless without one.
    pub identifier: Option<&'a str>,
}

impl Snapshot {
    /// The account's zones from this id on, by id.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn zones_of(
        &self,
        account: &AccountId,
        from: Option<&ZoneId>,
        limit: usize,
    ) -> Result<Vec<Zone>, ReadError> {
        let prefix = layout::of_account(account);
        let start = from.map_or_else(|| prefix.clone(), |id| layout::account_zone(account, id));
        self.indexed_zones(Table::AccountZones, &prefix, &start, limit)
    }

    /// The account's zones from this name on, and at it from this id on, by name and id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn zones_of_by_name(
        &self,
        account: &AccountId,
        from: Option<(&Name, Option<&ZoneId>)>,
        limit: usize,
    ) -> Result<Vec<Zone>, ReadError> {
        let prefix = layout::of_account(account);
        let start = match from {
            None => prefix.clone(),
            Some((name, None)) => layout::in_account(account, &name.sort_key()),
            Some((name, Some(id))) => layout::account_zone_name(account, name, id),
        };
        self.indexed_zones(Table::AccountZoneNames, &prefix, &start, limit)
    }

    /// Hands every zone of every account to `each`, by id, until it breaks.
    ///
    /// # Errors
    /// As for all methods.
    pub fn each_zone(
        &self,
        mut each: impl FnMut(Zone) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.scan(Table::Zones, b"", b"", |_, value| {
            Ok(each(stored(Table::Zones, value)?))
        })
    }

    /// The generation's sets from a start on, in Route 53's order.
    ///
    /// # Errors
    /// As for all methods.
    pub fn sets_from(
        &self,
        generation: Generation,
        from: Option<SetStart<'_>>,
        limit: usize,
    ) -> Result<Vec<RecordSet>, ReadError> {
        let prefix = layout::generation(generation);
        let start = set_start(generation, from);
        self.scan_stored(Table::Sets, &prefix, &start, limit)
    }

    /// The same without those that are hidden.
    ///
    /// # Errors
    /// As for all methods.
    pub fn listed_sets_from(
        &self,
        generation: Generation,
        from: Option<SetStart<'_>>,
        limit: usize,
    ) -> Result<Vec<RecordSet>, ReadError> {
        let prefix = layout::generation(generation);
        let start = set_start(generation, from);
        let mut found = Vec::new();
        self.scan(Table::Sets, &prefix, &start, |_, value| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let set: RecordSet = stored(Table::Sets, value)?;
            if !set.is_hidden() {
                found.push(set);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Hands every set of the generation to `each`, in Route 53's order, until it breaks.
    ///
    /// # Errors
    /// As for all methods.
    pub fn each_set(
        &self,
        generation: Generation,
        mut each: impl FnMut(RecordSet) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let prefix = layout::generation(generation);
        self.scan(Table::Sets, &prefix, &prefix, |_, value| {
            Ok(each(stored(Table::Sets, value)?))
        })
    }

    /// All generations that no zone points to, by number.
    ///
    /// # Errors
    /// As for all methods.
    pub fn unseen_generations(&self) -> Result<Vec<UnseenGeneration>, ReadError> {
        self.scan_stored(Table::UnseenGenerations, b"", b"", usize::MAX)
    }

    /// Hands the tags of everything of this kind to `each`, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn each_tag_set(
        &self,
        kind: TaggedKind,
        mut each: impl FnMut(TagSet),
    ) -> Result<(), ReadError> {
        let prefix = layout::tags_of(kind);
        self.scan(Table::Tags, &prefix, &prefix, |_, value| {
            each(stored(Table::Tags, value)?);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// All accounts, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn accounts(&self) -> Result<Vec<Account>, ReadError> {
        self.scan_stored(Table::Accounts, b"", b"", usize::MAX)
    }

    /// The account's users, by name.
    ///
    /// # Errors
    /// As for all methods.
    pub fn users(&self, account: &AccountId) -> Result<Vec<User>, ReadError> {
        let prefix = layout::of_account(account);
        self.scan_stored(Table::Users, &prefix, &prefix, usize::MAX)
    }

    /// The account's access keys, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn access_keys(&self, account: &AccountId) -> Result<Vec<AccessKey>, ReadError> {
        let prefix = layout::of_account(account);
        let mut keys = Vec::new();
        self.scan(Table::AccountKeys, &prefix, &prefix, |key, _| {
            let row = self.stored(Table::AccessKeys, after_last_zero(key))?;
            keys.push(row.ok_or_else(|| ReadError::broken(Table::AccessKeys))?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(keys)
    }

    /// The zone's history after an entry, oldest first. That of a deleted zone stays.
    ///
    /// # Errors
    /// As for all methods.
    pub fn history(
        &self,
        zone: &ZoneId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, ReadError> {
        let Some(first) = after.0.checked_add(1) else {
            return Ok(Vec::new());
        };
        let prefix = layout::history_of(zone);
        let start = layout::history(zone, Seq(first), 0);
        let mut rows = Vec::new();
        self.scan(Table::History, &prefix, &start, |key, value| {
            if rows.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let row = history_row(&key[prefix.len()..], value);
            rows.push(row.map_err(|cause| ReadError::row(Table::History, cause))?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    /// The zone's history before a commit, which is an entry and a place in it, newest first.
    ///
    /// # Errors
    /// As for all methods.
    pub fn history_back(
        &self,
        zone: &ZoneId,
        (seq, commit): (Seq, u32),
        limit: usize,
    ) -> Result<Vec<HistoryRow>, ReadError> {
        let prefix = layout::history_of(zone);
        let end = layout::history(zone, seq, commit);
        let table = self.table(Table::History)?;
        let rows = table.range(prefix.as_slice()..end.as_slice())?.rev();
        let mut found = Vec::new();
        for row in rows.take(limit) {
            let (key, value) = row?;
            let row = history_row(&key.value()[prefix.len()..], value.value());
            found.push(row.map_err(|cause| ReadError::row(Table::History, cause))?);
        }
        Ok(found)
    }

    /// The zones that rows of an index name: an index row ends with a zero and the zone's id.
    pub(super) fn indexed_zones(
        &self,
        index: Table,
        prefix: &[u8],
        start: &[u8],
        limit: usize,
    ) -> Result<Vec<Zone>, ReadError> {
        self.scan_indexed((index, Table::Zones), prefix, start, limit)
    }

    /// The rows of a table that rows of an index name: those end with a zero and the row's key.
    pub(super) fn scan_indexed<T: Stored>(
        &self,
        (index, named): (Table, Table),
        prefix: &[u8],
        start: &[u8],
        limit: usize,
    ) -> Result<Vec<T>, ReadError> {
        let mut found = Vec::new();
        let table = self.table(named)?;
        self.scan(index, prefix, start, |key, _| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let row = table.get(after_last_zero(key))?;
            let row = row.ok_or_else(|| ReadError::broken(index))?;
            found.push(stored(named, row.value())?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The rows of a table whose keys are the values of an index.
    pub(super) fn scan_named<T: Stored>(
        &self,
        (index, named): (Table, Table),
        prefix: &[u8],
        start: &[u8],
        limit: usize,
    ) -> Result<Vec<T>, ReadError> {
        let mut found = Vec::new();
        self.scan(index, prefix, start, |_, key| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let row = self.stored(named, key)?;
            found.push(row.ok_or_else(|| ReadError::broken(index))?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    pub(super) fn scan_stored<T: Stored>(
        &self,
        table: Table,
        prefix: &[u8],
        start: &[u8],
        limit: usize,
    ) -> Result<Vec<T>, ReadError> {
        let mut found = Vec::new();
        self.scan(table, prefix, start, |_, value| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            found.push(stored(table, value)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// How many labels, from the root on, a name has in common with those that follow a prefix in the
    /// keys of a table. In their order those that have most stand beside it.
    pub(super) fn labels_in_common(
        &self,
        table: Table,
        prefix: &[u8],
        name: &Name,
    ) -> Result<usize, ReadError> {
        let sort_key = name.sort_key();
        let at = [prefix, sort_key.as_bytes()].concat();
        let table = self.table(table)?;
        let before = table.range(prefix..at.as_slice())?.next_back();
        let from = table.range(at.as_slice()..)?.next();
        let mut most = 0;
        for row in before.into_iter().chain(from) {
            let (key, _) = row?;
            if let Some(rest) = key.value().strip_prefix(prefix) {
                // What follows the name begins with a zero byte, which no name has.
                most = most.max(labels_in_common(rest, sort_key.as_bytes()));
            }
        }
        Ok(most)
    }

    /// Visits the rows under `prefix` from `start` on.
    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        start: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        let table = self.table(table)?;
        let range = match after_prefix(prefix) {
            Some(end) => table.range(start..end.as_slice())?,
            None => table.range(start..)?,
        };
        for row in range {
            let (key, value) = row?;
            if visit(key.value(), value.value())?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The lowest key of the generation's sets from a start on.
fn set_start(generation: Generation, from: Option<SetStart<'_>>) -> Vec<u8> {
    from.map_or_else(
        || layout::generation(generation),
        |from| layout::set_from(generation, from.name, from.rtype, from.identifier),
    )
}

fn stored<T: Stored>(table: Table, value: &[u8]) -> Result<T, ReadError> {
    T::from_bytes(value).map_err(|cause| ReadError::row(table, cause))
}

fn after_last_zero(key: &[u8]) -> &[u8] {
    key.rsplit(|byte| *byte == 0).next().unwrap_or(key)
}

pub(super) fn zone_id(table: Table, bytes: &[u8]) -> Result<ZoneId, ReadError> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| ZoneId::new(text).ok())
        .ok_or_else(|| ReadError::broken(table))
}

/// `place` is the key after the zone: entry and commit.
fn history_row(place: &[u8], value: &[u8]) -> Result<HistoryRow, DecodeError> {
    let numbers = place.split_first_chunk::<8>();
    let (seq, commit) = numbers.ok_or(DecodeError::Field("history key"))?;
    let commit = <[u8; 4]>::try_from(commit).map_err(|_| DecodeError::Field("history key"))?;
    let message = HistoryMessage::decode(value)?;
    let before = message.before.into_iter().map(|before| before.into_set());
    Ok(HistoryRow {
        seq: Seq(u64::from_be_bytes(*seq)),
        commit: u32::from_be_bytes(commit),
        principal: message.principal,
        time: Timestamp(message.time),
        previous_generation: message.previous_generation.map(Generation),
        before: before.collect::<Result<_, _>>()?,
    })
}
