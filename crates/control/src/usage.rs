//! How much of its limits an account uses.

use meridian_log::{ReadError, Snapshot};
use meridian_model::{AccountId, Quota, State, TaggedKind, TaggedResource, Zone, ZoneId};

/// Zones that are read at a time.
const PAGE: usize = 1000;

/// One limit of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaUse {
    /// What is limited.
    pub quota: Quota,
    /// The most there may be.
    pub limit: u64,
    /// How much there is; none where it is not counted as a whole, as values of sets are.
    pub used: Option<u64>,
    /// The resource that has so many, for what each of several may have.
    pub by: Option<String>,
}

/// How many things of a kind the account owns. Kinds that are not there yet count as none.
pub(crate) fn owned(
    snapshot: &Snapshot,
    account: &AccountId,
    quota: Quota,
) -> Result<u64, ReadError> {
    match quota {
        Quota::HostedZonesByOwner => snapshot.zone_count(account),
        Quota::ReusableDelegationSetsByOwner => snapshot.delegation_set_count(account),
        Quota::HealthChecksByOwner => snapshot.health_check_count(account),
        Quota::CidrCollectionsByOwner => snapshot.cidr_collection_count(account),
        Quota::TrafficPoliciesByOwner => snapshot.traffic_policy_count(account),
        Quota::TrafficPolicyInstancesByOwner => snapshot.traffic_policy_instance_count(account),
        Quota::ExternalAliasesByOwner => snapshot.external_alias_count(account),
        _ => Ok(0),
    }
}

/// How much of what it may have a zone has.
pub(crate) fn in_zone(snapshot: &Snapshot, zone: &Zone, quota: Quota) -> Result<u64, ReadError> {
    match quota {
        Quota::RecordSetsByZone => snapshot.set_count(zone.generation),
        Quota::ProtectionsByZone => snapshot.protection_count(&zone.id),
        Quota::VpcsByZone => Ok(zone.vpcs.len() as u64),
        Quota::VpcAuthorizationsByZone => Ok(snapshot.vpc_authorizations(&zone.id)?.len() as u64),
        Quota::TagsByResource => tags_of(snapshot, TaggedKind::HostedZone, zone.id.as_str()),
        _ => Ok(0),
    }
}

fn tags_of(snapshot: &Snapshot, kind: TaggedKind, id: &str) -> Result<u64, ReadError> {
    let id = id.to_owned();
    Ok(snapshot.tags(&TaggedResource { kind, id })?.len() as u64)
}

/// All limits of an account, with what it uses of them.
pub(crate) fn all(snapshot: &Snapshot, account: &AccountId) -> Result<Vec<QuotaUse>, ReadError> {
    let mut uses = Vec::with_capacity(Quota::ALL.len());
    for quota in Quota::ALL.iter().copied() {
        let used = match quota {
            Quota::RequestsPerSecond
            | Quota::HealthCheckInterval
            | Quota::HealthCheckCreationsByDay
            | Quota::ValuesByRecordSet
            | Quota::PolicySetsByName
            | Quota::GeoproximitySetsByName
            | Quota::ValuesByBatch
            | Quota::CharactersByBatch
            | Quota::CidrBlocksByCollection
            | Quota::CidrBlocksByChange
            | Quota::ZonesByReusableDelegationSet
            | Quota::RecordSetsByZone
            | Quota::VpcsByZone
            | Quota::VpcAuthorizationsByZone
            | Quota::ProtectionsByZone
            | Quota::TagsByResource => None,
            Quota::HostedZonesByOwner
            | Quota::ReusableDelegationSetsByOwner
            | Quota::HealthChecksByOwner
            | Quota::TrafficPoliciesByOwner
            | Quota::TrafficPolicyInstancesByOwner
            | Quota::ExternalAliasesByOwner
            | Quota::CidrCollectionsByOwner => Some(owned(snapshot, account, quota)?),
        };
        uses.push(QuotaUse {
            quota,
            limit: snapshot.limit(account, quota)?,
            used,
            by: None,
        });
    }
    note_fullest(snapshot, account, &mut uses)?;
    note_fullest_check(snapshot, account, &mut uses)?;
    note_fullest_set(snapshot, account, &mut uses)?;
    note_fullest_collection(snapshot, account, &mut uses)?;
    Ok(uses)
}

