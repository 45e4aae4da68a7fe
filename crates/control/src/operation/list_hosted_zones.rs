//! ListHostedZones.

use meridian_log::Snapshot;
use meridian_model::{Zone, ZoneId};

use super::get_reusable_delegation_set::own_delegation_set;
use super::{Outcome, counted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ListHostedZones, ZonePage};
use crate::rights::authorize;

/// The longest page.
pub(super) const MAX_ZONES: usize = 100;
/// How many zones are read at a time where only some are wanted.
const SCANNED: usize = 1000;

impl Control {
    /// ListHostedZones: a page of the account's zones, by id.
    ///
    /// # Errors
    /// `InvalidInput` for a marker that cannot be one, `NoSuchDelegationSet`,
    /// `DelegationSetNotReusable`.
    pub fn list_hosted_zones(
        &self,
        caller: &Caller,
        request: &ListHostedZones,
    ) -> Outcome<ZonePage> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:ListHostedZones", "*")?;
        let delegation_set = request.delegation_set_id.as_deref();
        let delegation_set = delegation_set.map(|id| own_delegation_set(&snapshot, caller, id));
        let delegation_set = delegation_set.transpose()?;
        let from = request.marker.as_deref().map(|marker| {
            let wrong = |_| Refusal::InvalidInput(format!("Invalid marker: {marker}"));
            ZoneId::new(marker).map_err(wrong)
        });
        let from = from.transpose()?;
        let limit = request.max_items.clamp(1, MAX_ZONES);
        let (from, most) = (from.as_ref(), limit + 1);
        let mut zones = match &delegation_set {
            Some(set) => snapshot.zones_of_delegation_set(&set.id, from, most)?,
            None if request.private_only => private_zones(&snapshot, caller, from, most)?,
            None => snapshot.zones_of(&caller.account, from, most)?,
        };
        if request.private_only {
            // No reusable set is a private zone's.
            zones.retain(|zone| zone.private);
        }
        let next = zones
            .split_off(limit.min(zones.len()))
            .pop()
            .map(|zone| zone.id);
        let zones = zones.into_iter().map(|zone| counted(&snapshot, zone));
        Ok(ZonePage {
            zones: zones.collect::<Outcome<_>>()?,
            next,
        })
    }
}

/// The account's private zones from this id on.
fn private_zones(
    snapshot: &Snapshot,
    caller: &Caller,
    from: Option<&ZoneId>,
    most: usize,
) -> Outcome<Vec<Zone>> {
    let mut found = Vec::new();
    let mut from = from.cloned();
    // Ends with the account's last zone.
    loop {
        let mut zones = snapshot.zones_of(&caller.account, from.as_ref(), SCANNED + 1)?;
        let next = zones.split_off(SCANNED.min(zones.len())).pop();
        found.extend(zones.into_iter().filter(|zone| zone.private));
        match next {
            Some(zone) if found.len() < most => from = Some(zone.id),
            _ => break,
        }
    }
    found.truncate(most);
    Ok(found)
}
