//! Traffic policies in the tables: writing and reading their versions, and what these come to as a
//! whole. Rows of policies stay for ever, those of versions until they are forgotten, which only
//! deleted ones are; those of indices are of policies that have a version that was not deleted.

use std::ops::ControlFlow;

use meridian_model::{AccountId, Seq, TrafficPolicy, TrafficPolicyId, TrafficPolicySummary};
use prost::Message;
use redb::WriteTransaction;

use super::ApplyError;
use super::digest::Digest;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::traffic_policy_id;
use crate::format::{LiveVersion, Stored, TrafficPolicyRow, account_id, record_type};

/// Versions that are read at a time: a document may have 400 KiB.
const FOUND_AT_A_TIME: usize = 100;

/// Writes a version, with the policy it belongs to. What its first version says of account and name
/// holds for the policy.
pub(super) fn put(rows: &mut Rows<'_>, seq: Seq, policy: &TrafficPolicy) -> Result<(), ApplyError> {
    let key = layout::traffic_policy_version(&policy.id, policy.version);
    let old = rows.put(Table::TrafficPolicyVersions, &key, &policy.to_bytes())?;
    note_deleted(rows, seq, old.as_deref(), policy)?;
    let key = layout::traffic_policy(&policy.id);
    let known: Option<TrafficPolicyRow> = rows.get_message(Table::TrafficPolicies, &key)?;
    let mut row = known.unwrap_or_else(|| TrafficPolicyRow {
        account: policy.account.as_str().into(),
        name: policy.name.clone(),
        created: seq.0,
        ..TrafficPolicyRow::default()
    });
    let was_live = !row.live.is_empty();
    row.last_version = row.last_version.max(policy.version);
    row.live.retain(|live| live.version != policy.version);
    if !policy.deleted {
        let after = row
            .live
            .partition_point(|live| live.version < policy.version);
        let live = LiveVersion {
            version: policy.version,
            rtype: policy.rtype.code().into(),
        };
        row.live.insert(after, live);
    }
    rows.put(Table::TrafficPolicies, &key, &row.encode_to_vec())?;
    index(rows, &policy.id, &row, was_live)
}

/// Marks a version as deleted, if it is there.
pub(super) fn delete(
    rows: &mut Rows<'_>,
    seq: Seq,
    (id, version): (&TrafficPolicyId, u32),
) -> Result<(), ApplyError> {
    let key = layout::traffic_policy_version(id, version);
    let old: Option<TrafficPolicy> = rows.get_stored(Table::TrafficPolicyVersions, &key)?;
    let Some(old) = old else {
        return Ok(());
    };
    let deleted = true;
    put(rows, seq, &TrafficPolicy { deleted, ..old })
}

/// Removes a version, which has been deleted.
pub(super) fn forget(
    rows: &mut Rows<'_>,
    seq: Seq,
    (id, version): (&TrafficPolicyId, u32),
) -> Result<(), ApplyError> {
    delete(rows, seq, (id, version))?;
    let key = layout::traffic_policy_version(id, version);
    let old: Option<TrafficPolicy> = rows.get_stored(Table::TrafficPolicyVersions, &key)?;
    let Some(old) = old else {
        return Ok(());
    };
    unnote_deleted(rows, &old)?;
    rows.delete(Table::TrafficPolicyVersions, &key)?;
    Ok(())
}

/// Keeps up the order in which versions were deleted.
fn note_deleted(
    rows: &mut Rows<'_>,
    seq: Seq,
    old: Option<&[u8]>,
    policy: &TrafficPolicy,
) -> Result<(), ApplyError> {
    let old = old.map(TrafficPolicy::from_bytes).transpose();
    let old = old.map_err(|cause| ApplyError::row(Table::TrafficPolicyVersions, cause))?;
    if let Some(old) = old.filter(|old| old.deleted) {
        if policy.deleted && policy.account == old.account {
            return Ok(());
        }
        unnote_deleted(rows, &old)?;
    }
    if policy.deleted {
        let of = (&policy.id, policy.version);
        let index = layout::deleted_traffic_policy(&policy.account, seq, of);
        rows.put(Table::DeletedTrafficPolicies, &index, b"")?;
    }
    Ok(())
}

