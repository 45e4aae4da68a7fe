//! UpdateTrafficPolicyComment.

use meridian_model::{TrafficPolicy, plan_comment_traffic_policy};

use super::Outcome;
use super::traffic_policy::{LINE, own_version, traffic_policy_arn, written};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::UpdateTrafficPolicyComment;
use crate::rights::authorize;

impl Control {
    /// UpdateTrafficPolicyComment: all of a version that ever changes.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicy`.
    pub fn update_traffic_policy_comment(
        &self,
        caller: &Caller,
        request: &UpdateTrafficPolicyComment,
    ) -> Outcome<TrafficPolicy> {
        let effects = self.write_to(Some(LINE), caller, |snapshot, _| {
            let action = "route53:UpdateTrafficPolicyComment";
            authorize(
                snapshot,
                caller,
                action,
                &traffic_policy_arn(&request.of.id),
            )?;
            let policy = own_version(snapshot, caller, &request.of)?;
            Ok(plan_comment_traffic_policy(policy, &request.comment))
        })?;
        written(effects)
    }
}
