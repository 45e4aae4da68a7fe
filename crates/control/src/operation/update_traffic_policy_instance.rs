//! UpdateTrafficPolicyInstance.

use meridian_model::plan_update_instance;

use super::traffic_policy::own_version;
use super::traffic_policy_instance::{instance_arn, own_instance, words, written, zone_of};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::{InstanceStatus, UpdateTrafficPolicyInstance};
use crate::rights::authorize;

impl Control {
    /// UpdateTrafficPolicyInstance: the new record sets come and the old ones go by one change.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicyInstance`, `NoSuchTrafficPolicy`, `ConflictingTypes`, `InvalidInput`.
    pub fn update_traffic_policy_instance(
        &self,
        caller: &Caller,
        request: &UpdateTrafficPolicyInstance,
    ) -> Outcome<InstanceStatus> {
        let line = self.line_of(&request.id)?;
        let effects = self.write_to(Some(line.as_str()), caller, |snapshot, facts| {
            let action = "route53:UpdateTrafficPolicyInstance";
            authorize(snapshot, caller, action, &instance_arn(&request.id))?;
            let instance = own_instance(snapshot, caller, &request.id)?;
            let policy = own_version(snapshot, caller, &request.policy)?;
            let zone = zone_of(snapshot, &instance)?;
            let to = (&instance, request.ttl);
            plan_update_instance(snapshot, facts, &zone, &policy, to)
                .map_err(|error| refused(error, words))
        })?;
        written(effects)
    }
}
