//! What a backup is made of. How it is written is `log`'s business, and where to `node`'s.

use meridian_log::{Digest, Head, Secret, VaultCopy};

use super::Outcome;
use crate::control::Control;
use crate::refusal::Fault;
use crate::turns::Errand;

/// The state as of one entry, without the journal up to it, which does not change any more.
#[derive(Debug)]
pub struct Frozen {
    /// The entry.
    pub head: Head,
    /// The digest of the tables at that entry.
    pub digest: Digest,
    /// The vault: it has a secret for each key that the journal knows at that entry.
    pub vault: VaultCopy,
}

impl Control {
    /// The state at the journal's head. Changes wait for as long as this takes, and no longer.
    ///
    /// # Errors
    /// Faults only.
    pub fn freeze(&self) -> Outcome<Frozen> {
        // Secrets are put into the vault before the entry that names them, and removed after the
        // entry that gives them up: who holds the turn to write finds all that are named.
        let _turn = self.turns.wait(None, Errand::Any).map_err(Fault::from)?;
        let snapshot = self.fresh()?;
        Ok(Frozen {
            head: snapshot.head(),
            digest: snapshot.digest(),
            vault: self.vault.copy().map_err(Fault::vault)?,
        })
    }

    /// The key that the vault is sealed under.
    ///
    /// # Errors
    /// Faults only.
    pub fn vault_key(&self) -> Outcome<Secret> {
        Ok(self.vault.key().map_err(Fault::vault)?)
    }
}
