//! DeleteReusableDelegationSet.

use meridian_model::{DelegationSetInUse, plan_delete_delegation_set};

use super::get_reusable_delegation_set::{delegation_set_arn, own_delegation_set};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::rights::authorize;

impl Control {
    /// DeleteReusableDelegationSet.
    ///
    /// # Errors
    /// `NoSuchDelegationSet`, `DelegationSetNotReusable`, `DelegationSetInUse`.
    pub fn delete_reusable_delegation_set(&self, caller: &Caller, id: &str) -> Outcome<()> {
        self.write(caller, |snapshot, _| {
            let resource = delegation_set_arn(id);
            let action = "route53:DeleteReusableDelegationSet";
            authorize(snapshot, caller, action, &resource)?;
            let set = own_delegation_set(snapshot, caller, id)?;
            plan_delete_delegation_set(snapshot, &set)
                .map_err(|error| refused(error, |DelegationSetInUse| Refusal::DelegationSetInUse))
        })?;
        Ok(())
    }
}
