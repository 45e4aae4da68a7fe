//! CreateTrafficPolicyVersion.

use meridian_model::{TrafficPolicy, plan_create_traffic_policy_version};

use super::traffic_policy::{LINE, own_policy, traffic_policy_arn, words, written};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::CreateTrafficPolicyVersion;
use crate::rights::authorize;

impl Control {
    /// CreateTrafficPolicyVersion: the next version of a policy, beside those there are.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicy`, `InvalidTrafficPolicyDocument`,
    /// `TooManyTrafficPolicyVersionsForCurrentPolicy`.
    pub fn create_traffic_policy_version(
        &self,
        caller: &Caller,
        request: &CreateTrafficPolicyVersion,
    ) -> Outcome<TrafficPolicy> {
        let id = request.id.as_str();
        let effects = self.write_to(Some(LINE), caller, |snapshot, _| {
            let action = "route53:CreateTrafficPolicyVersion";
            authorize(snapshot, caller, action, &traffic_policy_arn(id))?;
            let policy = own_policy(snapshot, caller, id)?;
            plan_create_traffic_policy_version(snapshot, &policy, &request.next)
                .map_err(|error| refused(error, |refusal| words(refusal, &policy.name)))
        })?;
        written(effects)
    }
}
