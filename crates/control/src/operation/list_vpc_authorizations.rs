//! ListVPCAssociationAuthorizations.

use meridian_model::VpcId;

use super::Outcome;
use super::vpc::{read_token, token};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::{ListVpcAuthorizations, VpcPage};
use crate::rights::{authorize, own_zone, zone_arn};

/// The longest page.
const MAX_VPCS: usize = 50;

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
        let from = read_token(request.token.as_deref(), |id| VpcId::new(id).ok())?;
        let limit = request.max_results.clamp(1, MAX_VPCS);
        let mut all = snapshot.vpc_authorizations_from(&zone.id, from.as_ref(), limit + 1)?;
        let next = all.split_off(limit.min(all.len())).pop();
        Ok(VpcPage {
            zone: zone.id,
            vpcs: all.into_iter().map(|one| one.vpc).collect(),
            next: next.map(|one| token(one.vpc.id.as_str())),
        })
    }
}
