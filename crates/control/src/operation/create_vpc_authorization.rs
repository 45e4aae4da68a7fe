//! CreateVPCAssociationAuthorization.

use meridian_model::{AssociatedVpc, AuthorizationRefusal, plan_authorize_vpc};

use super::vpc::{known_vpc, vpc_context};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::ZoneAndVpc;
use crate::rights::{authorize_with, own_zone, zone_arn};

impl Control {
    /// CreateVPCAssociationAuthorization: from now on the owner of the VPC may associate it with
    /// the caller's zone.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidVPCId`, `TooManyVPCAssociationAuthorizations`, `InvalidInput`
    /// for a public zone.
    pub fn create_vpc_authorization(
        &self,
        caller: &Caller,
        request: &ZoneAndVpc,
    ) -> Outcome<AssociatedVpc> {
        let id = request.hosted_zone_id.as_str();
        self.write_to(Some(id), caller, |snapshot, _| {
            let action = "route53:CreateVPCAssociationAuthorization";
            let context = vpc_context(snapshot, Some(&request.vpc))?;
            authorize_with(snapshot, caller, action, &zone_arn(id), || context)?;
            let zone = own_zone(snapshot, caller, id)?;
            let vpc = known_vpc(snapshot, &request.vpc)?;
            plan_authorize_vpc(snapshot, &zone, &vpc).map_err(|error| refused(error, words))
        })?;
        Ok(known_vpc(&self.fresh()?, &request.vpc)?.associated())
    }
}

fn words(refusal: AuthorizationRefusal) -> Refusal {
    match refusal {
        AuthorizationRefusal::Public => Refusal::InvalidInput(
            "A VPC can be associated with private hosted zones only.".to_owned(),
        ),
        AuthorizationRefusal::TooMany => Refusal::TooManyVpcAssociationAuthorizations,
    }
}
