//! What operators do through the admin socket: accounts, users, keys, the pool, quotas.
//!
//! Whoever can open the socket is trusted; the socket's file rights say who that is.

use std::net::IpAddr;

use meridian_dns::Name;
use meridian_log::{Head, ReadError, ReaderClass, Snapshot};
use meridian_model::{
    AccessKey, AccessKeyId, Account, AccountId, Effect, Facts, KeyStatus, NameServer,
    NameServerRefusal, PlanError, Policy, Quota, State, User, plan_delete_name_server,
    plan_put_name_server,
};
use zeroize::Zeroizing;

use crate::caller::Secret;
use crate::control::{Author, Committed, Control};
use crate::refusal::Fault;

/// Who may read the secrets of access keys.
pub(crate) const SECRETS: ReaderClass = ReaderClass::Control;
/// The most access keys of one user, as in IAM: one in use, one to change to.
const MAX_KEYS: usize = 2;
/// Characters of a secret access key; 64 of them, so that every one carries six random bits.
const SECRET_CHARACTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An admin command was not carried out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum AdminError {
    #[error("there is no account '{0}'; `meridian account list` shows all")]
    UnknownAccount(String),
    #[error("there is an account '{0}' already")]
    AccountExists(String),
    #[error("'{0}' is no name: 1 to 64 letters, digits and any of +=,.@_-")]
    BadName(String),
    #[error("account {0} has no user '{1}'")]
    UnknownUser(AccountId, String),
    #[error("account {0} has a user '{1}' already")]
    UserExists(AccountId, String),
    #[error("there is no access key '{0}'")]
    UnknownKey(String),
    #[error("there are {MAX_KEYS} access keys already; delete one first")]
    TooManyKeys,
    #[error(transparent)]
    NameServer(#[from] NameServerRefusal),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<ReadError> for AdminError {
    fn from(error: ReadError) -> Self {
        Fault::storage(error).into()
    }
}

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

/// A new access key, the only time its secret is shown.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The key.
    pub key: AccessKey,
    /// The secret half.
    pub secret: Secret,
}

