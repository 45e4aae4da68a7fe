//! DeleteTrafficPolicy.

use meridian_model::plan_delete_traffic_policy;

use super::traffic_policy::{LINE, own_version, traffic_policy_arn, words};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::PolicyVersion;
use crate::rights::authorize;

impl Control {
    /// DeleteTrafficPolicy: one version, which can be read from then on and nothing else, until many
    /// others have been deleted.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicy`; `TrafficPolicyInUse` for one that there is an instance of.
    pub fn delete_traffic_policy(&self, caller: &Caller, of: &PolicyVersion) -> Outcome<()> {
        self.write_to(Some(LINE), caller, |snapshot, _| {
            let action = "route53:DeleteTrafficPolicy";
            authorize(snapshot, caller, action, &traffic_policy_arn(&of.id))?;
            let policy = own_version(snapshot, caller, of)?;
            plan_delete_traffic_policy(snapshot, &policy)
                .map_err(|error| refused(error, |refusal| words(refusal, &policy.name)))
        })?;
        Ok(())
    }
}
