//! DeleteHealthCheck.

use meridian_model::plan_delete_health_check;

use super::create_health_check::words;
use super::get_health_check::{health_check_arn, own_health_check};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::rights::authorize;

impl Control {
    /// DeleteHealthCheck: also one that record sets name, which count as healthy from then on.
    ///
    /// # Errors
    /// `NoSuchHealthCheck`; `HealthCheckInUse` for one that another check is calculated from.
    pub fn delete_health_check(&self, caller: &Caller, id: &str) -> Outcome<()> {
        self.write(caller, |snapshot, _| {
            let action = "route53:DeleteHealthCheck";
            authorize(snapshot, caller, action, &health_check_arn(id))?;
            let check = own_health_check(snapshot, caller, id)?;
            plan_delete_health_check(snapshot, &check).map_err(|error| refused(error, words))
        })?;
        Ok(())
    }
}
