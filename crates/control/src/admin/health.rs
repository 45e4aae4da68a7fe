//! Switches of health checks that are kept in the journal.

use meridian_log::ReadError;
use meridian_model::{
    Health, HealthCheckId, HealthSwitch, HealthSwitchRefusal, PlanError, plan_release_health_check,
    plan_switch_health_check,
};

use super::{AdminError, OPERATOR, Outcome};
use crate::control::Control;

impl Control {
    /// Has a check's outcome be this, whatever is observed, until it is released.
    ///
    /// # Errors
    /// [`HealthSwitchRefusal`].
    pub fn force_health(
        &self,
        id: &HealthCheckId,
        health: Health,
        reason: &str,
    ) -> Outcome<HealthSwitch> {
        self.administer(|snapshot, facts| {
            let switch = HealthSwitch {
                check: id.clone(),
                health,
                reason: reason.to_owned(),
                principal: OPERATOR.to_owned(),
                at: facts.now,
            };
            let effects = plan_switch_health_check(snapshot, switch.clone()).map_err(refused)?;
            Ok((effects, switch))
        })
    }

    /// Has a check's outcome be what is observed again.
    ///
    /// # Errors
    /// [`HealthSwitchRefusal`].
    pub fn release_health(&self, id: &HealthCheckId) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let effects = plan_release_health_check(snapshot, id).map_err(refused)?;
            Ok((effects, ()))
        })
    }
}

fn refused(error: PlanError<HealthSwitchRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::State(error) => error.into(),
    }
}
