//! DeleteHostedZone.

use meridian_model::{ZoneNotEmpty, plan_delete_zone};

use super::{Outcome, Planned, refused, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::ChangeOutcome;
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// DeleteHostedZone.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `HostedZoneNotEmpty`.
    pub fn delete_hosted_zone(&self, caller: &Caller, id: &str) -> Outcome<ChangeOutcome> {
        let effects = self.submit_to(Some(id), caller, |snapshot, _| {
            authorize(snapshot, caller, "route53:DeleteHostedZone", &zone_arn(id))?;
            let zone = own_zone(snapshot, caller, id)?;
            let effects =
                plan_delete_zone(snapshot, &zone).map_err(|error| refused(error, words))?;
            Ok(Planned {
                zone,
                effects,
                comment: None,
            })
        })?;
        submitted(&effects)
    }
}

fn words(refusal: ZoneNotEmpty) -> Refusal {
    match refusal {
        ZoneNotEmpty::RecordSets => Refusal::HostedZoneNotEmpty,
        ZoneNotEmpty::Protections => Refusal::HostedZoneProtected,
    }
}
