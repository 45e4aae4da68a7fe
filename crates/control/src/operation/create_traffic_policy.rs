//! CreateTrafficPolicy.

use meridian_model::{TrafficPolicy, plan_create_traffic_policy};

use super::traffic_policy::{LINE, words, written};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::CreateTrafficPolicy;
use crate::rights::authorize;

impl Control {
    /// CreateTrafficPolicy: a policy with its first version.
    ///
    /// # Errors
    /// `InvalidTrafficPolicyDocument`, `TrafficPolicyAlreadyExists`, `TooManyTrafficPolicies`.
    pub fn create_traffic_policy(
        &self,
        caller: &Caller,
        request: &CreateTrafficPolicy,
    ) -> Outcome<TrafficPolicy> {
        let name = request.name.as_str();
        let effects = self.write_to(Some(LINE), caller, |snapshot, facts| {
            authorize(snapshot, caller, "route53:CreateTrafficPolicy", "*")?;
            plan_create_traffic_policy(snapshot, facts, &caller.account, (name, &request.first))
                .map_err(|error| refused(error, |refusal| words(refusal, name)))
        })?;
        written(effects)
    }
}
