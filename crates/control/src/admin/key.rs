//! Access keys and their secrets.

use meridian_log::{ReaderClass, Snapshot};
use meridian_model::{AccessKey, AccessKeyId, AccountId, Effect, KeyStatus};
use zeroize::Zeroizing;

use super::user::user_of;
use super::{AdminError, Outcome, account_of, accounts_of};
use crate::caller::Secret;
use crate::control::Control;
use crate::refusal::Fault;

/// Who may read the secrets of access keys.
pub(crate) const SECRETS: ReaderClass = ReaderClass::Control;
/// The most access keys of one user, as in IAM: one in use, one to change to.
pub(super) const MAX_KEYS: usize = 2;
/// Characters of a secret access key; 64 of them, so that every one carries six random bits.
const SECRET_CHARACTERS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A new access key, the only time its secret is shown.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The key.
    pub key: AccessKey,
    /// The secret half.
    pub secret: Secret,
}

impl Control {
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

    /// Makes an access key for an account, or for a user of it.
    ///
    /// # Errors
    /// When there is no such account or user, or it has its keys already.
    pub fn create_access_key(&self, account: &str, user: Option<&str>) -> Outcome<NewKey> {
        self.new_access_key(|snapshot| match user {
            Some(name) => {
                let user = user_of(snapshot, account, name)?;
                Ok((user.account, Some(user.name)))
            }
            None => Ok((account_of(snapshot, account)?.id, None)),
        })
    }

    /// Makes the second key of whom a key belongs to, to change over to.
    ///
    /// # Errors
    /// When there is no such key, or a second one already.
    pub fn rotate_access_key(&self, id: &str) -> Outcome<NewKey> {
        self.new_access_key(|snapshot| {
            let key = key_of(snapshot, id)?;
            Ok((key.account, key.user))
        })
    }

    /// Makes a key for whom `owner` says. The secret is in the vault before the journal names it;
    /// one that no entry came to name is deleted again.
    fn new_access_key(
        &self,
        owner: impl Fn(&Snapshot) -> Outcome<(AccountId, Option<String>)>,
    ) -> Outcome<NewKey> {
        let id = self.environment.facts().access_key_id();
        let secret = self.new_secret();
        let row = vault_row(&id);
        self.vault
            .put(&row, &SECRETS, secret.0.as_bytes())
            .map_err(Fault::vault)?;
        let made = self.administer(|snapshot, facts| {
            let (account, user) = owner(snapshot)?;
            let keys = snapshot.access_keys(&account)?;
            if keys.iter().filter(|key| key.user == user).count() >= MAX_KEYS {
                return Err(AdminError::TooManyKeys);
            }
            let key = AccessKey {
                id: id.clone(),
                account,
                user,
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
                self.vault.delete(&row).map_err(Fault::vault)?;
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
        self.forget_secret(&key)
    }

    /// Deletes the secret of a key that the journal has no more.
    pub(super) fn forget_secret(&self, key: &AccessKey) -> Outcome<()> {
        self.vault.delete(&key.vault_row).map_err(Fault::vault)?;
        Ok(())
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
}

/// The vault row of a key's secret.
pub(crate) fn vault_row(id: &AccessKeyId) -> String {
    format!("access-key/{id}")
}

fn key_of(snapshot: &Snapshot, text: &str) -> Outcome<AccessKey> {
    let found = match AccessKeyId::new(text) {
        Ok(id) => snapshot.access_key(&id)?,
        Err(_) => None,
    };
    found.ok_or_else(|| AdminError::UnknownKey(text.to_owned()))
}
