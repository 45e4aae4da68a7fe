//! GetTrafficPolicyInstance and GetTrafficPolicyInstanceCount.

use meridian_model::State;

use super::Outcome;
use super::traffic_policy_instance::{instance_arn, own_instance};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::InstanceStatus;
use crate::rights::authorize;

impl Control {
    /// GetTrafficPolicyInstance.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicyInstance`, for those of other accounts too.
    pub fn traffic_policy_instance(&self, caller: &Caller, id: &str) -> Outcome<InstanceStatus> {
        let snapshot = self.fresh()?;
        let action = "route53:GetTrafficPolicyInstance";
        authorize(&snapshot, caller, action, &instance_arn(id))?;
        let instance = own_instance(&snapshot, caller, id)?;
        self.status_of(&snapshot, instance)
    }

    /// GetTrafficPolicyInstanceCount.
    ///
    /// # Errors
    /// Faults only, and missing rights.
    pub fn traffic_policy_instance_count(&self, caller: &Caller) -> Outcome<u64> {
        let snapshot = self.fresh()?;
        let action = "route53:GetTrafficPolicyInstanceCount";
        authorize(&snapshot, caller, action, "*")?;
        Ok(snapshot.traffic_policy_instance_count(&caller.account)?)
    }
}
