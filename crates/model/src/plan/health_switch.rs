//! Switches of health checks: somebody says what an outcome is, and takes it back.

use super::PlanError;
use crate::effect::Effect;
use crate::health_check::{HealthSwitch, check_reason};
use crate::id::HealthCheckId;
use crate::state::State;

/// Why a check is not switched, or the switch not taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum HealthSwitchRefusal {
    #[error("there is no health check '{0}'; `meridian health list` shows all")]
    Unknown(HealthCheckId),
    #[error("{0}")]
    Reason(&'static str),
    #[error("nobody has said what the outcome of the health check {0} is")]
    NotSwitched(HealthCheckId),
}

type Planned<E> = Result<Vec<Effect>, PlanError<HealthSwitchRefusal, E>>;

/// The effects that have a check's outcome be what the switch says. A switch of before is gone.
///
/// # Errors
/// [`HealthSwitchRefusal`], or the state's error.
pub fn plan_switch_health_check<S: State>(state: &S, switch: HealthSwitch) -> Planned<S::Error> {
    let refuse = |refusal| Err(PlanError::Refused(refusal));
    if let Err(problem) = check_reason(&switch.reason) {
        return refuse(HealthSwitchRefusal::Reason(problem));
    }
    if state.health_check(&switch.check)?.is_none() {
        return refuse(HealthSwitchRefusal::Unknown(switch.check));
    }
    Ok(vec![Effect::PutHealthSwitch(switch)])
}

/// The effects that take a switch back.
///
/// # Errors
/// [`HealthSwitchRefusal`], or the state's error.
pub fn plan_release_health_check<S: State>(state: &S, id: &HealthCheckId) -> Planned<S::Error> {
    let refuse = |refusal| Err(PlanError::Refused(refusal));
    if state.health_check(id)?.is_none() {
        return refuse(HealthSwitchRefusal::Unknown(id.clone()));
    }
    if state.health_switch(id)?.is_none() {
        return refuse(HealthSwitchRefusal::NotSwitched(id.clone()));
    }
    Ok(vec![Effect::DeleteHealthSwitch(id.clone())])
}
