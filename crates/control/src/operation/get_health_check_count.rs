//! GetHealthCheckCount.

use meridian_model::State;

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::rights::authorize;

impl Control {
    /// GetHealthCheckCount: how many the account has.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub fn health_check_count(&self, caller: &Caller) -> Outcome<u64> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:GetHealthCheckCount", "*")?;
        Ok(snapshot.health_check_count(&caller.account)?)
    }
}
