//! ListVPCAssociationAuthorizations.

use meridian_model::{VpcId, Zone};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::page_token;
use crate::refusal::Refusal;
use crate::request::{ListVpcAuthorizations, VpcPage};
use crate::rights::{authorize, own_zone, zone_arn};

/// The longest page.
const MAX_VPCS: usize = 50;
/// What its tokens are of.
const LIST: &str = "vpc-authorizations";

impl Control {
    /// ListVPCAssociationAuthorizations: a page of the VPCs that may be associated, by id.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidPaginationToken`.
    pub fn list_vpc_authorizations(
        &self,
        caller: &Caller,
        request: &ListVpcAuthorizations,
    ) -> Outcome<VpcPage> {
        let snapshot = self.fresh()?;
        let id = request.hosted_zone_id.as_str();
        let action = "route53:ListVPCAssociationAuthorizations";
        authorize(&snapshot, caller, action, &zone_arn(id))?;
        let zone = own_zone(&snapshot, caller, id)?;
        let token = request.token.as_deref();
        let from = token.map(|token| read_token(&zone, token)).transpose()?;
        let limit = request.max_results.clamp(1, MAX_VPCS);
        let mut all = snapshot.vpc_authorizations_from(&zone.id, from.as_ref(), limit + 1)?;
        let next = all.split_off(limit.min(all.len())).pop();
        Ok(VpcPage {
            vpcs: all.into_iter().map(|one| one.vpc).collect(),
            next: next.map(|one| token_of(&zone, &one.vpc.id)),
            zone: zone.id,
        })
    }
}

/// The zone is in it, so that nobody mistakes one zone's for another's.
fn token_of(zone: &Zone, next: &VpcId) -> String {
    let parts = [zone.id.as_str().as_bytes(), next.as_str().as_bytes()];
    page_token::write(LIST, &parts)
}

fn read_token(zone: &Zone, token: &str) -> Result<VpcId, Refusal> {
    let [id, vpc] = page_token::read::<2>(LIST, token)?;
    let vpc = str::from_utf8(&vpc)
        .ok()
        .and_then(|vpc| VpcId::new(vpc).ok());
    vpc.filter(|_| id == zone.id.as_str().as_bytes())
        .ok_or(Refusal::InvalidPaginationToken)
}
