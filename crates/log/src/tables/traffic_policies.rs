//! Traffic policies in the tables: writing and reading their versions, and what these come to as a
//! whole. Rows of versions and policies stay for ever; those of indices are of policies that have a
//! version that was not deleted.

use std::ops::ControlFlow;

use meridian_model::{AccountId, Seq, TrafficPolicy, TrafficPolicyId, TrafficPolicySummary};
use prost::Message;

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::traffic_policy_id;
use crate::format::{LiveVersion, Stored, TrafficPolicyRow, account_id, record_type};

/// Writes a version, with the policy it belongs to. What its first version says of account and name
/// holds for the policy.
pub(super) fn put(rows: &mut Rows<'_>, seq: Seq, policy: &TrafficPolicy) -> Result<(), ApplyError> {
    let key = layout::traffic_policy_version(&policy.id, policy.version);
    rows.put(Table::TrafficPolicyVersions, &key, &policy.to_bytes())?;
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
