//! CreateHealthCheck, and the words for what is wrong with a check.

use meridian_model::{
    Effect, HealthCheck, HealthCheckRefusal, NewHealthCheck, State, plan_create_health_check,
};

use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::rights::authorize;

impl Control {
    /// CreateHealthCheck: a new check, or the one that the same request made before.
    ///
    /// # Errors
    /// `InvalidInput`, `HealthCheckAlreadyExists`, `TooManyHealthChecks`.
    pub fn create_health_check(
        &self,
        caller: &Caller,
        request: &NewHealthCheck,
    ) -> Outcome<HealthCheck> {
        let effects = self.write(caller, |snapshot, facts| {
            authorize(snapshot, caller, "route53:CreateHealthCheck", "*")?;
            plan_create_health_check(snapshot, facts, &caller.account, request.clone())
                .map(|planned| planned.effects)
                .map_err(|error| refused(error, words))
        })?;
        if let Some(check) = written(effects) {
            return Ok(check);
        }
        // It was there already.
        let snapshot = self.fresh()?;
        let reference = &request.caller_reference;
        let id = snapshot.health_check_by_reference(&caller.account, reference)?;
        let check = match id {
            Some(id) => snapshot.health_check(&id)?,
            None => None,
        };
        Ok(check.ok_or(Refusal::HealthCheckAlreadyExists)?)
    }
}

/// The check that effects write.
pub(super) fn written(effects: Vec<Effect>) -> Option<HealthCheck> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::PutHealthCheck(check) => Some(check),
        _ => None,
    })
}

/// What is said of a refusal.
pub(crate) fn words(refusal: HealthCheckRefusal) -> Refusal {
    match refusal {
        HealthCheckRefusal::Invalid(text) => Refusal::InvalidInput(text),
        HealthCheckRefusal::AlreadyExists => Refusal::HealthCheckAlreadyExists,
        HealthCheckRefusal::TooMany => Refusal::TooManyHealthChecks,
        HealthCheckRefusal::TooManyCreated => Refusal::TooManyHealthCheckCreations,
        HealthCheckRefusal::VersionMismatch(version) => {
            Refusal::HealthCheckVersionMismatch(version)
        }
        HealthCheckRefusal::InUse => Refusal::HealthCheckInUse,
    }
}
