//! Whole zones written into a generation nobody sees: each name is planned by the rules of a batch,
//! set by set, so that each refusal is one set's. What a request may hold at most does not count
//! here; what a zone may hold does.

use std::collections::BTreeMap;

use meridian_dns::Name;

use super::PlanError;
use super::batch::{
    BatchRefusal, SetLimits, Working, check_collections, check_health_checks, unknown_region,
};
use super::conflicts::{Final, Followed};
use super::structure::{self, Nonsense};
use crate::draft::{Action, Draft, DraftChange};
use crate::record_set::{RecordSet, SetData, SetKey};
use crate::state::State;
use crate::zone::Zone;

/// What is to be at one name.
#[derive(Debug)]
pub struct ImportedName {
    /// The sets that were there before and are to stay.
    pub before: Vec<RecordSet>,
    /// The sets that are written, in the order in which they have their say. One that is in
    /// `before` is replaced.
    pub drafts: Vec<Draft>,
}

/// What a name comes to.
#[derive(Debug)]
pub struct PlannedName {
    /// All its sets.
    pub sets: Vec<RecordSet>,
    /// The drafts that were left out, by their places, and why.
    pub refused: Vec<(usize, Vec<String>)>,
}

/// The account's limits on single sets, read once for a whole import.
#[derive(Debug)]
pub struct ImportLimits(SetLimits);

impl ImportLimits {
    /// Those of the zone's account.
    ///
    /// # Errors
    /// The state's.
    pub fn of<S: State>(state: &S, zone: &Zone) -> Result<Self, S::Error> {
        SetLimits::of(state, zone).map(Self)
    }
}

/// Plans one name. Each draft is checked against what was accepted before it; where aliases lead
/// is checked by [`plan_imported_alias`], once all names are written.
///
/// # Errors
/// The state's.
pub fn plan_imported_name<S: State>(
    state: &S,
    zone: &Zone,
    limits: &ImportLimits,
    imported: ImportedName,
) -> Result<PlannedName, S::Error> {
    let most = &limits.0;
    let mut working = Working::new(state, zone, most.values);
    let name = named(&imported);
    if let Some(name) = &name {
        working.start(name, imported.before);
    }
    let mut refused = Vec::new();
    for (place, set) in imported.drafts.into_iter().enumerate() {
        let problems = add(state, zone, &mut working, most, set)?;
        if !problems.is_empty() {
            refused.push((place, problems));
        }
    }
    let sets = working.names.into_values().flatten().collect();
    Ok(PlannedName { sets, refused })
}

/// The name, where it is one: a draft whose name is none is refused.
fn named(imported: &ImportedName) -> Option<Name> {
    let known = imported.before.first().map(|set| set.key.name.clone());
    known.or_else(|| {
        let mut drafts = imported.drafts.iter();
        let name = drafts.find_map(|draft| Name::parse(&draft.name).ok())?;
        Some(name.to_lowercase())
    })
}

/// Adds a set, or says why not and leaves everything as it was.
fn add<S: State>(
    state: &S,
    zone: &Zone,
    working: &mut Working<'_, S>,
    most: &SetLimits,
    set: Draft,
) -> Result<Vec<String>, S::Error> {
    let action = Action::Upsert;
    let mut problems = Vec::new();
    let set = match structure::record_set(&DraftChange { action, set }) {
        Ok(set) => set,
        Err(Nonsense::Input(text) | Nonsense::Name(text)) => return Ok(vec![text]),
    };
    let sets = [(action, set)];
    match check_health_checks(state, zone, &sets) {
        Ok(()) => {}
        Err(PlanError::State(error)) => return Err(error),
        Err(PlanError::Refused(refusal)) => return Ok(vec![said(refusal)]),
    }
    if let Some(region) = unknown_region(state, &sets)? {
        return Ok(vec![format!("region {} is not known", region.as_str())]);
    }
    check_collections(state, zone, &sets, &mut problems)?;
    let [(action, set)] = sets;
    let key = set.key.clone();
    let old = working.find(&key);
    let written = working.written.len();
    working.change(action, set, &mut problems)?;
    if working.written.len() > written {
        let finished = Final::new(state, zone, &working.names, &working.written);
        let _ = finished.check_place(written, &key, most, &mut problems);
    }
    if !problems.is_empty() {
        working.undo(&key, old, written);
    }
    Ok(problems)
}

fn said(refusal: BatchRefusal) -> String {
    match refusal {
        BatchRefusal::InvalidInput(text) => text,
        BatchRefusal::InvalidChangeBatch(texts) => texts.join(", "),
        BatchRefusal::NoSuchHealthCheck(id) => {
            format!("A health check with id {id} does not exist.")
        }
    }
}

/// Where the aliases of an import were followed to, shared by all of them.
#[derive(Debug)]
pub struct FollowedAliases<'k>(Followed<'k>);

impl<'k> FollowedAliases<'k> {
    /// Nowhere yet. These are the aliases, each of which is to be planned.
    pub fn of(aliases: impl IntoIterator<Item = &'k SetKey>) -> Self {
        Self(Followed::with(aliases.into_iter().collect()))
    }
}

/// Why an alias may not stay, once all sets are in the generation that `zone` points to in `state`.
///
/// # Errors
/// The state's.
pub fn plan_imported_alias<S: State>(
    state: &S,
    zone: &Zone,
    key: &SetKey,
    followed: &mut FollowedAliases<'_>,
) -> Result<Vec<String>, S::Error> {
    let mut problems = Vec::new();
    followed.0.renew();
    let sets = state.sets_at(zone.generation, &key.name)?;
    let names = BTreeMap::new();
    let finished = Final::new(state, zone, &names, &[]);
    if let Some(set) = sets.iter().find(|set| set.key == *key)
        && let SetData::Alias(target) = &set.data
    {
        finished.check_alias(set, target, &mut followed.0, &mut problems)?;
    }
    Ok(problems)
}

/// What is missing at an apex that has these sets.
pub fn check_imported_apex<S: State>(state: &S, zone: &Zone, sets: Vec<RecordSet>) -> Vec<String> {
    let mut problems = Vec::new();
    let names = [(zone.name.sort_key(), sets)].into();
    Final::new(state, zone, &names, &[]).check_apex(&mut problems);
    problems
}
