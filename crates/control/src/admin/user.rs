//! Users and their policies.

use meridian_model::{Effect, Policy, User};

use super::{AdminError, Outcome, account_of, accounts_of, check_name};
use crate::control::Control;

/// A user to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The account, by name or id.
    pub account: String,
    /// Unique in the account.
    pub name: String,
    /// What the user may do; checked by [`check_policy`](crate::check_policy) before.
    pub policies: Vec<Policy>,
}

impl Control {
    /// The users of an account, given by name or id, or of all accounts.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn users(&self, account: Option<&str>) -> Outcome<Vec<User>> {
        let snapshot = self.fresh()?;
        let mut users = Vec::new();
        for account in accounts_of(&snapshot, account)? {
            users.extend(snapshot.users(&account.id)?);
        }
        Ok(users)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When there is no such account, or the name is taken or no name.
    pub fn create_user(&self, new: &NewUser) -> Outcome<User> {
        self.administer(|snapshot, facts| {
            check_name(&new.name)?;
            let account = account_of(snapshot, &new.account)?;
            if snapshot.user(&account.id, &new.name)?.is_some() {
                return Err(AdminError::UserExists(account.id, new.name.clone()));
            }
            let user = User {
                account: account.id,
                name: new.name.clone(),
                policies: new.policies.clone(),
                created_at: facts.now,
            };
            Ok((vec![Effect::PutUser(user.clone())], user))
        })
    }
}
