//! ListHealthChecks and GetHealthCheckCount, as long as no health check can be made: whether the
//! caller may ask. Clients ask before they change anything.

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::rights::authorize;

impl Control {
    /// ListHealthChecks: there are none.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub fn list_health_checks(&self, caller: &Caller) -> Outcome<()> {
        authorize(&self.fresh()?, caller, "route53:ListHealthChecks", "*")
    }

    /// GetHealthCheckCount: there are none.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub fn count_health_checks(&self, caller: &Caller) -> Outcome<()> {
        authorize(&self.fresh()?, caller, "route53:GetHealthCheckCount", "*")
    }
}
