//! ChangeResourceRecordSets.

use std::collections::BTreeSet;

use meridian_log::Snapshot;
use meridian_model::{Action, BatchRefusal, DraftChange, plan_batch};

use super::{Outcome, Planned, refused, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ChangeOutcome, ChangeRecordSets};
use crate::rights::{Context, authorize, authorize_with, own_zone, zone_arn};

impl Control {
    /// ChangeResourceRecordSets: the whole batch or nothing.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidChangeBatch` with every error of the batch, `InvalidInput`,
    /// `NoSuchHealthCheck`.
    pub fn change_record_sets(
        &self,
        caller: &Caller,
        request: &ChangeRecordSets,
    ) -> Outcome<ChangeOutcome> {
        let id = request.hosted_zone_id.as_str();
        let effects = self.submit_to(Some(id), caller, |snapshot, _| {
            let action = "route53:ChangeResourceRecordSets";
            authorize_with(snapshot, caller, action, &zone_arn(id), || {
                Context::of_changes(&request.changes)
            })?;
            let zone = own_zone(snapshot, caller, id)?;
            authorize_targets(snapshot, caller, id, &request.changes)?;
            let effects = plan_batch(snapshot, &zone, &request.changes)
                .map_err(|error| refused(error, words))?;
            let comment = request.comment.clone();
            Ok(Planned {
                zone,
                effects,
                comment,
            })
        })?;
        submitted(&effects)
    }
}

/// An alias into another zone shows what is there, and its refusals what is not: it takes the right
/// to read that zone. Asked for by the id alone, whether there is such a zone or not.
fn authorize_targets(
    snapshot: &Snapshot,
    caller: &Caller,
    zone: &str,
    changes: &[DraftChange],
) -> Outcome<()> {
    let targets: BTreeSet<&str> = changes
        .iter()
        .filter(|change| change.action != Action::Delete)
        .filter_map(|change| change.set.alias_target.as_ref())
        .map(|target| target.hosted_zone_id.as_str())
        .filter(|target| *target != zone)
        .collect();
    for target in targets {
        let action = "route53:ListResourceRecordSets";
        authorize(snapshot, caller, action, &zone_arn(target))?;
    }
    Ok(())
}

fn words(refusal: BatchRefusal) -> Refusal {
    match refusal {
        BatchRefusal::InvalidInput(text) => Refusal::InvalidInput(text),
        BatchRefusal::InvalidChangeBatch(texts) => Refusal::InvalidChangeBatch(texts),
        BatchRefusal::NoSuchHealthCheck(id) => Refusal::NoSuchHealthCheck(id),
    }
}
