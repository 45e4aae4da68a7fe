//! Health checks in the tables: writing them with their places and switches, and reading them.

use std::ops::ControlFlow;

use meridian_model::{
    AccountId, HealthCheck, HealthCheckId, HealthSlot, HealthSwitch, RoutingControl, Timestamp,
};
use prost::Message;

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::{Rows, number};
use super::snapshot::{ReadError, Snapshot};
use crate::format::{HealthSlotRow, Stored, health_check_id};

/// For how many hours it is kept how many checks were made, that of the last one among them.
const HOURS_KEPT: i64 = 25;

/// Writes a check with its indices.
pub(super) fn put(
    rows: &mut Rows<'_>,
    check: &HealthCheck,
    at: Timestamp,
) -> Result<(), ApplyError> {
    delete(rows, &check.id)?;
    if check.version == 1 {
        note_creation(rows, &check.account, at)?;
    }
    let key = layout::health_check(&check.id);
    rows.put(Table::HealthChecks, &key, &check.to_bytes())?;
    let index = layout::in_account(&check.account, check.id.as_str());
    rows.put(Table::AccountHealthChecks, &index, b"")?;
    let reference = layout::in_account(&check.account, &check.caller_reference);
    rows.put(Table::HealthCheckReferences, &reference, &key)?;
    for child in check.config.children() {
        let index = layout::health_check_parent(child, &check.id);
        rows.put(Table::HealthCheckParents, &index, b"")?;
    }
    let slot = layout::health_slot(check.slot.slot);
    let row = HealthSlotRow {
        incarnation: check.slot.incarnation,
        check: check.id.to_string(),
    };
    rows.put(Table::HealthSlots, &slot, &row.encode_to_vec())?;
    rows.delete(Table::FreeHealthSlots, &slot)?;
    rows.count_up(&layout::health_check_counter(&check.account))
}

/// Counts a check that is new, by the hour, and forgets hours that are long over.
fn note_creation(
    rows: &mut Rows<'_>,
    account: &AccountId,
    at: Timestamp,
) -> Result<(), ApplyError> {
    let table = Table::HealthCheckCreations;
    let hour = layout::hour(at);
    let key = layout::creations(account, hour);
    let count = rows.number(table, &key)?.saturating_add(1);
    rows.put(table, &key, &count.to_be_bytes())?;
    // Two may go for one that comes, so that there are never many.
    let oldest = layout::creations(account, hour.saturating_sub(HOURS_KEPT));
    for key in rows.first_keys(table, &layout::of_account(account), 2)? {
        if key <= oldest {
            rows.delete(table, &key)?;
        }
    }
    Ok(())
}

/// Removes a check, if it is there, but for its caller reference, which is used up for ever. Its
/// place is free, and known by its last incarnation.
pub(super) fn delete(rows: &mut Rows<'_>, id: &HealthCheckId) -> Result<(), ApplyError> {
    let key = layout::health_check(id);
    let old: Option<HealthCheck> = rows.get_stored(Table::HealthChecks, &key)?;
    let Some(old) = old else {
        return Ok(());
    };
    rows.delete(Table::HealthChecks, &key)?;
    let index = layout::in_account(&old.account, id.as_str());
    rows.delete(Table::AccountHealthChecks, &index)?;
    for child in old.config.children() {
        let index = layout::health_check_parent(child, id);
        rows.delete(Table::HealthCheckParents, &index)?;
    }
    let slot = layout::health_slot(old.slot.slot);
    let row: HealthSlotRow = rows
        .get_message(Table::HealthSlots, &slot)?
        .unwrap_or_default();
    // Whoever has the place since keeps it.
    if row.check == id.as_str() {
        let free = HealthSlotRow {
            check: String::new(),
            ..row
        };
        rows.put(Table::HealthSlots, &slot, &free.encode_to_vec())?;
        rows.put(Table::FreeHealthSlots, &slot, b"")?;
    }
    rows.count_down(&layout::health_check_counter(&old.account))
}

/// Writes what somebody says of a check.
pub(super) fn switch(rows: &mut Rows<'_>, switch: &HealthSwitch) -> Result<(), ApplyError> {
    let key = layout::health_check(&switch.check);
    rows.put(Table::HealthSwitches, &key, &switch.to_bytes())?;
    Ok(())
}

/// Takes that back.
pub(super) fn release(rows: &mut Rows<'_>, id: &HealthCheckId) -> Result<(), ApplyError> {
    rows.delete(Table::HealthSwitches, &layout::health_check(id))?;
    Ok(())
}

/// Writes how a routing control is turned.
pub(super) fn turn(rows: &mut Rows<'_>, control: &RoutingControl) -> Result<(), ApplyError> {
    let key = control.arn.as_bytes();
    rows.put(Table::RoutingControls, key, &control.to_bytes())?;
    Ok(())
}

