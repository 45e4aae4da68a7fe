//! UpdateHealthCheck.

use meridian_model::{HealthCheck, plan_update_health_check};

use super::create_health_check::{words, written};
use super::get_health_check::{health_check_arn, own_health_check};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Fault;
use crate::request::UpdateHealthCheck;
use crate::rights::authorize;

impl Control {
    /// UpdateHealthCheck: what it names changes, and the version.
    ///
    /// # Errors
    /// `NoSuchHealthCheck`, `HealthCheckVersionMismatch`, `InvalidInput`.
    pub fn update_health_check(
        &self,
        caller: &Caller,
        request: &UpdateHealthCheck,
    ) -> Outcome<HealthCheck> {
        let id = request.health_check_id.as_str();
        let effects = self.write(caller, |snapshot, _| {
            let action = "route53:UpdateHealthCheck";
            authorize(snapshot, caller, action, &health_check_arn(id))?;
            let check = own_health_check(snapshot, caller, id)?;
            plan_update_health_check(snapshot, &check, request.update.clone())
                .map(|planned| planned.effects)
                .map_err(|error| refused(error, words))
        })?;
        let lost = || Fault::Storage("a commit lost its health check".to_owned());
        Ok(written(effects).ok_or_else(lost)?)
    }
}
