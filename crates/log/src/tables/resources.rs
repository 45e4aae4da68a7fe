//! Resources in the tables: writing and reading them, by account and name.

use meridian_model::{AccountId, Resource, ResourceName};

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes a resource.
pub(super) fn put(rows: &mut Rows<'_>, resource: &Resource) -> Result<(), ApplyError> {
    let Resource { account, name, .. } = resource;
    let key = layout::resource(account, name);
    let old = rows.put(Table::Resources, &key, &resource.to_bytes())?;
    match old {
        None => rows.count_up(&layout::resource_counter(account)),
        Some(_) => Ok(()),
    }
}

/// Forgets one, if it is there.
pub(super) fn delete(
    rows: &mut Rows<'_>,
    account: &AccountId,
    name: &ResourceName,
) -> Result<(), ApplyError> {
    let key = layout::resource(account, name);
    match rows.delete(Table::Resources, &key)? {
        Some(_) => rows.count_down(&layout::resource_counter(account)),
        None => Ok(()),
    }
}

impl Snapshot {
    /// All resources, of every account, by account and name.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn resources(&self) -> Result<Vec<Resource>, ReadError> {
        self.scan_stored(Table::Resources, b"", b"", usize::MAX)
    }

    /// The account's resources, by name as text.
    ///
    /// # Errors
    /// As for all methods.
    pub fn resources_of(&self, account: &AccountId) -> Result<Vec<Resource>, ReadError> {
        let prefix = layout::of_account(account);
        self.scan_stored(Table::Resources, &prefix, &prefix, usize::MAX)
    }
}
