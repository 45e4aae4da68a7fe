//! Protections of record sets in the tables: writing them, and lists of them.

use meridian_dns::{Name, RecordType};
use meridian_model::{Protection, ProtectionKey, ZoneId};

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes a protection; another comment for one that is there does not count.
pub(super) fn put(rows: &mut Rows<'_>, protection: &Protection) -> Result<(), ApplyError> {
    let key = layout::protection(&protection.key);
    match rows.put(Table::Protections, &key, &protection.to_bytes())? {
        None => rows.count_up(&layout::protection_counter(&protection.key.zone)),
        Some(_) => Ok(()),
    }
}

/// Removes a protection, if it is there.
pub(super) fn delete(rows: &mut Rows<'_>, key: &ProtectionKey) -> Result<(), ApplyError> {
    match rows.delete(Table::Protections, &layout::protection(key))? {
        Some(_) => rows.count_down(&layout::protection_counter(&key.zone)),
        None => Ok(()),
    }
}

impl Snapshot {
    /// The zone's protections from this name (in lower case) on, and at it from this type on, in
    /// the order of record sets.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read.
    pub fn protections_of(
        &self,
        zone: &ZoneId,
        from: Option<(&Name, Option<RecordType>)>,
        limit: usize,
    ) -> Result<Vec<Protection>, ReadError> {
        let prefix = layout::protections_of(zone);
        let start = from.map_or_else(
            || prefix.clone(),
            |(name, rtype)| layout::protection_from(zone, name, rtype),
        );
        self.scan_stored(Table::Protections, &prefix, &start, limit)
    }
}
