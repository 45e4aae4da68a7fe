//! ListHostedZonesByVPC.

use meridian_model::ZoneId;

use super::Outcome;
use super::list_hosted_zones::MAX_ZONES;
use super::vpc::{known_vpc, read_token, token};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ListHostedZonesByVpc, ZonesByVpcPage};
use crate::rights::{Context, authorize_with};

impl Control {
    /// ListHostedZonesByVPC: a page of the private zones that a VPC of the caller sees, of every
    /// account, by id.
    ///
    /// # Errors
    /// `InvalidInput` for a VPC that the caller does not have, `InvalidPaginationToken`.
    pub fn list_hosted_zones_by_vpc(
        &self,
        caller: &Caller,
        request: &ListHostedZonesByVpc,
    ) -> Outcome<ZonesByVpcPage> {
        let snapshot = self.fresh()?;
        let context = || Context::of_vpc(Some(&request.vpc));
        let action = "route53:ListHostedZonesByVPC";
        authorize_with(&snapshot, caller, action, "*", context)?;
        // InvalidVPCId is not among the errors of this operation.
        let own = known_vpc(&snapshot, &request.vpc).ok();
        let own = own.filter(|vpc| vpc.account == caller.account);
        let vpc = own.ok_or_else(|| Refusal::InvalidInput(Refusal::InvalidVpcId.to_string()))?;
        let from = read_token(request.token.as_deref(), |id| ZoneId::new(id).ok())?;
        let limit = request.max_items.clamp(1, MAX_ZONES);
        let mut zones = snapshot.zones_of_vpc_from(&vpc.id, from.as_ref(), limit + 1)?;
        let next = zones.split_off(limit.min(zones.len())).pop();
        Ok(ZonesByVpcPage {
            zones,
            next: next.map(|zone| token(zone.id.as_str())),
        })
    }
}
