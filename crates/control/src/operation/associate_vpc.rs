//! AssociateVPCWithHostedZone.

use meridian_model::{PlanError, plan_associate_vpc};

use super::vpc::{association_words, known_vpc, vpc_context, zone_for_vpc};
use super::{Outcome, Planned, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ChangeOutcome, ZoneAndVpc};
use crate::rights::{authorize_with, zone_arn};

impl Control {
    /// AssociateVPCWithHostedZone: by the owner of the VPC, who owns the zone too or was authorized
    /// by its owner.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, for zones of others that do not authorize the VPC too;
    /// `NotAuthorizedException` for VPCs of others; `InvalidVPCId`, `PublicZoneVPCAssociation`,
    /// `ConflictingDomainExists`, `LimitsExceeded`, `InvalidInput`.
    pub fn associate_vpc(&self, caller: &Caller, request: &ZoneAndVpc) -> Outcome<ChangeOutcome> {
        let id = request.hosted_zone_id.as_str();
        let effects = self.submit_to(Some(id), caller, |snapshot, _| {
            let action = "route53:AssociateVPCWithHostedZone";
            let context = vpc_context(snapshot, Some(&request.vpc))?;
            authorize_with(snapshot, caller, action, &zone_arn(id), || context)?;
            let vpc = known_vpc(snapshot, &request.vpc);
            let zone = zone_for_vpc(snapshot, caller, id, |zone| {
                let Ok(vpc) = &vpc else {
                    return Ok(false);
                };
                let authorization = snapshot.vpc_authorization(&zone.id, &vpc.id)?;
                let theirs = |account| vpc.account == caller.account && account == vpc.account;
                Ok(authorization.is_some_and(|one| theirs(one.account)))
            })?;
            let vpc = vpc?;
            if vpc.account != caller.account {
                return Err(Refusal::NotAuthorized(vpc.id.to_string()).into());
            }
            let effects =
                plan_associate_vpc(snapshot, &zone, &vpc).map_err(|error| match error {
                    PlanError::Refused(refusal) => association_words(refusal, &zone).into(),
                    PlanError::State(error) => crate::refusal::OperationError::from(error),
                })?;
            Ok(Planned {
                zone,
                effects,
                comment: request.comment.clone(),
            })
        })?;
        submitted(&effects)
    }
}
