//! Record sets as few words mean them, made ready for ChangeResourceRecordSets: by whoever may send it.
//! Nothing is written here, and nothing is known after it that its caller could not have asked.

use meridian_model::{Action, Draft, DraftChange};

use super::Outcome;
use super::change_record_sets::{authorize_batch, planned};
use crate::admin::{ExistingRecord, RecordAddition};
use crate::caller::Caller;
use crate::control::Control;
use crate::filling::{Asker, FilledSet, Filling, Unfilled};
use crate::request::ChangeRecordSets;
use crate::rights::{authorize, own_zone, zone_arn};

/// An addition as it would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftedSets {
    /// The sets, one for each type, and what told of them what.
    pub sets: Vec<FilledSet>,
    /// What writes them.
    pub batch: ChangeRecordSets,
}

impl Control {
    /// What `addition` stands for in one of the caller's own zones, which it names by its bare id, with
    /// what it leaves open filled in from what the caller's account has. [`ChangeRecordSets`] of these
    /// sets would be accepted as things are.
    ///
    /// It takes the right to read the zone, as it tells what is in it, besides that to make the change.
    ///
    /// # Errors
    /// [`Unfilled`] says what is left to be said, or is a refusal of the operation in its own words.
    pub fn draft_record_sets(
        &self,
        caller: &Caller,
        addition: &RecordAddition,
    ) -> Result<DraftedSets, Unfilled> {
        let snapshot = self.fresh()?;
        let id = addition.zone.as_str();
        let action = "route53:ListResourceRecordSets";
        authorize(&snapshot, caller, action, &zone_arn(id))?;
        let zone = own_zone(&snapshot, caller, id)?;
        let filling = Filling {
            snapshot: &snapshot,
            zone: &zone,
            request: addition,
            asker: Asker::Caller(caller),
        };
        let bare = filling.bare()?;
        // Before anything is looked at that this caller may not ask for.
        authorize_batch(&snapshot, caller, &batch(addition, bare.iter()))?;
        let sets = filling.filled(bare)?;
        let batch = batch(addition, sets.iter().map(|set| &set.draft));
        Ok(DraftedSets { sets, batch })
    }

    /// Whether ChangeResourceRecordSets would take this as things are. Nothing is written.
    ///
    /// # Errors
    /// Those of [`Self::change_record_sets`].
    pub fn check_record_sets(&self, caller: &Caller, request: &ChangeRecordSets) -> Outcome<()> {
        planned(&self.fresh()?, caller, request)?;
        Ok(())
    }
}

/// The request that writes these sets.
fn batch<'a>(addition: &RecordAddition, sets: impl Iterator<Item = &'a Draft>) -> ChangeRecordSets {
    let action = match addition.existing {
        ExistingRecord::Refuse => Action::Create,
        ExistingRecord::Replace => Action::Upsert,
    };
    let changes = sets.cloned().map(|set| DraftChange { action, set });
    ChangeRecordSets {
        hosted_zone_id: addition.zone.clone(),
        comment: None,
        changes: changes.collect(),
    }
}
