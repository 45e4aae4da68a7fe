//! DisassociateVPCFromHostedZone.

use meridian_model::plan_disassociate_vpc;

use super::vpc::{association_words, known_vpc, vpc_context, zone_for_vpc};
use super::{Outcome, Planned, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::{ChangeOutcome, ZoneAndVpc};
use crate::rights::{authorize_with, zone_arn};

impl Control {
    /// DisassociateVPCFromHostedZone: by the owner of the zone or that of the VPC.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, for zones of others that the caller's VPC does not see too;
    /// `InvalidVPCId`, `VPCAssociationNotFound`, `LastVPCAssociation`, `InvalidInput`.
    pub fn disassociate_vpc(
        &self,
        caller: &Caller,
        request: &ZoneAndVpc,
    ) -> Outcome<ChangeOutcome> {
        let id = request.hosted_zone_id.as_str();
        let effects = self.submit_to(Some(id), caller, |snapshot, _| {
            let action = "route53:DisassociateVPCFromHostedZone";
            let context = vpc_context(snapshot, Some(&request.vpc))?;
            authorize_with(snapshot, caller, action, &zone_arn(id), || context)?;
            let vpc = known_vpc(snapshot, &request.vpc);
            let zone = zone_for_vpc(snapshot, caller, id, |zone| {
                let vpc = vpc.as_ref().ok();
                let own = vpc.filter(|vpc| vpc.account == caller.account);
                Ok(own.is_some_and(|vpc| zone.is_seen_by(&vpc.id)))
            })?;
            let effects = plan_disassociate_vpc(&zone, &vpc?.id)
                .map_err(|refusal| association_words(refusal, &zone))?;
            Ok(Planned {
                zone,
                effects,
                comment: request.comment.clone(),
            })
        })?;
        submitted(&effects)
    }
}
