//! ListTrafficPolicies.

use meridian_model::TrafficPolicyId;

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ListTrafficPolicies, TrafficPolicyPage};
use crate::rights::authorize;

/// The longest page.
const MAX_POLICIES: usize = 100;

impl Control {
    /// ListTrafficPolicies: a page of the account's policies, in the order in which they were made.
    ///
    /// # Errors
    /// `InvalidInput` for a marker that is no policy that the account ever had.
    pub fn list_traffic_policies(
        &self,
        caller: &Caller,
        request: &ListTrafficPolicies,
    ) -> Outcome<TrafficPolicyPage> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:ListTrafficPolicies", "*")?;
        let mut from = None;
        if let Some(marker) = request.marker.as_deref() {
            let wrong = || Refusal::InvalidInput(format!("Invalid marker: {marker}"));
            let id = TrafficPolicyId::new(marker).map_err(|_| wrong())?;
            if !snapshot.made_traffic_policy(&caller.account, &id)? {
                return Err(wrong().into());
            }
            from = Some(id);
        }
        let limit = request.max_items.clamp(1, MAX_POLICIES);
        let mut policies =
            snapshot.traffic_policies_of(&caller.account, from.as_ref(), limit + 1)?;
        let rest = policies.split_off(limit.min(policies.len()));
        let next = rest.into_iter().next().map(|policy| policy.id);
        Ok(TrafficPolicyPage { policies, next })
    }
}
