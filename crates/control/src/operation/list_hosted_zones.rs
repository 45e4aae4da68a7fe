//! ListHostedZones.

use meridian_model::ZoneId;

use super::{Outcome, counted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ListHostedZones, ZonePage};
use crate::rights::authorize;

/// The longest page.
pub(super) const MAX_ZONES: usize = 100;

impl Control {
    /// ListHostedZones: a page of the account's zones, by id.
    ///
    /// # Errors
    /// `InvalidInput` for a marker that cannot be one, `NoSuchDelegationSet`.
    pub fn list_hosted_zones(
        &self,
        caller: &Caller,
        request: &ListHostedZones,
    ) -> Outcome<ZonePage> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:ListHostedZones", "*")?;
        if let Some(id) = &request.delegation_set_id {
            return Err(Refusal::NoSuchDelegationSet(id.clone()).into());
        }
        if request.private_only {
            return Ok(ZonePage {
                zones: Vec::new(),
                next: None,
            });
        }
        let from = request.marker.as_deref().map(|marker| {
            let wrong = |_| Refusal::InvalidInput(format!("Invalid marker: {marker}"));
            ZoneId::new(marker).map_err(wrong)
        });
        let from = from.transpose()?;
        let limit = request.max_items.clamp(1, MAX_ZONES);
        let mut zones = snapshot.zones_of(&caller.account, from.as_ref(), limit + 1)?;
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