/// Notes the reusable delegation set that has most zones.
fn note_fullest_set(
    snapshot: &Snapshot,
    account: &AccountId,
    uses: &mut [QuotaUse],
) -> Result<(), ReadError> {
    let quota = Quota::ZonesByReusableDelegationSet;
    let Some(known) = uses.iter_mut().find(|known| known.quota == quota) else {
        return Ok(());
    };
    known.used = Some(0);
    let mut sets = snapshot.delegation_sets()?;
    sets.retain(|set| set.account == *account);
    for set in sets {
        let used = snapshot.delegation_set_zone_count(&set.id)?;
        if Some(used) > known.used {
            known.used = Some(used);
            known.by = Some(set.id.to_string());
        }
    }
    Ok(())
}

/// Notes the CIDR collection that has most blocks.
fn note_fullest_collection(
    snapshot: &Snapshot,
    account: &AccountId,
    uses: &mut [QuotaUse],
) -> Result<(), ReadError> {
    let quota = Quota::CidrBlocksByCollection;
    let Some(known) = uses.iter_mut().find(|known| known.quota == quota) else {
        return Ok(());
    };
    known.used = Some(0);
    for collection in snapshot.cidr_collections_of(account, None, usize::MAX)? {
        let used = snapshot.cidr_block_count(&collection.id)?;
        if Some(used) > known.used {
            known.used = Some(used);
            known.by = Some(collection.id.to_string());
        }
    }
    Ok(())
}

/// Notes the health check that has most tags, unless a zone has as many.
fn note_fullest_check(
    snapshot: &Snapshot,
    account: &AccountId,
    uses: &mut [QuotaUse],
) -> Result<(), ReadError> {
    let mut known = uses.iter_mut();
    let Some(known) = known.find(|known| known.quota == Quota::TagsByResource) else {
        return Ok(());
    };
    for check in snapshot.health_checks_of(account, None, usize::MAX)? {
        let used = tags_of(snapshot, TaggedKind::HealthCheck, check.id.as_str())?;
        if used > known.used.unwrap_or(0) {
            known.used = Some(used);
            known.by = Some(check.id.to_string());
        }
    }
    Ok(())
}

/// Notes for what each zone may have the zone that has most of it; of several the first by id.
fn note_fullest(
    snapshot: &Snapshot,
    account: &AccountId,
    uses: &mut [QuotaUse],
) -> Result<(), ReadError> {
    let by_zone = |quota| {
        matches!(
            quota,
            Quota::RecordSetsByZone
                | Quota::VpcsByZone
                | Quota::VpcAuthorizationsByZone
                | Quota::ProtectionsByZone
                | Quota::TagsByResource
        )
    };
    let mut from: Option<ZoneId> = None;
    // Ends with the account's last zone.
    loop {
        let mut zones = snapshot.zones_of(account, from.as_ref(), PAGE + 1)?;
        from = zones
            .split_off(PAGE.min(zones.len()))
            .pop()
            .map(|zone| zone.id);
        for zone in &zones {
            for known in uses.iter_mut().filter(|known| by_zone(known.quota)) {
                let used = in_zone(snapshot, zone, known.quota)?;
                if used > known.used.unwrap_or(0) {
                    known.used = Some(used);
                    known.by = Some(zone.id.to_string());
                }
            }
        }
        if from.is_none() {
            break;
        }
    }
    for known in uses.iter_mut().filter(|known| by_zone(known.quota)) {
        known.used.get_or_insert(0);
    }
    Ok(())
}
