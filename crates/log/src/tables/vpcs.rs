//! VPCs in the tables: writing them with their zones and authorizations, and reading all three.

use meridian_model::{Vpc, VpcAuthorization, VpcId, Zone, ZoneId};

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes a VPC.
pub(super) fn put(rows: &mut Rows<'_>, vpc: &Vpc) -> Result<(), ApplyError> {
    rows.put(Table::Vpcs, &layout::vpc(&vpc.id), &vpc.to_bytes())?;
    Ok(())
}

/// Takes a VPC away.
pub(super) fn delete(rows: &mut Rows<'_>, id: &VpcId) -> Result<(), ApplyError> {
    rows.delete(Table::Vpcs, &layout::vpc(id))?;
    Ok(())
}

/// Takes an authorization back.
pub(super) fn deauthorize(
    rows: &mut Rows<'_>,
    zone: &ZoneId,
    vpc: &VpcId,
) -> Result<(), ApplyError> {
    let key = layout::vpc_authorization(zone, vpc);
    rows.delete(Table::VpcAuthorizations, &key)?;
    Ok(())
}

/// Writes an authorization.
pub(super) fn authorize(rows: &mut Rows<'_>, one: &VpcAuthorization) -> Result<(), ApplyError> {
    let key = layout::vpc_authorization(&one.zone, &one.vpc.id);
    rows.put(Table::VpcAuthorizations, &key, &one.to_bytes())?;
    Ok(())
}

/// Notes which VPCs see the zone.
pub(super) fn note_zone(rows: &mut Rows<'_>, zone: &Zone) -> Result<(), ApplyError> {
    for vpc in &zone.vpcs {
        let index = layout::vpc_zone(&vpc.id, &zone.id);
        rows.put(Table::VpcZones, &index, b"")?;
    }
    Ok(())
}

/// Takes back what [`note_zone`] wrote.
pub(super) fn forget_zone(rows: &mut Rows<'_>, zone: &Zone) -> Result<(), ApplyError> {
    for vpc in &zone.vpcs {
        let index = layout::vpc_zone(&vpc.id, &zone.id);
        rows.delete(Table::VpcZones, &index)?;
    }
    Ok(())
}

impl Snapshot {
    /// The private zones that are associated with the VPC, from this id on, by id.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn zones_of_vpc_from(
        &self,
        vpc: &VpcId,
        from: Option<&ZoneId>,
        limit: usize,
    ) -> Result<Vec<Zone>, ReadError> {
        let prefix = layout::of_vpc(vpc);
        let start = from.map_or_else(|| prefix.clone(), |zone| layout::vpc_zone(vpc, zone));
        self.indexed_zones(Table::VpcZones, &prefix, &start, limit)
    }

    /// Which VPCs may come to see the zone, from this id on, by id.
    ///
    /// # Errors
    /// As for all methods.
    pub fn vpc_authorizations_from(
        &self,
        zone: &ZoneId,
        from: Option<&VpcId>,
        limit: usize,
    ) -> Result<Vec<VpcAuthorization>, ReadError> {
        let prefix = layout::of_zone(zone);
        let start = from.map_or_else(
            || prefix.clone(),
            |vpc| layout::vpc_authorization(zone, vpc),
        );
        self.scan_stored(Table::VpcAuthorizations, &prefix, &start, limit)
    }

    /// Whether the owner of a VPC may associate it with the zone.
    ///
    /// # Errors
    /// As for all methods.
    pub fn vpc_authorization(
        &self,
        zone: &ZoneId,
        vpc: &VpcId,
    ) -> Result<Option<VpcAuthorization>, ReadError> {
        let key = layout::vpc_authorization(zone, vpc);
        self.stored(Table::VpcAuthorizations, &key)
    }
}
