//! Reusable delegation sets in the tables: writing them, and reading them and their zones.

use meridian_model::{AccountId, DelegationSetId, ReusableDelegationSet, Zone, ZoneId};

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes a set with its indices.
pub(super) fn put(rows: &mut Rows<'_>, set: &ReusableDelegationSet) -> Result<(), ApplyError> {
    delete(rows, &set.id)?;
    let key = layout::delegation_set(&set.id);
    rows.put(Table::DelegationSets, &key, &set.to_bytes())?;
    let index = layout::in_account(&set.account, set.id.as_str());
    rows.put(Table::AccountDelegationSets, &index, b"")?;
    let reference = layout::in_account(&set.account, &set.caller_reference);
    rows.put(Table::DelegationSetReferences, &reference, &key)?;
    rows.count_up(&layout::delegation_set_counter(&set.account))
}

/// Removes a set, if it is there, but for its caller reference, which is used up for ever.
pub(super) fn delete(rows: &mut Rows<'_>, id: &DelegationSetId) -> Result<(), ApplyError> {
    let key = layout::delegation_set(id);
    let old: Option<ReusableDelegationSet> = rows.get_stored(Table::DelegationSets, &key)?;
    let Some(old) = old else {
        return Ok(());
    };
    rows.delete(Table::DelegationSets, &key)?;
    let index = layout::in_account(&old.account, id.as_str());
    rows.delete(Table::AccountDelegationSets, &index)?;
    rows.count_down(&layout::delegation_set_counter(&old.account))
}

/// Notes that the zone has its set, if that is a reusable one.
pub(super) fn note_zone(rows: &mut Rows<'_>, zone: &Zone) -> Result<(), ApplyError> {
    let Some(id) = &zone.delegation_set.id else {
        return Ok(());
    };
    let index = layout::delegation_set_zone(id, &zone.id);
    rows.put(Table::DelegationSetZones, &index, b"")?;
    rows.count_up(&layout::delegation_set_zone_counter(id))
}

/// Takes back what [`note_zone`] wrote.
pub(super) fn forget_zone(rows: &mut Rows<'_>, zone: &Zone) -> Result<(), ApplyError> {
    let Some(id) = &zone.delegation_set.id else {
        return Ok(());
    };
    let index = layout::delegation_set_zone(id, &zone.id);
    rows.delete(Table::DelegationSetZones, &index)?;
    rows.count_down(&layout::delegation_set_zone_counter(id))
}

impl Snapshot {
    /// A reusable delegation set, whoever owns it.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn delegation_set(
        &self,
        id: &DelegationSetId,
    ) -> Result<Option<ReusableDelegationSet>, ReadError> {
        self.stored(Table::DelegationSets, &layout::delegation_set(id))
    }

    /// The account's reusable delegation sets from this id on, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn delegation_sets_of(
        &self,
        account: &AccountId,
        from: Option<&DelegationSetId>,
        limit: usize,
    ) -> Result<Vec<ReusableDelegationSet>, ReadError> {
        let prefix = layout::of_account(account);
        let start = from.map_or_else(
            || prefix.clone(),
            |id| layout::in_account(account, id.as_str()),
        );
        let (index, rows) = (Table::AccountDelegationSets, Table::DelegationSets);
        self.scan_indexed((index, rows), &prefix, &start, limit)
    }

    /// The zones that have this reusable delegation set, from this id on, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn zones_of_delegation_set(
        &self,
        id: &DelegationSetId,
        from: Option<&ZoneId>,
        limit: usize,
    ) -> Result<Vec<Zone>, ReadError> {
        let prefix = layout::of_delegation_set(id);
        let start = from.map_or_else(
            || prefix.clone(),
            |zone| layout::delegation_set_zone(id, zone),
        );
        self.indexed_zones(Table::DelegationSetZones, &prefix, &start, limit)
    }
}