/// The entry that deleted it is in the key alone; an account has few of them.
fn unnote_deleted(rows: &mut Rows<'_>, old: &TrafficPolicy) -> Result<(), ApplyError> {
    let prefix = layout::of_account(&old.account);
    for key in rows.first_keys(Table::DeletedTrafficPolicies, &prefix, usize::MAX)? {
        if layout::deleted_traffic_policy_of(&key) == Some((old.id.clone(), old.version)) {
            rows.delete(Table::DeletedTrafficPolicies, &key)?;
        }
    }
    Ok(())
}

/// Finds all that are deleted, in tables that an earlier version wrote: by the age of their
/// policies, as it is not known any more when that was.
pub(super) fn find_deleted(transaction: &WriteTransaction) -> Result<(), ApplyError> {
    // Nothing that is written here is digested.
    let mut rows = Rows::new(transaction, Digest::default());
    let mut after: Option<Vec<u8>> = None;
    // Ends with the versions.
    loop {
        let portion = rows.after(
            Table::TrafficPolicyVersions,
            after.as_deref(),
            FOUND_AT_A_TIME,
        )?;
        for (_, row) in &portion {
            let policy = TrafficPolicy::from_bytes(row)
                .map_err(|cause| ApplyError::row(Table::TrafficPolicyVersions, cause))?;
            let key = layout::traffic_policy(&policy.id);
            let whole: Option<TrafficPolicyRow> = rows.get_message(Table::TrafficPolicies, &key)?;
            let created = Seq(whole.unwrap_or_default().created);
            note_deleted(&mut rows, created, None, &policy)?;
        }
        match portion.into_iter().next_back() {
            Some((key, _)) => after = Some(key),
            None => return Ok(()),
        }
    }
}

/// Brings the indices to what the policy is now.
fn index(
    rows: &mut Rows<'_>,
    id: &TrafficPolicyId,
    row: &TrafficPolicyRow,
    was_live: bool,
) -> Result<(), ApplyError> {
    let is_live = !row.live.is_empty();
    if is_live == was_live {
        return Ok(());
    }
    let account = account_id(&row.account);
    let account = account.map_err(|cause| ApplyError::row(Table::TrafficPolicies, cause))?;
    let key = layout::traffic_policy(id);
    let name = layout::in_account(&account, &row.name);
    let order = layout::account_traffic_policy(&account, Seq(row.created), id);
    let counter = layout::traffic_policy_counter(&account);
    if is_live {
        rows.put(Table::TrafficPolicyNames, &name, &key)?;
        rows.put(Table::AccountTrafficPolicies, &order, b"")?;
        return rows.count_up(&counter);
    }
    // What is a later policy's by now stays so.
    if rows.get(Table::TrafficPolicyNames, &name)? == Some(key) {
        rows.delete(Table::TrafficPolicyNames, &name)?;
    }
    rows.delete(Table::AccountTrafficPolicies, &order)?;
    rows.count_down(&counter)
}

