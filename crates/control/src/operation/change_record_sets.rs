//! ChangeResourceRecordSets.

use std::collections::BTreeSet;

use meridian_log::Snapshot;
use meridian_model::{
    Action, BatchRefusal, DraftChange, Zone, ZoneId, external, keeps_to_zone, plan_batch,
};

use super::{Outcome, Planned, refused, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ChangeOutcome, ChangeRecordSets};
use crate::rights::{Context, authorize, authorize_with, own_zone, zone_arn};
use crate::turns::Errand;

/// What a stored set takes beyond its texts, roughly.
const SET_OVERHEAD: usize = 64;
/// And each of its values.
const VALUE_OVERHEAD: usize = 4;

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
        let effects = self.submit_to(errand(id, &request.changes), caller, |snapshot, _| {
            planned(snapshot, caller, request)
        })?;
        submitted(&effects)
    }
}

/// What the batch comes to, if the caller may send it and the rules allow it.
pub(super) fn planned(
    snapshot: &Snapshot,
    caller: &Caller,
    request: &ChangeRecordSets,
) -> Outcome<Planned> {
    let zone = authorize_batch(snapshot, caller, request)?;
    let effects =
        plan_batch(snapshot, &zone, &request.changes).map_err(|error| refused(error, words))?;
    let comment = request.comment.clone();
    Ok(Planned {
        zone,
        effects,
        comment,
    })
}

/// The zone of a batch, if it is the caller's who may send it.
pub(super) fn authorize_batch(
    snapshot: &Snapshot,
    caller: &Caller,
    request: &ChangeRecordSets,
) -> Outcome<Zone> {
    let id = request.hosted_zone_id.as_str();
    let action = "route53:ChangeResourceRecordSets";
    authorize_with(snapshot, caller, action, &zone_arn(id), || {
        Context::of_changes(&request.changes)
    })?;
    let zone = own_zone(snapshot, caller, id)?;
    authorize_targets(snapshot, caller, id, &request.changes)?;
    Ok(zone)
}

/// A batch that needs no other zone's record sets is written beside those for other zones.
fn errand<'a>(zone: &'a str, changes: &[DraftChange]) -> Errand<'a> {
    if keeps_to_zone(changes) {
        Errand::Sets(zone, changes.iter().map(draft_bytes).sum())
    } else {
        Errand::Zone(zone)
    }
}

/// About what a change takes in an entry. Characters that are stored as escapes take more.
fn draft_bytes(change: &DraftChange) -> usize {
    let values = change.set.records.as_deref().unwrap_or_default();
    let values: usize = values
        .iter()
        .map(|value| value.len() + VALUE_OVERHEAD)
        .sum();
    let texts = [&change.set.set_identifier, &change.set.health_check_id];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    SET_OVERHEAD + change.set.name.len() + texts + values
}

/// An alias into another zone that is here shows what is there, and its refusals what is not: it takes the right
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
        .map(|target| &target.hosted_zone_id)
        .filter(|target| target.as_str() != zone && external(target).is_none())
        .map(ZoneId::as_str)
        .collect();
    for target in targets {
        let action = "route53:ListResourceRecordSets";
        authorize(snapshot, caller, action, &zone_arn(target))?;
    }
    Ok(())
}

/// Why a batch is refused, in Route 53's words.
pub(crate) fn words(refusal: BatchRefusal) -> Refusal {
    match refusal {
        BatchRefusal::InvalidInput(text) => Refusal::InvalidInput(text),
        BatchRefusal::InvalidChangeBatch(texts) => Refusal::InvalidChangeBatch(texts),
        BatchRefusal::NoSuchHealthCheck(id) => Refusal::NoSuchHealthCheck(id),
    }
}
