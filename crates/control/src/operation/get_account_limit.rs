//! GetAccountLimit.

use meridian_model::{Quota, State};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::request::Limit;
use crate::rights::authorize;
use crate::usage;

impl Control {
    /// GetAccountLimit: how many things of a kind the account may own, and how many it does.
    ///
    /// # Errors
    /// `AccessDenied` only: the kind is known here.
    pub fn account_limit(&self, caller: &Caller, quota: Quota) -> Outcome<Limit> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:GetAccountLimit", "*")?;
        Ok(Limit {
            quota,
            value: snapshot.limit(&caller.account, quota)?,
            count: usage::owned(&snapshot, &caller.account, quota)?,
        })
    }
}
