//! ListTrafficPolicyVersions.

use super::Outcome;
use super::traffic_policy::{own_policy, traffic_policy_arn};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::{ListTrafficPolicyVersions, TrafficPolicyVersionPage};
use crate::rights::authorize;

/// The longest page.
const MAX_VERSIONS: usize = 100;
/// Where a page ends by what its documents come to: each may have 400 KB.
const PAGE_BYTES: usize = 1024 * 1024;

impl Control {
    /// ListTrafficPolicyVersions: a page of a policy's versions by their numbers, without those that
    /// are deleted.
    ///
    /// # Errors
    /// `NoSuchTrafficPolicy`.
    pub fn list_traffic_policy_versions(
        &self,
        caller: &Caller,
        request: &ListTrafficPolicyVersions,
    ) -> Outcome<TrafficPolicyVersionPage> {
        let snapshot = self.fresh()?;
        let action = "route53:ListTrafficPolicyVersions";
        authorize(&snapshot, caller, action, &traffic_policy_arn(&request.id))?;
        let policy = own_policy(&snapshot, caller, &request.id)?;
        let from = request.marker.unwrap_or(1);
        let limit = request.max_items.clamp(1, MAX_VERSIONS);
        let most = (limit, PAGE_BYTES);
        let (versions, next) = snapshot.traffic_policy_versions(&policy.id, from, most)?;
        Ok(TrafficPolicyVersionPage { versions, next })
    }
}
