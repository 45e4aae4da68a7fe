//! DeleteTrafficPolicyInstance.

use meridian_model::plan_delete_instance;

use super::traffic_policy_instance::{instance_arn, own_instance, words, zone_of};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::rights::authorize;

impl Control {
    /// DeleteTrafficPolicyInstance, with all its record sets.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicyInstance`; `InvalidInput` when its record sets are protected.
    pub fn delete_traffic_policy_instance(&self, caller: &Caller, id: &str) -> Outcome<()> {
        let line = self.line_of(id)?;
        self.write_to(Some(line.as_str()), caller, |snapshot, facts| {
            let action = "route53:DeleteTrafficPolicyInstance";
            authorize(snapshot, caller, action, &instance_arn(id))?;
            let instance = own_instance(snapshot, caller, id)?;
            let zone = zone_of(snapshot, &instance)?;
            plan_delete_instance(snapshot, facts, &zone, &instance)
                .map_err(|error| refused(error, words))
        })?;
        Ok(())
    }
}
