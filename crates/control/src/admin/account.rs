//! Accounts.

use meridian_log::Snapshot;
use meridian_model::{Account, AccountId, Effect, ProbeRights, State};

use super::{AdminError, Outcome, account_of, check_name};
use crate::control::Control;

/// Deleted versions of traffic policies that are forgotten with their account: far more than are
/// kept of one.
const FORGOTTEN: usize = 1000;

/// An account and how much there is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// The account.
    pub account: Account,
    /// How many there are of each kind of thing, for people: singular, plural, number.
    pub contents: Vec<(&'static str, &'static str, u64)>,
}

impl Control {
    /// All accounts.
    ///
    /// # Errors
    /// Faults only.
    pub fn accounts(&self) -> Outcome<Vec<Account>> {
        Ok(self.fresh()?.accounts()?)
    }

    /// An account, given by name or id.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn account(&self, account: &str) -> Outcome<AccountSummary> {
        let snapshot = self.fresh()?;
        let account = account_of(&snapshot, account)?;
        let contents = contents(&snapshot, &account.id)?;
        Ok(AccountSummary { account, contents })
    }

    /// Makes an account.
    ///
    /// # Errors
    /// When the name is taken or no name.
    pub fn create_account(&self, name: &str) -> Outcome<Account> {
        self.administer(|snapshot, facts| {
            check_free(snapshot, name)?;
            let account = Account {
                id: facts.account_id(),
                name: name.to_owned(),
                operator: false,
                probes: ProbeRights::Public,
                created_at: facts.now,
            };
            Ok((vec![Effect::PutAccount(account.clone())], account))
        })
    }

    /// Gives an account another name.
    ///
    /// # Errors
    /// When there is no such account, or the name is taken or no name.
    pub fn rename_account(&self, account: &str, name: &str) -> Outcome<Account> {
        self.administer(|snapshot, _| {
            let mut account = account_of(snapshot, account)?;
            if account.name != name {
                check_free(snapshot, name)?;
            }
            account.name = name.to_owned();
            Ok((vec![Effect::PutAccount(account.clone())], account))
        })
    }

    /// Sets what an account may have probed.
    ///
    /// # Errors
    /// When there is no such account, or it is the operator's, which holds every right.
    pub fn set_probe_rights(&self, account: &str, probes: ProbeRights) -> Outcome<Account> {
        self.administer(|snapshot, _| {
            let mut account = account_of(snapshot, account)?;
            if account.operator {
                return Err(AdminError::EveryRight(account.name));
            }
            account.probes = probes;
            Ok((vec![Effect::PutAccount(account.clone())], account))
        })
    }

    /// Deletes an account that nothing is in.
    ///
    /// # Errors
    /// When there is no such account, something is in it, or it is the operator's.
    pub fn delete_account(&self, account: &str) -> Outcome<Account> {
        self.administer(|snapshot, _| {
            let account = account_of(snapshot, account)?;
            if account.operator {
                return Err(AdminError::OperatorAccount(account.name));
            }
            let contents = contents(snapshot, &account.id)?;
            let left: Vec<String> = contents
                .iter()
                .filter(|(.., number)| *number > 0)
                .map(|(one, several, number)| match number {
                    1 => format!("1 {one}"),
                    number => format!("{number} {several}"),
                })
                .collect();
            if !left.is_empty() {
                return Err(AdminError::AccountNotEmpty(account.name, left.join(", ")));
            }
            let forgotten = snapshot.deleted_traffic_policies(&account.id, FORGOTTEN)?;
            let forget = |(id, version)| Effect::ForgetTrafficPolicy { id, version };
            let mut effects: Vec<Effect> = forgotten.into_iter().map(forget).collect();
            effects.push(Effect::DeleteAccount(account.id.clone()));
            Ok((effects, account))
        })
    }
}

/// A name that an account can have and none has.
fn check_free(snapshot: &Snapshot, name: &str) -> Outcome<()> {
    check_name(name)?;
    match snapshot.account_named(name)? {
        Some(_) => Err(AdminError::AccountExists(name.to_owned())),
        None => Ok(()),
    }
}

/// What an account has and an empty one has not.
fn contents(
    snapshot: &Snapshot,
    id: &AccountId,
) -> Outcome<Vec<(&'static str, &'static str, u64)>> {
    let (users, keys) = (snapshot.users(id)?.len(), snapshot.access_keys(id)?.len());
    Ok(vec![
        ("hosted zone", "hosted zones", snapshot.zone_count(id)?),
        (
            "reusable delegation set",
            "reusable delegation sets",
            snapshot.delegation_set_count(id)?,
        ),
        (
            "health check",
            "health checks",
            snapshot.health_check_count(id)?,
        ),
        (
            "CIDR collection",
            "CIDR collections",
            snapshot.cidr_collection_count(id)?,
        ),
        ("resource", "resources", snapshot.resource_count(id)?),
        (
            "traffic policy",
            "traffic policies",
            snapshot.traffic_policy_count(id)?,
        ),
        (
            "traffic policy instance",
            "traffic policy instances",
            snapshot.traffic_policy_instance_count(id)?,
        ),
        ("user", "users", users as u64),
        ("access key", "access keys", keys as u64),
    ])
}
