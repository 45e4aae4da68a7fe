//! Work larger than one entry: record sets written into a generation that nobody sees, in entries
//! of bounded size, and published by one. What is given up is collected, in bounded steps too.
//! Which sets they are is the business of imports and restores.

use std::sync::PoisonError;

use meridian_log::Snapshot;
use meridian_model::{
    AccountId, Effect, Facts, Generation, RecordSet, SetData, SetKey, UnseenGeneration, ZoneId,
    expired_generations, plan_begin_generation, plan_collect_generation,
};

use crate::control::{Author, Committed, Control};
use crate::refusal::Fault;

/// Stored bytes after which an entry is written: others wait for as long as one takes.
const ENTRY_BYTES: usize = 256 * 1024;
/// What a stored set takes beyond its texts, at most.
const SET_OVERHEAD: usize = 64;
/// Sets that one entry removes at most.
const COLLECTED_PER_ENTRY: u32 = 5_000;

/// A generation that is being written. Dropped before it is published it is garbage, and
/// [`Control::collect_generations`] removes it; so it is when the process ends.
#[derive(Debug)]
pub struct GenerationDraft<'a> {
    control: &'a Control,
    principal: &'a str,
    generation: Generation,
    waiting: Vec<Effect>,
    waiting_bytes: usize,
}

impl Control {
    /// Begins a generation for a zone, which need not exist yet. `principal` is who writes it.
    ///
    /// # Errors
    /// Faults only.
    pub fn begin_generation<'a>(
        &'a self,
        principal: &'a str,
        account: &AccountId,
        zone: &ZoneId,
    ) -> Result<GenerationDraft<'a>, Fault> {
        let generation = self.administer_as(principal, |snapshot, facts| {
            let (generation, effects) = plan_begin_generation(snapshot, facts.now, account, zone)
                .map_err(Fault::storage)?;
            // Before anybody can see it in the tables.
            self.drafts().insert(generation);
            Ok::<_, Fault>((effects, generation))
        })?;
        Ok(GenerationDraft {
            control: self,
            principal,
            generation,
            waiting: Vec::new(),
            waiting_bytes: 0,
        })
    }

    /// Takes one step in removing generations that nobody needs any more, the eldest zone's first:
    /// one entry. False when there is nothing to be removed.
    ///
    /// # Errors
    /// Faults only.
    pub fn collect_generations(&self) -> Result<bool, Fault> {
        if self
            .expired(&self.fresh()?, self.environment.now())?
            .is_empty()
        {
            return Ok(false);
        }
        self.administer_as("meridian", |snapshot, facts| {
            let expired = self.expired(snapshot, facts.now)?;
            let effects = expired.first().map_or_else(Vec::new, |unseen| {
                plan_collect_generation(unseen, COLLECTED_PER_ENTRY, facts.now)
            });
            Ok((effects, true))
        })
    }

    /// All generations that no zone points to.
    ///
    /// # Errors
    /// Faults only.
    pub fn unseen_generations(&self) -> Result<Vec<UnseenGeneration>, Fault> {
        self.fresh()?.unseen_generations().map_err(Fault::storage)
    }

    fn expired(
        &self,
        snapshot: &Snapshot,
        now: meridian_model::Timestamp,
    ) -> Result<Vec<UnseenGeneration>, Fault> {
        let unseen = snapshot.unseen_generations().map_err(Fault::storage)?;
        let drafts = self.drafts();
        Ok(expired_generations(unseen, now, |generation| {
            drafts.contains(&generation)
        }))
    }

    /// Commits what an operator, or this program by itself, does.
    pub(crate) fn administer_as<T, E: From<Fault>>(
        &self,
        principal: &str,
        plan: impl FnMut(&Snapshot, &mut Facts) -> Result<(Vec<Effect>, T), E>,
    ) -> Result<T, E> {
        let author = Author {
            request_id: "admin",
            caller: None,
            principal: principal.to_owned(),
        };
        match self.commit(&author, plan)? {
            Committed::Now(outcome) => Ok(outcome),
            Committed::Before(..) => {
                Err(Fault::Storage("an admin command has no retry key".to_owned()).into())
            }
        }
    }

    fn drafts(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeSet<Generation>> {
        // Each use is one insert or remove: a poisoned set is whole.
        self.drafts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GenerationDraft<'_> {
    /// Under which number the sets lie.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Writes a set that is not there yet, with others in one entry once they are enough.
    ///
    /// # Errors
    /// Faults only.
    pub fn put(&mut self, set: RecordSet) -> Result<(), Fault> {
        self.waiting_bytes += stored_bytes(&set);
        self.waiting.push(Effect::PutSet {
            generation: self.generation,
            set,
        });
        if self.waiting_bytes >= ENTRY_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Takes back a set that is written.
    ///
    /// # Errors
    /// Faults only.
    pub fn delete(&mut self, key: SetKey) -> Result<(), Fault> {
        self.waiting_bytes += SET_OVERHEAD + key.name.as_wire().len();
        self.waiting.push(Effect::DeleteSet {
            generation: self.generation,
            key,
        });
        if self.waiting_bytes >= ENTRY_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// Faults only.
    pub fn flush(&mut self) -> Result<(), Fault> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = &self.waiting;
        self.control
            .administer_as(self.principal, |_, _| Ok::<_, Fault>((waiting.clone(), ())))?;
        self.waiting.clear();
        self.waiting_bytes = 0;
        Ok(())
    }

    /// Publishes it: `plan` gives the effects, those of
    /// [`plan_publish_generation`](meridian_model::plan_publish_generation) among them, all written
    /// in one entry. Readers see the zone as it was, or all of it as it is now.
    ///
    /// # Errors
    /// The plan's, or a fault.
    pub fn publish<T, E: From<Fault>>(
        mut self,
        plan: impl FnMut(&Snapshot, &mut Facts) -> Result<(Vec<Effect>, T), E>,
    ) -> Result<T, E> {
        self.flush()?;
        self.control.administer_as(self.principal, plan)
    }
}

impl Drop for GenerationDraft<'_> {
    fn drop(&mut self) {
        self.control.drafts().remove(&self.generation);
    }
}

/// About what a set takes in an entry, rather too much.
fn stored_bytes(set: &RecordSet) -> usize {
    let texts = match &set.data {
        SetData::Records { values, .. } => values.iter().map(|value| value.len() + 4).sum(),
        SetData::Alias(target) => target.name.as_wire().len(),
    };
    let identifier = set.key.set_identifier.as_deref().map_or(0, str::len);
    SET_OVERHEAD + set.key.name.as_wire().len() + texts + identifier
}
