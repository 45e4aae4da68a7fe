//! Regions of the operator's own.

use meridian_model::{OwnRegion, Region};

use super::ApplyError;
use super::layout::Table;
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes a region.
pub(super) fn put(rows: &mut Rows<'_>, region: &OwnRegion) -> Result<(), ApplyError> {
    let key = region.name.as_str().as_bytes();
    rows.put(Table::Regions, key, &region.to_bytes())?;
    Ok(())
}

/// Forgets one.
pub(super) fn delete(rows: &mut Rows<'_>, name: &Region) -> Result<(), ApplyError> {
    rows.delete(Table::Regions, name.as_str().as_bytes())?;
    Ok(())
}

impl Snapshot {
    /// All of them, by name.
    pub(super) fn region_rows(&self) -> Result<Vec<OwnRegion>, ReadError> {
        self.scan_stored(Table::Regions, b"", b"", usize::MAX)
    }
}
