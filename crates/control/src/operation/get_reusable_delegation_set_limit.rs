//! GetReusableDelegationSetLimit.

use meridian_model::{Quota, State};

use super::Outcome;
use super::get_reusable_delegation_set::{delegation_set_arn, own_delegation_set};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::{OperationError, Refusal};
use crate::request::Limit;
use crate::rights::authorize;

impl Control {
    /// GetReusableDelegationSetLimit: how many zones the set may have, and has.
    ///
    /// # Errors
    /// `NoSuchDelegationSet`: of this operation Route 53 knows no other code for a set that is not
    /// reusable.
    pub fn reusable_delegation_set_limit(&self, caller: &Caller, id: &str) -> Outcome<Limit> {
        let snapshot = self.fresh()?;
        let resource = delegation_set_arn(id);
        let action = "route53:GetReusableDelegationSetLimit";
        authorize(&snapshot, caller, action, &resource)?;
        let set = own_delegation_set(&snapshot, caller, id).map_err(|error| match error {
            OperationError::Refused(Refusal::DelegationSetNotReusable(id)) => {
                Refusal::NoSuchDelegationSet(id).into()
            }
            other => other,
        })?;
        let quota = Quota::ZonesByReusableDelegationSet;
        Ok(Limit {
            quota,
            value: snapshot.limit(&caller.account, quota)?,
            count: snapshot.delegation_set_zone_count(&set.id)?,
        })
    }
}
