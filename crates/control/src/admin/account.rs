//! Accounts.

use meridian_model::{Account, Effect};

use super::{AdminError, Outcome, check_name};
use crate::control::Control;

impl Control {
    /// All accounts.
    ///
    /// # Errors
    /// Faults only.
    pub fn accounts(&self) -> Outcome<Vec<Account>> {
        Ok(self.fresh()?.accounts()?)
    }

    /// Makes an account.
    ///
    /// # Errors
    /// When the name is taken or no name.
    pub fn create_account(&self, name: &str) -> Outcome<Account> {
        self.administer(|snapshot, facts| {
            check_name(name)?;
            if snapshot.account_named(name)?.is_some() {
                return Err(AdminError::AccountExists(name.to_owned()));
            }
            let account = Account {
                id: facts.account_id(),
                name: name.to_owned(),
                operator: false,
                created_at: facts.now,
            };
            Ok((vec![Effect::PutAccount(account.clone())], account))
        })
    }
}
