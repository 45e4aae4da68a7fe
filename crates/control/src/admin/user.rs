//! Users and their policies.

use std::collections::BTreeSet;

use meridian_log::Snapshot;
use meridian_model::{AccessKey, Account, Effect, Policy, State, User};

use super::{AdminError, Outcome, account_of, accounts_of, check_name};
use crate::control::Control;
use crate::rights::{self, Context, Question, ReadyMade, Verdict, check_policy};

/// The most policies of one user, as IAM's managed ones.
pub(super) const MAX_POLICIES: usize = 10;

/// A user to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The account, by name or id.
    pub account: String,
    /// Unique in the account.
    pub name: String,
    /// What the user may do.
    pub policies: Vec<NewPolicy>,
}

/// A policy to be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewPolicy {
    /// One that comes with the service; its zones have to be the account's.
    ReadyMade(ReadyMade),
    /// One of its own.
    Document(Policy),
}

/// A user with the keys it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDetails {
    /// The user.
    pub user: User,
    /// The keys, by id.
    pub keys: Vec<AccessKey>,
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

    /// A user with its keys.
    ///
    /// # Errors
    /// When there is no such account or user.
    pub fn user(&self, account: &str, name: &str) -> Outcome<UserDetails> {
        let snapshot = self.fresh()?;
        let user = user_of(&snapshot, account, name)?;
        let keys = keys_of(&snapshot, &user)?;
        Ok(UserDetails { user, keys })
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When there is no such account, the name is taken or no name, or a policy cannot be kept to.
    pub fn create_user(&self, new: &NewUser) -> Outcome<User> {
        self.administer(|snapshot, facts| {
            check_name(&new.name)?;
            let account = account_of(snapshot, &new.account)?;
            if snapshot.user(&account.id, &new.name)?.is_some() {
                return Err(AdminError::UserExists(account.id, new.name.clone()));
            }
            let user = User {
                policies: attached(snapshot, &account, Vec::new(), &new.policies)?,
                account: account.id,
                name: new.name.clone(),
                created_at: facts.now,
            };
            Ok((vec![Effect::PutUser(user.clone())], user))
        })
    }

    /// Deletes a user and its keys, then their secrets.
    ///
    /// # Errors
    /// When there is no such account or user.
    pub fn delete_user(&self, account: &str, name: &str) -> Outcome<UserDetails> {
        let gone = self.administer(|snapshot, _| {
            let user = user_of(snapshot, account, name)?;
            let keys = keys_of(snapshot, &user)?;
            let mut effects: Vec<Effect> = keys
                .iter()
                .map(|key| Effect::DeleteAccessKey(key.id.clone()))
                .collect();
            effects.push(Effect::DeleteUser {
                account: user.account.clone(),
                name: user.name.clone(),
            });
            Ok((effects, UserDetails { user, keys }))
        })?;
        for key in &gone.keys {
            self.forget_secret(key)?;
        }
        Ok(gone)
    }

    /// Attaches policies to a user; one takes the place of another of its name.
    ///
    /// # Errors
    /// When there is no such account or user, a policy cannot be kept to, or there are too many.
    pub fn attach_policies(
        &self,
        account: &str,
        name: &str,
        policies: &[NewPolicy],
    ) -> Outcome<User> {
        self.administer(|snapshot, _| {
            let of = account_of(snapshot, account)?;
            let mut user = user_of(snapshot, account, name)?;
            user.policies = attached(snapshot, &of, user.policies, policies)?;
            Ok((vec![Effect::PutUser(user.clone())], user))
        })
    }

    /// Takes policies from a user, by their names.
    ///
    /// # Errors
    /// When there is no such account or user, or it does not have one of them.
    pub fn detach_policies(&self, account: &str, name: &str, policies: &[String]) -> Outcome<User> {
        self.administer(|snapshot, _| {
            let mut user = user_of(snapshot, account, name)?;
            for policy in policies {
                let place = user.policies.iter().position(|other| other.name == *policy);
                let place = place.ok_or_else(|| AdminError::UnknownPolicy {
                    user: name.to_owned(),
                    policy: policy.clone(),
                })?;
                user.policies.remove(place);
            }
            Ok((vec![Effect::PutUser(user.clone())], user))
        })
    }

    /// What a user's policies say to a request, without making it. The context is added to what
    /// every request of this user brings.
    ///
    /// # Errors
    /// When there is no such account or user, or a policy of it cannot be kept to.
    pub fn simulate(
        &self,
        (account, name): (&str, &str),
        (action, resource): (&str, &str),
        context: Context,
    ) -> Outcome<Verdict> {
        let user = user_of(&self.fresh()?, account, name)?;
        let question = Question {
            action,
            resource,
            context: &context.with_user(&user.account, &user.name),
        };
        rights::evaluate(&user.policies, &question).map_err(AdminError::from)
    }
}

pub(super) fn user_of(snapshot: &Snapshot, account: &str, name: &str) -> Outcome<User> {
    let account = account_of(snapshot, account)?.id;
    let user = snapshot.user(&account, name)?;
    user.ok_or_else(|| AdminError::UnknownUser(account, name.to_owned()))
}

fn keys_of(snapshot: &Snapshot, user: &User) -> Outcome<Vec<AccessKey>> {
    let mut keys = snapshot.access_keys(&user.account)?;
    keys.retain(|key| key.user.as_ref() == Some(&user.name));
    Ok(keys)
}

/// The policies with new ones among them.
fn attached(
    snapshot: &Snapshot,
    account: &Account,
    mut policies: Vec<Policy>,
    new: &[NewPolicy],
) -> Outcome<Vec<Policy>> {
    let mut named = BTreeSet::new();
    for new in new {
        let policy = checked(snapshot, account, new)?;
        if !named.insert(policy.name.clone()) {
            return Err(AdminError::PolicyTwice(policy.name));
        }
        match policies.iter_mut().find(|other| other.name == policy.name) {
            Some(other) => *other = policy,
            None => policies.push(policy),
        }
    }
    if policies.len() > MAX_POLICIES {
        return Err(AdminError::TooManyPolicies);
    }
    Ok(policies)
}

fn checked(snapshot: &Snapshot, account: &Account, new: &NewPolicy) -> Outcome<Policy> {
    match new {
        NewPolicy::ReadyMade(ready) => {
            for id in &ready.zones {
                let zone = snapshot.zone(id)?;
                if zone.is_none_or(|zone| zone.account != account.id) {
                    return Err(AdminError::ForeignZone(account.id.clone(), id.clone()));
                }
            }
            Ok(ready.policy())
        }
        NewPolicy::Document(policy) => {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
            let name = &policy.name;
            if name.is_empty() || name.len() > rights::MAX_NAME || !name.bytes().all(allowed) {
                return Err(AdminError::BadPolicyName(name.clone()));
            }
            check_policy(&policy.document).map_err(|error| AdminError::Policy {
                name: name.clone(),
                error,
            })?;
            Ok(policy.clone())
        }
    }
}