impl Snapshot {
    /// All health checks, of every account, by id.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn health_checks(&self) -> Result<Vec<HealthCheck>, ReadError> {
        self.scan_stored(Table::HealthChecks, b"", b"", usize::MAX)
    }

    /// How many health checks the account made in the hours that began since then, those that are
    /// gone among them.
    pub(super) fn creations_since(
        &self,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<u64, ReadError> {
        let table = Table::HealthCheckCreations;
        // The hour that was under way is not one that began.
        let first = layout::hour(Timestamp(since.0.saturating_sub(1))).saturating_add(1);
        let start = layout::creations(account, first);
        let mut created = 0_u64;
        self.scan(table, &layout::of_account(account), &start, |_, value| {
            let count = number(value).ok_or_else(|| ReadError::broken(table))?;
            created = created.saturating_add(count);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(created)
    }

    /// Health checks of every account from this id on, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn health_checks_from(
        &self,
        from: Option<&HealthCheckId>,
        limit: usize,
    ) -> Result<Vec<HealthCheck>, ReadError> {
        let start = from.map(layout::health_check).unwrap_or_default();
        self.scan_stored(Table::HealthChecks, b"", &start, limit)
    }

    /// The account's health checks from this id on, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn health_checks_of(
        &self,
        account: &AccountId,
        from: Option<&HealthCheckId>,
        limit: usize,
    ) -> Result<Vec<HealthCheck>, ReadError> {
        let prefix = layout::of_account(account);
        let start = from.map_or_else(
            || prefix.clone(),
            |id| layout::in_account(account, id.as_str()),
        );
        let tables = (Table::AccountHealthChecks, Table::HealthChecks);
        self.scan_indexed(tables, &prefix, &start, limit)
    }

    /// The place of a health check, as a record set names it; none when there is no such check.
    ///
    /// # Errors
    /// As for all methods.
    pub fn health_slot(&self, id: &str) -> Result<Option<HealthSlot>, ReadError> {
        let Ok(id) = HealthCheckId::new(id) else {
            return Ok(None);
        };
        let check = self.health_check_row(&id)?;
        Ok(check.map(|check| check.slot))
    }

    /// What people say of health checks, of every account, by the checks' ids.
    ///
    /// # Errors
    /// As for all methods.
    pub fn health_switches(&self) -> Result<Vec<HealthSwitch>, ReadError> {
        self.scan_stored(Table::HealthSwitches, b"", b"", usize::MAX)
    }

    /// The routing controls that were ever turned, by their ARNs.
    ///
    /// # Errors
    /// As for all methods.
    pub fn routing_controls(&self) -> Result<Vec<RoutingControl>, ReadError> {
        self.scan_stored(Table::RoutingControls, b"", b"", usize::MAX)
    }

    /// How a routing control was turned last, if it ever was.
    ///
    /// # Errors
    /// As for all methods.
    pub fn routing_control(&self, arn: &str) -> Result<Option<RoutingControl>, ReadError> {
        self.stored(Table::RoutingControls, arn.as_bytes())
    }

    pub(super) fn health_check_row(
        &self,
        id: &HealthCheckId,
    ) -> Result<Option<HealthCheck>, ReadError> {
        self.stored(Table::HealthChecks, &layout::health_check(id))
    }

    pub(super) fn health_check_of_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<HealthCheckId>, ReadError> {
        let key = layout::in_account(account, reference);
        let row = self.get(Table::HealthCheckReferences, &key)?;
        let broken = || ReadError::broken(Table::HealthCheckReferences);
        row.map(|bytes| {
            let text = String::from_utf8(bytes).map_err(|_| broken())?;
            health_check_id(&text).map_err(|_| broken())
        })
        .transpose()
    }

    pub(super) fn has_parent(&self, id: &HealthCheckId) -> Result<bool, ReadError> {
        let prefix = layout::of_health_check(id);
        let mut found = false;
        self.scan(Table::HealthCheckParents, &prefix, &prefix, |_, _| {
            found = true;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// The smallest place that was given back, else the one after all that there are.
    pub(super) fn next_health_slot(&self) -> Result<HealthSlot, ReadError> {
        let mut free = None;
        self.scan(Table::FreeHealthSlots, b"", b"", |key, _| {
            free = Some(key.to_vec());
            Ok(ControlFlow::Break(()))
        })?;
        let broken = || ReadError::broken(Table::HealthSlots);
        let Some(key) = free else {
            let highest = self.last_key(Table::HealthSlots)?;
            let slot = match highest {
                None => 0,
                Some(key) => slot_of(&key)
                    .and_then(|slot| slot.checked_add(1))
                    .ok_or_else(broken)?,
            };
            return Ok(HealthSlot {
                slot,
                incarnation: 1,
            });
        };
        let row: Option<HealthSlotRow> = self.message(Table::HealthSlots, &key)?;
        let incarnation = row.ok_or_else(broken)?.incarnation.checked_add(1);
        Ok(HealthSlot {
            slot: slot_of(&key).ok_or_else(broken)?,
            incarnation: incarnation.ok_or_else(broken)?,
        })
    }
}

fn slot_of(key: &[u8]) -> Option<u32> {
    key.try_into().ok().map(u32::from_be_bytes)
}
