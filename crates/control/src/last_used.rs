//! When each access key was last used: status, not intent, so it is never in the journal.
//!
//! It is kept in memory. Whoever runs the control plane writes it down from time to time and gives
//! it back at the next start; what was noted in between is lost by a crash, and by nothing else.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use meridian_model::{AccessKeyId, Timestamp};

use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Fault;

/// The last use of a key: a request that it signed, whether it was allowed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// When.
    pub at: Timestamp,
    /// The address that the request came from.
    pub source: String,
}

/// The last uses of all keys. Bounded by the keys there are: only what a key has signed is noted.
#[derive(Debug, Default)]
pub(crate) struct LastUsed(Mutex<Uses>);

#[derive(Debug, Default)]
struct Uses {
    by_key: BTreeMap<AccessKeyId, KeyUse>,
    /// Whether something was noted since it was last written down.
    changed: bool,
}

impl LastUsed {
    fn uses(&self) -> MutexGuard<'_, Uses> {
        // Nothing that could panic is done while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// Notes that a request was signed by its caller's key.
    pub fn note_use(&self, caller: &Caller) {
        let noted = KeyUse {
            at: caller.received_at,
            source: caller.source.clone(),
        };
        let mut uses = self.last_used.uses();
        uses.by_key.insert(caller.access_key.clone(), noted);
        uses.changed = true;
    }

    /// The last use of a key, as far as it is known.
    pub fn last_use(&self, key: &AccessKeyId) -> Option<KeyUse> {
        self.last_used.uses().by_key.get(key).cloned()
    }

    /// What was noted before this process, from wherever it was kept. Later uses stay.
    pub fn restore_uses(&self, kept: impl IntoIterator<Item = (AccessKeyId, KeyUse)>) {
        let mut uses = self.last_used.uses();
        for (key, noted) in kept {
            uses.by_key.entry(key).or_insert(noted);
        }
    }

    /// All last uses of keys that are still there, if something was noted since the last time.
    /// Those of deleted keys are forgotten.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub fn uses_to_keep(&self) -> Result<Option<Vec<(AccessKeyId, KeyUse)>>, Fault> {
        let known: Vec<AccessKeyId> = {
            let mut uses = self.last_used.uses();
            if !std::mem::take(&mut uses.changed) {
                return Ok(None);
            }
            uses.by_key.keys().cloned().collect()
        };
        // The lock is not held while the disk is read: every request takes it.
        let gone = self.gone(&known);
        let mut uses = self.last_used.uses();
        match gone {
            Ok(gone) => gone.iter().for_each(|key| {
                uses.by_key.remove(key);
            }),
            Err(error) => {
                uses.changed = true;
                return Err(error);
            }
        }
        let kept = uses.by_key.iter();
        Ok(Some(
            kept.map(|(key, noted)| (key.clone(), noted.clone()))
                .collect(),
        ))
    }

    /// That what was to be kept was not: it is to be tried again.
    pub fn uses_were_not_kept(&self) {
        self.last_used.uses().changed = true;
    }

    fn gone(&self, keys: &[AccessKeyId]) -> Result<Vec<AccessKeyId>, Fault> {
        // A fresh read, or a key that was made just now would look deleted.
        let snapshot = self.fresh()?;
        let mut gone = Vec::new();
        for key in keys {
            if snapshot.access_key(key).map_err(Fault::storage)?.is_none() {
                gone.push(key.clone());
            }
        }
        Ok(gone)
    }
}
