//! ListHostedZonesByName.

use meridian_dns::Name;
use meridian_model::ZoneId;

use super::list_hosted_zones::MAX_ZONES;
use super::{Outcome, counted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ListHostedZonesByName, ZonesByNamePage};
use crate::rights::authorize;

impl Control {
    /// ListHostedZonesByName: a page of the account's zones from a name on. Not a filter.
    ///
    /// # Errors
    /// `InvalidDomainName`, and `InvalidInput` for an id without a name.
    pub fn list_hosted_zones_by_name(
        &self,
        caller: &Caller,
        request: &ListHostedZonesByName,
    ) -> Outcome<ZonesByNamePage> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:ListHostedZonesByName", "*")?;
        let name = start(request.dns_name.as_deref())?;
        let id = match (&name, request.hosted_zone_id.as_deref()) {
            (_, None) => None,
            (None, Some(_)) => {
                let text = "DNSName is required when HostedZoneId is given.";
                return Err(Refusal::InvalidInput(text.to_owned()).into());
            }
            (Some(_), Some(id)) => Some(
                ZoneId::new(id)
                    .map_err(|_| Refusal::InvalidInput(format!("Invalid hosted zone ID: {id}")))?,
            ),
        };
        let from = name.as_ref().map(|name| (name, id.as_ref()));
        let limit = request.max_items.clamp(1, MAX_ZONES);
        let mut zones = snapshot.zones_of_by_name(&caller.account, from, limit + 1)?;
        let next = zones.split_off(limit.min(zones.len())).pop();
        let zones = zones.into_iter().map(|zone| counted(&snapshot, zone));
        Ok(ZonesByNamePage {
            zones: zones.collect::<Outcome<_>>()?,
            next,
        })
    }
}

fn start(text: Option<&str>) -> Result<Option<Name>, Refusal> {
    let parse = |text| match Name::parse(text) {
        Ok(name) => Ok(name.to_lowercase()),
        Err(error) => Err(Refusal::InvalidDomainName(format!(
            "FATAL problem: {error}"
        ))),
    };
    text.map(parse).transpose()
}
