//! Limits of accounts.

use meridian_model::{Effect, Quota};

use super::{Outcome, account_of};
use crate::control::Control;

impl Control {
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
