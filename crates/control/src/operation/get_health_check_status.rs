//! GetHealthCheckStatus, GetHealthCheckLastFailureReason and GetCheckerIpRanges: what checkers
//! saw, and where they are.

use meridian_model::{HealthCheckType, HealthSlot, Network};

use super::Outcome;
use super::get_health_check::{health_check_arn, own_health_check};
use crate::caller::Caller;
use crate::control::Control;
use crate::observations::{Observation, Observations};
use crate::refusal::Refusal;
use crate::rights::authorize;

/// What is asked of whoever has seen something.
type Asked = fn(&dyn Observations, HealthSlot) -> Vec<Observation>;

impl Control {
    /// GetHealthCheckStatus: what each checker found last, by region and address.
    ///
    /// # Errors
    /// `NoSuchHealthCheck`; `InvalidInput` for a check that is calculated.
    pub fn health_check_status(&self, caller: &Caller, id: &str) -> Outcome<Vec<Observation>> {
        self.observed(caller, id, "GetHealthCheckStatus", |seen, slot| {
            seen.status(slot)
        })
    }

    /// GetHealthCheckLastFailureReason: what each checker found when it last found a failure.
    ///
    /// # Errors
    /// As for [`Control::health_check_status`].
    pub fn health_check_last_failures(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Outcome<Vec<Observation>> {
        let operation = "GetHealthCheckLastFailureReason";
        self.observed(caller, id, operation, |seen, slot| seen.last_failures(slot))
    }

    /// GetCheckerIpRanges: where probes come from, in order. Everybody may know, so no right is
    /// asked for.
    pub fn checker_networks(&self) -> Vec<Network> {
        let mut networks = self.observations.checkers();
        networks.sort_unstable();
        networks.dedup();
        networks
    }

    fn observed(
        &self,
        caller: &Caller,
        id: &str,
        operation: &str,
        asked: Asked,
    ) -> Outcome<Vec<Observation>> {
        let snapshot = self.fresh()?;
        let action = format!("route53:{operation}");
        authorize(&snapshot, caller, &action, &health_check_arn(id))?;
        let check = own_health_check(&snapshot, caller, id)?;
        // Nobody looks at anything for them; what they come to is in the state of their children.
        if check.config.check_type() == HealthCheckType::Calculated {
            return Err(Refusal::InvalidInput(format!(
                "Invalid parameter : {operation} is not available for calculated health checks."
            ))
            .into());
        }
        let mut observations = asked(self.observations.as_ref(), check.slot);
        observations.sort_by(|a, b| (&a.region, a.address).cmp(&(&b.region, b.address)));
        Ok(observations)
    }
}
