//! ListHostedZonesByVPC.

use meridian_model::{VpcId, ZoneId};

use super::Outcome;
use super::list_hosted_zones::MAX_ZONES;
use super::vpc::{known_vpc, vpc_context};
use crate::caller::Caller;
use crate::control::Control;
use crate::page_token;
use crate::refusal::Refusal;
use crate::request::{ListHostedZonesByVpc, ZonesByVpcPage};
use crate::rights::authorize_with;

/// What its tokens are of.
const LIST: &str = "zones-by-vpc";

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
        let context = vpc_context(&snapshot, Some(&request.vpc))?;
        let action = "route53:ListHostedZonesByVPC";
        authorize_with(&snapshot, caller, action, "*", || context)?;
        // InvalidVPCId is not among the errors of this operation.
        let own = known_vpc(&snapshot, &request.vpc).ok();
        let own = own.filter(|vpc| vpc.account == caller.account);
        let vpc = own.ok_or_else(|| Refusal::InvalidInput(Refusal::InvalidVpcId.to_string()))?;
        let token = request.token.as_deref();
        let from = token.map(|token| read_token(&vpc.id, token)).transpose()?;
        let limit = request.max_items.clamp(1, MAX_ZONES);
        let mut zones = snapshot.zones_of_vpc_from(&vpc.id, from.as_ref(), limit + 1)?;
        let next = zones.split_off(limit.min(zones.len())).pop();
        Ok(ZonesByVpcPage {
            zones,
            next: next.map(|zone| token_of(&vpc.id, &zone.id)),
        })
    }
}

/// The VPC is in it, so that nobody mistakes one VPC's for another's.
fn token_of(vpc: &VpcId, next: &ZoneId) -> String {
    let parts = [vpc.as_str().as_bytes(), next.as_str().as_bytes()];
    page_token::write(LIST, &parts)
}

fn read_token(vpc: &VpcId, token: &str) -> Result<ZoneId, Refusal> {
    let [id, zone] = page_token::read::<2>(LIST, token)?;
    let zone = str::from_utf8(&zone)
        .ok()
        .and_then(|zone| ZoneId::new(zone).ok());
    zone.filter(|_| id == vpc.as_str().as_bytes())
        .ok_or(Refusal::InvalidPaginationToken)
}
