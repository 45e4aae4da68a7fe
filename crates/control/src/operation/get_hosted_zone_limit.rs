//! GetHostedZoneLimit.

use meridian_model::{Quota, State};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::Limit;
use crate::rights::{authorize, own_zone, zone_arn};
use crate::usage;

impl Control {
    /// GetHostedZoneLimit: how much of something a zone may have, and how much it has.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, and `HostedZoneNotPrivate` for the networks of a public zone.
    pub fn hosted_zone_limit(&self, caller: &Caller, id: &str, quota: Quota) -> Outcome<Limit> {
        let snapshot = self.fresh()?;
        let action = "route53:GetHostedZoneLimit";
        authorize(&snapshot, caller, action, &zone_arn(id))?;
        let zone = own_zone(&snapshot, caller, id)?;
        if quota == Quota::VpcsByZone && !zone.private {
            return Err(Refusal::HostedZoneNotPrivate.into());
        }
        Ok(Limit {
            quota,
            value: snapshot.limit(&caller.account, quota)?,
            count: usage::in_zone(&snapshot, &zone, quota)?,
        })
    }
}
