//! What zones were: their versions, what differs between two of them, and going back to one.
//!
//! The tables keep what each commit overwrote. Walking back over that from today gives what any
//! version held, as far as it goes back.

mod past;

use meridian_log::Snapshot;
use meridian_model::{
    Action, BatchRefusal, Change, Draft, DraftChange, Effect, Facts, PlanError, RecordSet, Seq,
    Timestamp, Zone, plan_batch,
};

use self::past::{NEWEST, Past};
use super::import::{
    ExistingSets, ImportOutcome, ImportRequest, ImportRoom, ImportTarget, ImportedApex,
    ImportedSet, InvalidSets, RefusedSet,
};
use super::zone::zone_of;
use super::{AdminError, OPERATOR, Outcome};
use crate::control::Control;
use crate::refusal::Fault;

/// What a batch takes, as [`plan_batch`] says: `ResourceRecord` elements and characters of values,
/// those of an UPSERT twice.
const BATCH_ELEMENTS: usize = 1000;
const BATCH_CHARACTERS: usize = 32_000;
/// Reasons that are told of a version that cannot be gone back to.
const REASONS_TOLD: usize = 20;

/// A version of a zone: what one commit made of it.
#[derive(Debug, Clone)]
pub struct ZoneVersion {
    /// The entry.
    pub seq: Seq,
    /// When.
    pub time: Timestamp,
    /// Who did it.
    pub principal: String,
    /// From where.
    pub source: String,
    /// By which request.
    pub request_id: String,
    /// As which change, if it was one.
    pub change: Option<Change>,
    /// All sets were replaced by others at once.
    pub replaced: bool,
    /// What it changed; nothing when what was there before a replacement is not kept any more.
    pub differences: Vec<SetDifference>,
}

/// A record set that is not the same in two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetDifference {
    /// As it was; none where there was none.
    pub before: Option<RecordSet>,
    /// As it is then; none where there is none.
    pub after: Option<RecordSet>,
}

/// What going back comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreOutcome {
    /// It is published.
    Publish,
    /// It is checked, and nothing written.
    Check,
}

/// A zone that is as it was.
#[derive(Debug, Clone)]
pub struct RestoredZone {
    /// The zone.
    pub zone: Zone,
    /// What is different now.
    pub differences: Vec<SetDifference>,
    /// The change; none when nothing was different, or nothing written.
    pub change: Option<Change>,
}

impl Control {
    /// The newest versions of a zone, newest first, at most `limit`.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn zone_history(&self, zone: &str, limit: usize) -> Outcome<(Zone, Vec<ZoneVersion>)> {
        let snapshot = self.fresh()?;
        let zone = zone_of(&snapshot, zone, None)?;
        let rows = snapshot.history_back(&zone.id, NEWEST, limit)?;
        let mut past = Past::new(&snapshot, &zone);
        let mut versions = Vec::with_capacity(rows.len());
        for row in rows {
            let entry = self.entry(row.seq)?;
            let commit = entry.and_then(|entry| {
                let place = usize::try_from(row.commit).ok()?;
                entry.commits.into_iter().nth(place)
            });
            let commit =
                commit.ok_or_else(|| Fault::storage("history names an entry that is not there"))?;
            let change = commit.effects.iter().find_map(|effect| match effect {
                Effect::PutChange(change) if change.zone.as_ref() == Some(&zone.id) => {
                    Some(change.clone())
                }
                _ => None,
            });
            let mut version = ZoneVersion {
                seq: row.seq,
                time: row.time,
                principal: row.principal.clone(),
                source: commit.source,
                request_id: commit.request_id,
                change,
                replaced: row.previous_generation.is_some(),
                differences: Vec::new(),
            };
            match past.back_over(row)? {
                Some(differences) => version.differences = differences,
                // Further back nothing is known but who did it.
                None => {
                    versions.push(version);
                    break;
                }
            }
            versions.push(version);
        }
        Ok((zone, versions))
    }

    /// What is different in a zone after the entry `to`, or now, from what it was after `from`.
    ///
    /// # Errors
    /// When there is no such zone, or its history does not go back so far.
    pub fn zone_difference(
        &self,
        zone: &str,
        from: Seq,
        to: Option<Seq>,
    ) -> Outcome<(Zone, Vec<SetDifference>)> {
        let snapshot = self.fresh()?;
        let zone = zone_of(&snapshot, zone, None)?;
        let at = |seq| Past::at(&snapshot, &zone, seq);
        let to = match to {
            Some(seq) => at(seq)?,
            None => Past::new(&snapshot, &zone),
        };
        let differences = at(from)?.differences_to(&to)?;
        Ok((zone, differences))
    }

    /// Makes a zone's record sets what they were after the entry `to`, by one change that keeps to
    /// the rules for changes: as a batch if it fits into one, else as an import does. What traffic
    /// policy instances made stays as it is.
    ///
    /// # Errors
    /// When there is no such zone, its history does not go back so far, or today's rules refuse
    /// what was then.
    pub fn restore_zone(
        &self,
        zone: &str,
        to: Seq,
        outcome: RestoreOutcome,
    ) -> Outcome<RestoredZone> {
        let snapshot = self.fresh()?;
        let planned = plan_restore(&snapshot, zone, to)?;
        if planned.differences.is_empty() {
            return Ok(planned.into_restored(None));
        }
        let Some(changes) = planned.batch() else {
            return self.restore_by_import(&snapshot, planned, to, outcome);
        };
        if outcome == RestoreOutcome::Check {
            plan_batch(&snapshot, &planned.zone, &changes).map_err(refused)?;
            return Ok(planned.into_restored(None));
        }
        drop(snapshot);
        self.administer(|snapshot, facts| {
            // The zone may have been changed since it was looked at.
            let planned = plan_restore(snapshot, zone, to)?;
            let changes = planned.batch().ok_or_else(changed_meanwhile)?;
            let mut effects = plan_batch(snapshot, &planned.zone, &changes).map_err(refused)?;
            let change = change_of(facts, &planned.zone, to);
            effects.push(Effect::PutChange(change.clone()));
            Ok((effects, planned.into_restored(Some(change))))
        })
    }

    fn restore_by_import(
        &self,
        snapshot: &Snapshot,
        planned: PlannedRestore,
        to: Seq,
        outcome: RestoreOutcome,
    ) -> Outcome<RestoredZone> {
        let sets = Past::at(snapshot, &planned.zone, to)?.sets()?;
        let mut import = self.begin_import(ImportRequest {
            target: ImportTarget::Zone(planned.zone.id.to_string()),
            account: None,
            existing: ExistingSets::Replace,
            apex: ImportedApex::Take,
            invalid: InvalidSets::Refuse,
            room: ImportRoom::Unlimited,
            outcome: match outcome {
                RestoreOutcome::Publish => ImportOutcome::Publish,
                RestoreOutcome::Check => ImportOutcome::Check,
            },
        })?;
        let mut refused = Vec::new();
        let mut place = 0;
        for sets in sets.chunk_by(|a, b| a.key.name == b.key.name) {
            let imported = sets.iter().map(|set| {
                place += 1;
                ImportedSet {
                    place,
                    draft: Draft::from(set),
                }
            });
            refused.extend(import.name(imported.collect())?);
        }
        let (imported, last) = import.finish()?;
        refused.extend(last);
        if !refused.is_empty() {
            return Err(not_restorable(refused));
        }
        Ok(planned.into_restored(imported.change))
    }
}