type Outcome<T> = Result<T, AdminError>;

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

    /// The access keys of an account, given by name or id, or of all accounts.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn access_keys(&self, account: Option<&str>) -> Outcome<Vec<AccessKey>> {
        let snapshot = self.fresh()?;
        let mut keys = Vec::new();
        for account in accounts_of(&snapshot, account)? {
            keys.extend(snapshot.access_keys(&account.id)?);
        }
        Ok(keys)
    }

    /// Makes an access key for an account, or for a user of it. The secret is in the vault before
    /// the journal names it; one that no entry came to name is deleted again.
    ///
    /// # Errors
    /// When there is no such account or user, or it has its keys already.
    pub fn create_access_key(&self, account: &str, user: Option<&str>) -> Outcome<NewKey> {
        let id = self.environment.facts().access_key_id();
        let secret = self.new_secret();
        let row = vault_row(&id);
        self.vault
            .put(&row, &SECRETS, secret.0.as_bytes())
            .map_err(Fault::storage)?;
        let made = self.administer(|snapshot, facts| {
            let account = account_of(snapshot, account)?;
            if let Some(name) = user
                && snapshot.user(&account.id, name)?.is_none()
            {
                return Err(AdminError::UnknownUser(account.id, name.to_owned()));
            }
            let keys = snapshot.access_keys(&account.id)?;
            if keys
                .iter()
                .filter(|key| key.user.as_deref() == user)
                .count()
                >= MAX_KEYS
            {
                return Err(AdminError::TooManyKeys);
            }
            let key = AccessKey {
                id: id.clone(),
                account: account.id,
                user: user.map(str::to_owned),
                status: KeyStatus::Active,
                vault_row: row.clone(),
                created_at: facts.now,
            };
            Ok((vec![Effect::PutAccessKey(key.clone())], key))
        });
        match made {
            Ok(key) => Ok(NewKey { key, secret }),
            Err(AdminError::Fault(fault)) => Err(fault.into()),
            Err(refused) => {
                self.vault.delete(&row).map_err(Fault::storage)?;
                Err(refused)
            }
        }
    }

    /// Opens or closes the doors to an access key.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn set_access_key_status(&self, id: &str, status: KeyStatus) -> Outcome<AccessKey> {
        self.administer(|snapshot, _| {
            let mut key = key_of(snapshot, id)?;
            key.status = status;
            Ok((vec![Effect::PutAccessKey(key.clone())], key))
        })
    }

    /// Deletes an access key, then its secret.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn delete_access_key(&self, id: &str) -> Outcome<()> {
        let key = self.administer(|snapshot, _| {
            let key = key_of(snapshot, id)?;
            Ok((vec![Effect::DeleteAccessKey(key.id.clone())], key))
        })?;
        self.vault.delete(&key.vault_row).map_err(Fault::storage)?;
        Ok(())
    }

    /// The pool, by ordinal.
    ///
    /// # Errors
    /// Faults only.
    pub fn name_servers(&self) -> Outcome<Vec<NameServer>> {
        Ok(self.fresh()?.name_servers()?)
    }

    /// Adds a name to the pool, or moves one to other addresses.
    ///
    /// # Errors
    /// [`NameServerRefusal`].
    pub fn put_name_server(&self, name: &Name, addresses: &[IpAddr]) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let accounts = snapshot.accounts()?;
            let operator = accounts.iter().find(|account| account.operator);
            let operator =
                operator.ok_or_else(|| AdminError::UnknownAccount("operator".to_owned()))?;
            let planned = plan_put_name_server(snapshot, &operator.id, name, addresses);
            Ok((planned.map_err(refused)?, ()))
        })
    }

    /// Takes a name out of the pool.
    ///
    /// # Errors
    /// [`NameServerRefusal`].
    pub fn delete_name_server(&self, name: &Name) -> Outcome<()> {
        self.administer(|snapshot, _| {
            let planned = plan_delete_name_server(snapshot, name);
            Ok((planned.map_err(refused)?, ()))
        })
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

    /// The end of the journal that this node has applied, once it has applied all there is.
    ///
    /// # Errors
    /// Faults only.
    pub fn head(&self) -> Outcome<Head> {
        Ok(self.fresh()?.head())
    }

    pub(crate) fn new_secret(&self) -> Secret {
        let random = [self.environment.entropy(), self.environment.entropy()];
        let characters = random
            .as_flattened()
            .iter()
            .take(40)
            .map(|byte| char::from(SECRET_CHARACTERS[usize::from(byte & 63)]));
        Secret(Zeroizing::new(characters.collect()))
    }

    fn administer<T>(
        &self,
        plan: impl FnMut(&Snapshot, &mut Facts) -> Outcome<(Vec<Effect>, T)>,
    ) -> Outcome<T> {
        let author = Author {
            request_id: "admin",
            caller: None,
            principal: "operator by the admin socket".to_owned(),
        };
        match self.commit(&author, plan)? {
            Committed::Now(outcome) => Ok(outcome),
            Committed::Before(..) => {
                Err(Fault::Storage("an admin command has no retry key".to_owned()).into())
            }
        }
    }
}

/// The vault row of a key's secret.
pub(crate) fn vault_row(id: &AccessKeyId) -> String {
    format!("access-key/{id}")
}

fn account_of(snapshot: &Snapshot, text: &str) -> Outcome<Account> {
    let by_id = match AccountId::new(text) {
        Ok(id) => snapshot.account(&id)?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(account) => Some(account),
        None => snapshot.account_named(text)?,
    };
    found.ok_or_else(|| AdminError::UnknownAccount(text.to_owned()))
}

fn accounts_of(snapshot: &Snapshot, text: Option<&str>) -> Outcome<Vec<Account>> {
    match text {
        Some(text) => Ok(vec![account_of(snapshot, text)?]),
        None => Ok(snapshot.accounts()?),
    }
}

fn key_of(snapshot: &Snapshot, text: &str) -> Outcome<AccessKey> {
    let found = match AccessKeyId::new(text) {
        Ok(id) => snapshot.access_key(&id)?,
        Err(_) => None,
    };
    found.ok_or_else(|| AdminError::UnknownKey(text.to_owned()))
}

fn check_name(name: &str) -> Outcome<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(AdminError::BadName(name.to_owned()));
    }
    Ok(())
}

fn refused(error: PlanError<NameServerRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::State(error) => error.into(),
    }
}
