//! GetHealthCheck, and how every operation finds a check that a caller names.

use meridian_log::Snapshot;
use meridian_model::{HealthCheck, HealthCheckId, State};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::rights::authorize;

impl Control {
    /// GetHealthCheck.
    ///
    /// # Errors
    /// `NoSuchHealthCheck`, for those of other accounts too.
    pub fn health_check(&self, caller: &Caller, id: &str) -> Outcome<HealthCheck> {
        let snapshot = self.fresh()?;
        let resource = health_check_arn(id);
        authorize(&snapshot, caller, "route53:GetHealthCheck", &resource)?;
        own_health_check(&snapshot, caller, id)
    }
}

/// The check, if it exists and belongs to the caller's account.
pub(super) fn own_health_check(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Outcome<HealthCheck> {
    let missing = || Refusal::NoSuchHealthCheck(id.to_owned());
    let id = HealthCheckId::new(id).map_err(|_| missing())?;
    let check = snapshot.health_check(&id)?;
    let own = check.filter(|check| check.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The ARN of a health check.
pub(super) fn health_check_arn(id: &str) -> String {
    format!("arn:aws:route53:::healthcheck/{id}")
}