/// What going back to a version takes.
struct PlannedRestore {
    zone: Zone,
    differences: Vec<SetDifference>,
}

fn plan_restore(snapshot: &Snapshot, zone: &str, to: Seq) -> Outcome<PlannedRestore> {
    let zone = zone_of(snapshot, zone, None)?;
    let then = Past::at(snapshot, &zone, to)?;
    let differences = Past::new(snapshot, &zone).differences_to(&then)?;
    Ok(PlannedRestore { zone, differences })
}

impl PlannedRestore {
    /// The batch that does it; none if it is too large for one.
    fn batch(&self) -> Option<Vec<DraftChange>> {
        let (mut removals, mut others) = (Vec::new(), Vec::new());
        let (mut elements, mut characters) = (0, 0);
        for difference in &self.differences {
            let (action, set) = match difference {
                SetDifference {
                    after: Some(set), ..
                } => (Action::Upsert, set),
                SetDifference {
                    before: Some(set), ..
                } => (Action::Delete, set),
                SetDifference { .. } => continue,
            };
            let times = if action == Action::Upsert { 2 } else { 1 };
            let set = Draft::from(set);
            let values = set.records.as_deref().unwrap_or_default();
            elements += times * values.len().max(1);
            characters += times * values.iter().map(|v| v.chars().count()).sum::<usize>();
            match action {
                // First, to make room for others at the same name.
                Action::Delete => removals.push(DraftChange { action, set }),
                _ => others.push(DraftChange { action, set }),
            }
        }
        removals.append(&mut others);
        (elements <= BATCH_ELEMENTS && characters <= BATCH_CHARACTERS).then_some(removals)
    }

    fn into_restored(self, change: Option<Change>) -> RestoredZone {
        RestoredZone {
            zone: self.zone,
            differences: self.differences,
            change,
        }
    }
}

fn change_of(facts: &mut Facts, zone: &Zone, to: Seq) -> Change {
    Change {
        id: facts.change_id(),
        account: zone.account.clone(),
        zone: Some(zone.id.clone()),
        submitted_at: facts.now,
        comment: Some(format!("restored as of entry {to} by the {OPERATOR}")),
    }
}

fn changed_meanwhile() -> AdminError {
    AdminError::NotRestored("the zone was changed meanwhile; try again".to_owned())
}

fn refused(error: PlanError<BatchRefusal, meridian_log::ReadError>) -> AdminError {
    let text = match error {
        PlanError::State(error) => return error.into(),
        PlanError::Refused(BatchRefusal::InvalidInput(text)) => text,
        PlanError::Refused(BatchRefusal::InvalidChangeBatch(texts)) => texts.join("; "),
        PlanError::Refused(BatchRefusal::NoSuchHealthCheck(id)) => {
            format!("there is no health check {id} any more")
        }
    };
    AdminError::NotRestored(text)
}

fn not_restorable(refused: Vec<RefusedSet>) -> AdminError {
    let reasons = refused.into_iter().flat_map(|set| set.reasons);
    let reasons: Vec<String> = reasons.take(REASONS_TOLD).collect();
    AdminError::NotRestored(reasons.join("; "))
}
