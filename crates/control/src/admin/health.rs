//! Switches of health checks that are kept in the journal, and routing controls.

use std::collections::BTreeMap;

use meridian_log::ReadError;
use meridian_model::{
    ControlState, Effect, Health, HealthCheckId, HealthSubject, HealthSwitch, HealthSwitchRefusal,
    PlanError, RoutingControl, is_routing_control, plan_release_health_check,
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

impl Control {
    /// Turns a routing control, whether a check goes by it yet or not.
    ///
    /// # Errors
    /// When it cannot be one by its name.
    pub fn turn_routing_control(&self, arn: &str, state: ControlState) -> Outcome<RoutingControl> {
        if !is_routing_control(arn) {
            return Err(AdminError::BadRoutingControl(arn.to_owned()));
        }
        self.administer(|_, facts| {
            let control = RoutingControl {
                arn: arn.to_owned(),
                state,
                principal: OPERATOR.to_owned(),
                at: facts.now,
            };
            let effect = Effect::PutRoutingControl(control.clone());
            Ok((vec![effect], control))
        })
    }

    /// Every routing control that was ever turned or that a check goes by, by its ARN, with how it
    /// was turned last and these checks.
    ///
    /// # Errors
    /// Faults only.
    pub fn routing_controls(&self) -> Outcome<Vec<ControlUse>> {
        let snapshot = self.fresh()?;
        let turned = snapshot.routing_controls()?.into_iter();
        let turned = turned.map(|control| {
            let control_use = ControlUse {
                arn: control.arn.clone(),
                turned: Some(control),
                checks: Vec::new(),
            };
            (control_use.arn.clone(), control_use)
        });
        let mut all: BTreeMap<String, ControlUse> = turned.collect();
        for check in snapshot.health_checks()? {
            let HealthSubject::RoutingControl(arn) = check.config.subject else {
                continue;
            };
            let known = all.entry(arn.clone()).or_insert_with(|| ControlUse {
                arn,
                turned: None,
                checks: Vec::new(),
            });
            known.checks.push(check.id);
        }
        Ok(all.into_values().collect())
    }
}

/// A routing control and who goes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlUse {
    /// Its ARN.
    pub arn: String,
    /// How it was turned last, if it ever was. Otherwise it is off.
    pub turned: Option<RoutingControl>,
    /// The checks, by id.
    pub checks: Vec<HealthCheckId>,
}

fn refused(error: PlanError<HealthSwitchRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::State(error) => error.into(),
    }
}
