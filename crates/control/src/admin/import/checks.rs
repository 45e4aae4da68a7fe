//! What an import finds of a zone, and what speaks against it as a whole.

use meridian_dns::RecordType;
use meridian_log::Snapshot;
use meridian_model::{Quota, State, Zone};

use super::super::{AdminError, Outcome};
use super::{ExistingSets, ImportRoom, Old};

pub(super) fn check_existing(
    snapshot: &Snapshot,
    zone: &Zone,
    existing: ExistingSets,
) -> Outcome<()> {
    if existing != ExistingSets::Refuse {
        return Ok(());
    }
    let own = snapshot.sets_at(zone.generation, &zone.name)?;
    let own = own
        .iter()
        .filter(|set| matches!(set.key.rtype, RecordType::Ns | RecordType::Soa));
    let others = snapshot.stats(zone.generation)?.sets - own.count() as u64;
    if others == 0 {
        return Ok(());
    }
    Err(AdminError::Import(format!(
        "zone {} has {others} record sets beside its NS and SOA: say --replace or --merge",
        zone.id
    )))
}

/// An import writes all of a zone: it stays away from one that has protections, whatever they are
/// of.
pub(super) fn check_unprotected(snapshot: &Snapshot, zone: &Zone) -> Outcome<()> {
    match snapshot.protection_count(&zone.id)? {
        0 => Ok(()),
        count => Err(AdminError::Import(format!(
            "zone {} has {count} protections of record sets: nothing is imported until they are \
             deleted (DeleteResourceRecordSetProtections)",
            zone.id
        ))),
    }
}

pub(super) fn check_unchanged(snapshot: &Snapshot, old: &Old) -> Outcome<()> {
    check_unpublished(snapshot, old)?;
    let now = snapshot.stats(old.zone.generation)?.last_changed;
    if now == old.last_changed {
        return Ok(());
    }
    Err(AdminError::Import(format!(
        "zone {} was changed while it was merged, by entry {now}: nothing is imported, try again",
        old.zone.id
    )))
}

/// The zone as it is now, unless it was deleted or another import was faster.
pub(super) fn check_unpublished(snapshot: &Snapshot, old: &Old) -> Outcome<Zone> {
    let zone = snapshot.zone(&old.zone.id)?;
    zone.filter(|zone| zone.generation == old.zone.generation)
        .ok_or_else(|| {
            AdminError::Import(format!(
                "zone {} was deleted or imported to meanwhile: nothing is imported",
                old.zone.id
            ))
        })
}

/// The most sets that the zone may have.
pub(super) fn room(snapshot: &Snapshot, zone: &Zone, room: ImportRoom) -> Outcome<u64> {
    Ok(match room {
        ImportRoom::Quota => snapshot.limit(&zone.account, Quota::RecordSetsByZone)?,
        ImportRoom::Unlimited => u64::MAX,
    })
}

pub(super) fn check_room(zone: &Zone, sets: u64, room: u64) -> Outcome<()> {
    if sets <= room {
        return Ok(());
    }
    Err(AdminError::Import(format!(
        "Exceeded limit MAX_RRSETS_BY_ZONE for zone: {}: the account may have {room} record sets \
         in a zone; raise it with `meridian quota set`, or say --beyond-quota",
        zone.id
    )))
}
