//! Limits of accounts.

use meridian_model::{Effect, Quota};

use super::{Outcome, account_of};
use crate::control::Control;
use crate::usage::{self, QuotaUse};

impl Control {
    /// All limits of an account, given by name or id, and what it uses of them.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn quotas(&self, account: &str) -> Outcome<Vec<QuotaUse>> {
        let snapshot = self.fresh()?;
        let account = account_of(&snapshot, account)?.id;
        Ok(usage::all(&snapshot, &account)?)
    }

    /// Sets an account's limit.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn put_quota(&self, account: &str, quota: Quota, limit: u64) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let account = account_of(snapshot, account)?.id;
            let effect = Effect::PutQuota {
                account,
                quota,
                limit,
            };
            Ok((vec![effect], ()))
        })
    }
}
