//! Record sets as few words mean them, made ready for ChangeResourceRecordSets: by whoever may send it.
//! Nothing is written here, and nothing is known after it that its caller could not have asked.

use meridian_model::{Action, DraftChange};

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
        let sets = filling.sets()?;
        let batch = batch(addition, &sets);
        authorize_batch(&snapshot, caller, &batch)?;
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
fn batch(addition: &RecordAddition, sets: &[FilledSet]) -> ChangeRecordSets {
    let action = match addition.existing {
        ExistingRecord::Refuse => Action::Create,
        ExistingRecord::Replace => Action::Upsert,
    };
    let drafts = sets.iter().map(|set| set.draft.clone());
    ChangeRecordSets {
        hosted_zone_id: addition.zone.clone(),
        comment: None,
        changes: drafts.map(|set| DraftChange { action, set }).collect(),
    }
}