impl Snapshot {
    /// The account's traffic policies from this one on, in the order in which they were made. A
    /// policy without a version marks its place all the same.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn traffic_policies_of(
        &self,
        account: &AccountId,
        from: Option<&TrafficPolicyId>,
        limit: usize,
    ) -> Result<Vec<TrafficPolicySummary>, ReadError> {
        let prefix = layout::of_account(account);
        let start = match from {
            None => prefix.clone(),
            Some(id) => {
                let row = self.traffic_policy_row(id)?.unwrap_or_default();
                layout::account_traffic_policy(account, Seq(row.created), id)
            }
        };
        let mut found = Vec::new();
        self.scan(Table::AccountTrafficPolicies, &prefix, &start, |key, _| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let broken = || ReadError::broken(Table::AccountTrafficPolicies);
            let id = layout::traffic_policy_of(key).ok_or_else(broken)?;
            found.push(self.traffic_policy_whole(&id)?.ok_or_else(broken)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The versions of a policy that were not deleted, from this one on, and the one after them:
    /// `limit` at most, and no further one once their documents have this many `bytes`.
    ///
    /// # Errors
    /// As for all methods.
    pub fn traffic_policy_versions(
        &self,
        id: &TrafficPolicyId,
        from: u32,
        (limit, bytes): (usize, usize),
    ) -> Result<(Vec<TrafficPolicy>, Option<u32>), ReadError> {
        let row = self.traffic_policy_row(id)?.unwrap_or_default();
        let live = row.live.iter().map(|live| live.version);
        let (mut versions, mut read) = (Vec::new(), 0);
        for version in live.filter(|version| *version >= from) {
            if versions.len() == limit || (read >= bytes && !versions.is_empty()) {
                return Ok((versions, Some(version)));
            }
            let key = layout::traffic_policy_version(id, version);
            let stored: Option<TrafficPolicy> = self.stored(Table::TrafficPolicyVersions, &key)?;
            let policy = stored.ok_or_else(|| ReadError::broken(Table::TrafficPolicies))?;
            read += policy.document.len();
            versions.push(policy);
        }
        Ok((versions, None))
    }

    /// The versions of the account that are deleted and there still, the first one first.
    pub(super) fn deleted_versions(
        &self,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<(TrafficPolicyId, u32)>, ReadError> {
        let index = Table::DeletedTrafficPolicies;
        let prefix = layout::of_account(account);
        let mut found = Vec::new();
        self.scan(index, &prefix, &prefix, |key, _| {
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            let version = layout::deleted_traffic_policy_of(key);
            found.push(version.ok_or_else(|| ReadError::broken(index))?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Whether the account made the policy, whatever became of it.
    ///
    /// # Errors
    /// As for all methods.
    pub fn made_traffic_policy(
        &self,
        account: &AccountId,
        id: &TrafficPolicyId,
    ) -> Result<bool, ReadError> {
        let row = self.traffic_policy_row(id)?;
        Ok(row.is_some_and(|row| row.account == account.as_str()))
    }

    /// A policy, if it has a version.
    pub(super) fn traffic_policy_whole(
        &self,
        id: &TrafficPolicyId,
    ) -> Result<Option<TrafficPolicySummary>, ReadError> {
        let Some(row) = self.traffic_policy_row(id)? else {
            return Ok(None);
        };
        let Some(latest) = row.live.last() else {
            return Ok(None);
        };
        let broken = |cause| ReadError::row(Table::TrafficPolicies, cause);
        Ok(Some(TrafficPolicySummary {
            id: id.clone(),
            account: account_id(&row.account).map_err(broken)?,
            rtype: record_type(latest.rtype).map_err(broken)?,
            latest_version: latest.version,
            versions: u32::try_from(row.live.len()).unwrap_or(u32::MAX),
            last_version: row.last_version,
            name: row.name,
        }))
    }

    /// The policy of this name, of the account.
    pub(super) fn traffic_policy_of_name(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<TrafficPolicyId>, ReadError> {
        let index = Table::TrafficPolicyNames;
        let id = self.get(index, &layout::in_account(account, name))?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_default();
        id.map(|bytes| traffic_policy_id(&text(bytes)))
            .transpose()
            .map_err(|cause| ReadError::row(index, cause))
    }

    fn traffic_policy_row(
        &self,
        id: &TrafficPolicyId,
    ) -> Result<Option<TrafficPolicyRow>, ReadError> {
        self.message(Table::TrafficPolicies, &layout::traffic_policy(id))
    }
}

#[cfg(test)]
mod tests {
    use meridian_dns::RecordType;
    use meridian_model::{Effect, State, Timestamp};

    use super::*;
    use crate::format::Entry;
    use crate::tables::{Durability, Options, Tables};
    use crate::testing;

    fn policy(number: u32, version: u32) -> TrafficPolicy {
        TrafficPolicy {
            id: TrafficPolicyId::new(&format!("00000000-0000-4000-8000-{number:012}")).unwrap(),
            account: AccountId::new("123456789012").unwrap(),
            version,
            name: format!("name {number}"),
            rtype: RecordType::A,
            document: "{}".to_owned(),
            comment: None,
            deleted: false,
        }
    }

    fn apply(tables: &Tables, effects: Vec<Effect>) {
        let commit = testing::commit_of(effects);
        let (entry, _) = Entry::after(tables.head(), Timestamp(1), vec![commit]);
        tables.apply(&[entry]).unwrap();
    }

    fn delete((number, version): (u32, u32)) -> Effect {
        let id = policy(number, version).id;
        Effect::DeleteTrafficPolicy { id, version }
    }

    fn forget((number, version): (u32, u32)) -> Effect {
        let id = policy(number, version).id;
        Effect::ForgetTrafficPolicy { id, version }
    }

    fn deleted(tables: &Tables, limit: usize) -> Vec<(TrafficPolicyId, u32)> {
        let account = policy(1, 1).account;
        let snapshot = tables.read().unwrap();
        snapshot.deleted_traffic_policies(&account, limit).unwrap()
    }

    fn ids(all: &[(u32, u32)]) -> Vec<(TrafficPolicyId, u32)> {
        let id = |(number, version): &(u32, u32)| (policy(*number, *version).id, *version);
        all.iter().map(id).collect()
    }

    #[test]
    fn versions_are_forgotten_in_the_order_in_which_they_were_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            cache_bytes: 1024 * 1024,
            durability: Durability::Each,
        };
        let open = || Tables::open(&dir.path().join("tables.redb"), options).unwrap();
        let tables = open();
        for (number, version) in [(1, 1), (1, 2), (2, 1), (3, 1), (3, 256)] {
            apply(
                &tables,
                vec![Effect::PutTrafficPolicy(policy(number, version))],
            );
        }
        for of in [(3, 256), (1, 1), (2, 1)] {
            apply(&tables, vec![delete(of)]);
        }
        assert_eq!(deleted(&tables, 9), ids(&[(3, 256), (1, 1), (2, 1)]));
        assert_eq!(deleted(&tables, 1), ids(&[(3, 256)]));
        // Once more is no other place.
        apply(&tables, vec![delete((3, 256)), forget((1, 1))]);
        assert_eq!(deleted(&tables, 9), ids(&[(3, 256), (2, 1)]));
        let state = tables.read().unwrap();
        let read = |version| state.traffic_policy(&policy(1, 1).id, version).unwrap();
        assert_eq!((read(1), read(2)), (None, Some(policy(1, 2))));
        // What they have in common stays, so that no number comes again.
        let summary = state.traffic_policy_summary(&policy(3, 1).id).unwrap();
        assert_eq!(summary.unwrap().last_version, 256);
        apply(&tables, vec![forget((3, 256)), forget((9, 9))]);
        let state = tables.read().unwrap();
        let summary = state.traffic_policy_summary(&policy(3, 1).id).unwrap();
        assert_eq!(summary.unwrap().last_version, 256);
        // Tables of an earlier version have no such order: that of making takes its place.
        apply(&tables, vec![delete((3, 1)), delete((1, 2))]);
        assert_eq!(deleted(&tables, 9), ids(&[(2, 1), (1, 2), (3, 1)]));
        let digest = tables.recompute_digest().unwrap();
        let transaction = tables.store.begin_write().unwrap();
        let gone = transaction.delete_table(Table::DeletedTrafficPolicies.definition());
        assert!(gone.unwrap());
        transaction.commit().unwrap();
        drop((state, tables));
        let tables = open();
        assert_eq!(deleted(&tables, 9), ids(&[(1, 2), (2, 1), (3, 1)]));
        assert_eq!(tables.recompute_digest().unwrap(), digest);
        apply(&tables, vec![forget((3, 1))]);
        assert_eq!(deleted(&tables, 9), ids(&[(1, 2), (2, 1)]));
    }
}
