//! GetHostedZoneCount.

use meridian_model::State;

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::rights::authorize;

impl Control {
    /// GetHostedZoneCount: how many zones the account has.
    ///
    /// # Errors
    /// `AccessDenied` only.
    pub fn hosted_zone_count(&self, caller: &Caller) -> Outcome<u64> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:GetHostedZoneCount", "*")?;
        Ok(snapshot.zone_count(&caller.account)?)
    }
}
