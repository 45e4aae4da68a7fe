//! ListHealthChecks.

use meridian_model::HealthCheckId;

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{HealthCheckPage, ListHealthChecks};
use crate::rights::authorize;

/// The longest page.
const MAX_CHECKS: usize = 1000;

impl Control {
    /// ListHealthChecks: a page of the account's checks, by id.
    ///
    /// # Errors
    /// `InvalidInput` for a marker that cannot be one.
    pub fn list_health_checks(
        &self,
        caller: &Caller,
        request: &ListHealthChecks,
    ) -> Outcome<HealthCheckPage> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:ListHealthChecks", "*")?;
        let from = request.marker.as_deref().map(|marker| {
            let wrong = |_| Refusal::InvalidInput(format!("Invalid marker: {marker}"));
            HealthCheckId::new(marker).map_err(wrong)
        });
        let from = from.transpose()?;
        let limit = request.max_items.clamp(1, MAX_CHECKS);
        let mut checks = snapshot.health_checks_of(&caller.account, from.as_ref(), limit + 1)?;
        let rest = checks.split_off(limit.min(checks.len()));
        let next = rest.into_iter().next().map(|check| check.id);
        Ok(HealthCheckPage { checks, next })
    }
}
