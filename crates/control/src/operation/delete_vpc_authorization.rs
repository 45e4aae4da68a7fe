//! DeleteVPCAssociationAuthorization.

use meridian_model::Effect;

use super::Outcome;
use super::vpc::{known_vpc, named_id, vpc_context};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::ZoneAndVpc;
use crate::rights::{authorize_with, own_zone, zone_arn};

impl Control {
    /// DeleteVPCAssociationAuthorization: the owner of the VPC may not associate it any more. An
    /// association that there is stays.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidVPCId`, `VPCAssociationAuthorizationNotFound`, `InvalidInput`.
    pub fn delete_vpc_authorization(&self, caller: &Caller, request: &ZoneAndVpc) -> Outcome<()> {
        let id = request.hosted_zone_id.as_str();
        self.write_to(Some(id), caller, |snapshot, _| {
            let action = "route53:DeleteVPCAssociationAuthorization";
            let context = vpc_context(snapshot, Some(&request.vpc))?;
            authorize_with(snapshot, caller, action, &zone_arn(id), || context)?;
            let zone = own_zone(snapshot, caller, id)?;
            // One of a VPC that an operator has deleted can still be taken back.
            let vpc = named_id(&request.vpc)?.ok_or(Refusal::InvalidVpcId)?;
            if snapshot.vpc_authorization(&zone.id, &vpc)?.is_none() {
                known_vpc(snapshot, &request.vpc)?;
                return Err(Refusal::VpcAssociationAuthorizationNotFound.into());
            }
            let zone = zone.id;
            Ok(vec![Effect::DeleteVpcAuthorization { zone, vpc }])
        })?;
        Ok(())
    }
}
