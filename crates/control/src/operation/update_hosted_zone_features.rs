//! UpdateHostedZoneFeatures.

use meridian_model::{NotPublic, plan_zone_features};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::UpdateHostedZoneFeatures;
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// UpdateHostedZoneFeatures: the one feature is accelerated recovery.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, and `InvalidInput` for a private zone. `LimitsExceeded`, which Route 53
    /// declares, has nothing to count here.
    pub fn update_hosted_zone_features(
        &self,
        caller: &Caller,
        request: &UpdateHostedZoneFeatures,
    ) -> Outcome<()> {
        let id = request.hosted_zone_id.as_str();
        self.write_to(Some(id), caller, |snapshot, _| {
            let action = "route53:UpdateHostedZoneFeatures";
            authorize(snapshot, caller, action, &zone_arn(id))?;
            let zone = own_zone(snapshot, caller, id)?;
            let planned = plan_zone_features(zone, request.accelerated_recovery);
            Ok(planned.map_err(|NotPublic| {
                let text = "Accelerated recovery is available for public hosted zones only.";
                Refusal::InvalidInput(text.to_owned())
            })?)
        })?;
        Ok(())
    }
}
