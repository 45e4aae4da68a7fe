//! Query logging configurations in the tables: writing and reading them.

use std::ops::ControlFlow;

use meridian_model::{AccountId, QueryLoggingConfig, QueryLoggingConfigId, ZoneId};

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes a configuration with its indices.
pub(super) fn put(rows: &mut Rows<'_>, config: &QueryLoggingConfig) -> Result<(), ApplyError> {
    delete(rows, &config.id)?;
    let key = layout::query_logging_config(&config.id);
    rows.put(Table::QueryLoggingConfigs, &key, &config.to_bytes())?;
    let index = layout::in_account(&config.account, config.id.as_str());
    rows.put(Table::AccountQueryLogging, &index, b"")?;
    rows.put(Table::ZoneQueryLogging, &layout::zone(&config.zone), &key)?;
    Ok(())
}

/// Removes a configuration, if it is there.
pub(super) fn delete(rows: &mut Rows<'_>, id: &QueryLoggingConfigId) -> Result<(), ApplyError> {
    let key = layout::query_logging_config(id);
    let old: Option<QueryLoggingConfig> = rows.get_stored(Table::QueryLoggingConfigs, &key)?;
    let Some(old) = old else {
        return Ok(());
    };
    rows.delete(Table::QueryLoggingConfigs, &key)?;
    let index = layout::in_account(&old.account, id.as_str());
    rows.delete(Table::AccountQueryLogging, &index)?;
    // A later configuration of the zone stays the zone's.
    let zone = layout::zone(&old.zone);
    if rows.get(Table::ZoneQueryLogging, &zone)? == Some(key) {
        rows.delete(Table::ZoneQueryLogging, &zone)?;
    }
    Ok(())
}

impl Snapshot {
    /// A query logging configuration, whoever owns it.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn query_logging_config(
        &self,
        id: &QueryLoggingConfigId,
    ) -> Result<Option<QueryLoggingConfig>, ReadError> {
        let key = layout::query_logging_config(id);
        self.stored(Table::QueryLoggingConfigs, &key)
    }

    /// The account's query logging configurations from this id on, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn query_logging_configs_of(
        &self,
        account: &AccountId,
        from: Option<&QueryLoggingConfigId>,
        limit: usize,
    ) -> Result<Vec<QueryLoggingConfig>, ReadError> {
        let prefix = layout::of_account(account);
        let start = from.map_or_else(
            || prefix.clone(),
            |id| layout::in_account(account, id.as_str()),
        );
        let tables = (Table::AccountQueryLogging, Table::QueryLoggingConfigs);
        self.scan_indexed(tables, &prefix, &start, limit)
    }

    /// All zones whose queries are logged, of every account.
    ///
    /// # Errors
    /// As for all methods.
    pub fn logged_zones(&self) -> Result<Vec<ZoneId>, ReadError> {
        let mut zones = Vec::new();
        self.scan(Table::ZoneQueryLogging, b"", b"", |zone, _| {
            zones.push(super::list::zone_id(Table::ZoneQueryLogging, zone)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(zones)
    }
}
