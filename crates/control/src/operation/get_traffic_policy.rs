//! GetTrafficPolicy.

use meridian_model::TrafficPolicy;

use super::Outcome;
use super::traffic_policy::{own_version_ever, traffic_policy_arn};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::PolicyVersion;
use crate::rights::authorize;

impl Control {
    /// GetTrafficPolicy: one version, also when it is deleted.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicy`, for those of other accounts too.
    pub fn traffic_policy(&self, caller: &Caller, of: &PolicyVersion) -> Outcome<TrafficPolicy> {
        let snapshot = self.fresh()?;
        let resource = traffic_policy_arn(&of.id);
        authorize(&snapshot, caller, "route53:GetTrafficPolicy", &resource)?;
        own_version_ever(&snapshot, caller, of)
    }
}
