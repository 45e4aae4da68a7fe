//! Protections of record sets: made and lifted whole requests at a time, and kept to by batches.

use std::collections::HashSet;

use meridian_dns::{Name, RecordType};

use super::PlanError;
use crate::effect::Effect;
use crate::protection::{Protection, ProtectionKey};
use crate::quota::Quota;
use crate::record_set::SetKey;
use crate::state::State;
use crate::zone::Zone;

/// The most entries of one request.
const MAX_ENTRIES: usize = 100;

/// An entry of a request as it spells it. What lifts a protection has no comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionDraft {
    /// As sent.
    pub name: String,
    /// The type.
    pub rtype: RecordType,
    /// At most 256 characters.
    pub comment: Option<String>,
}

/// Why protections are not made or lifted; named by Route 53's error codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProtectionRefusal {
    /// `InvalidInput` with this message.
    InvalidInput(String),
    /// `InvalidResourceRecordSetProtectionBatch`.
    InvalidBatch(Vec<ProtectionProblem>),
    /// `ProtectionAlreadyExists`: all of them do.
    AlreadyExist(Vec<ProtectionProblem>),
    /// `LimitsExceeded`: the zone may have this many.
    LimitExceeded(u64),
}

/// `ProtectionError`: what is wrong with one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionProblem {
    /// As sent.
    pub name: String,
    /// The type.
    pub rtype: RecordType,
    /// What kind of problem it is.
    pub code: ProtectionCode,
    /// For people.
    pub message: String,
}

/// The codes of [`ProtectionProblem`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum ProtectionCode {
    InvalidInput,
    ProtectionAlreadyExists,
    ProtectionNotFound,
}

impl ProtectionCode {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "InvalidInput",
            Self::ProtectionAlreadyExists => "ProtectionAlreadyExists",
            Self::ProtectionNotFound => "ProtectionNotFound",
        }
    }
}

type Planned<E> = Result<Vec<Effect>, PlanError<ProtectionRefusal, E>>;

/// Makes protections: all of them, or none.
///
/// # Errors
/// Entries that cannot be are told before those that are there, as Route 53 does; or the state's.
pub fn plan_create_protections<S: State>(
    state: &S,
    zone: &Zone,
    drafts: &[ProtectionDraft],
) -> Planned<S::Error> {
    let keys = keys(zone, drafts)?;
    let mut there = Vec::new();
    for (draft, key) in drafts.iter().zip(&keys) {
        if state.protection(key)?.is_some() {
            let message = format!("There is a protection of {key} already.");
            there.push(draft.problem(ProtectionCode::ProtectionAlreadyExists, message));
        }
    }
    if there.len() == drafts.len() {
        return Err(PlanError::Refused(ProtectionRefusal::AlreadyExist(there)));
    }
    if !there.is_empty() {
        return Err(PlanError::Refused(ProtectionRefusal::InvalidBatch(there)));
    }
    let limit = state.limit(&zone.account, Quota::ProtectionsByZone)?;
    if state.protection_count(&zone.id)? + keys.len() as u64 > limit {
        return Err(PlanError::Refused(ProtectionRefusal::LimitExceeded(limit)));
    }
    let effect = |(draft, key): (&ProtectionDraft, ProtectionKey)| {
        Effect::PutProtection(Protection {
            key,
            comment: draft.comment.clone().filter(|text| !text.is_empty()),
        })
    };
    Ok(drafts.iter().zip(keys).map(effect).collect())
}

/// Lifts protections: all of them, or none.
///
/// # Errors
/// As for [`plan_create_protections`], with those that are not there.
pub fn plan_delete_protections<S: State>(
    state: &S,
    zone: &Zone,
    drafts: &[ProtectionDraft],
) -> Planned<S::Error> {
    let keys = keys(zone, drafts)?;
    let mut missing = Vec::new();
    for (draft, key) in drafts.iter().zip(&keys) {
        if state.protection(key)?.is_none() {
            let message = format!("There is no protection of {key}.");
            missing.push(draft.problem(ProtectionCode::ProtectionNotFound, message));
        }
    }
    if !missing.is_empty() {
        return Err(PlanError::Refused(ProtectionRefusal::InvalidBatch(missing)));
    }
    Ok(keys.into_iter().map(Effect::DeleteProtection).collect())
}

/// What each entry is about, or all entries that cannot be about anything.
fn keys<E>(
    zone: &Zone,
    drafts: &[ProtectionDraft],
) -> Result<Vec<ProtectionKey>, PlanError<ProtectionRefusal, E>> {
    if drafts.is_empty() || drafts.len() > MAX_ENTRIES {
        let text = format!(
            "Protections has {} members; it must have 1 to {MAX_ENTRIES}.",
            drafts.len()
        );
        return Err(PlanError::Refused(ProtectionRefusal::InvalidInput(text)));
    }
    let mut keys = Vec::with_capacity(drafts.len());
    let mut seen = HashSet::with_capacity(drafts.len());
    let mut problems = Vec::new();
    for draft in drafts {
        match draft.key(zone) {
            Err(text) => problems.push(draft.problem(ProtectionCode::InvalidInput, text)),
            Ok(key) if !seen.insert(key.clone()) => {
                let text = format!("{key} is in the request more than once.");
                problems.push(draft.problem(ProtectionCode::InvalidInput, text));
            }
            Ok(key) => keys.push(key),
        }
    }
    if problems.is_empty() {
        Ok(keys)
    } else {
        Err(PlanError::Refused(ProtectionRefusal::InvalidBatch(
            problems,
        )))
    }
}

impl ProtectionDraft {
    fn key(&self, zone: &Zone) -> Result<ProtectionKey, String> {
        let name = Name::parse(&self.name).map_err(|error| format!("FATAL problem: {error}"))?;
        let name = name.to_lowercase();
        if !name.is_within(&zone.name) {
            return Err(format!(
                "RRSet with DNS name {name} is not permitted in zone {}",
                zone.name
            ));
        }
        Ok(ProtectionKey {
            zone: zone.id.clone(),
            name,
            rtype: self.rtype,
        })
    }

    fn problem(&self, code: ProtectionCode, message: String) -> ProtectionProblem {
        ProtectionProblem {
            name: self.name.clone(),
            rtype: self.rtype,
            code,
            message,
        }
    }
}

/// Tells each protected name and type once that a batch touches, whatever it does there.
pub(super) fn check_protections<'a, S: State>(
    state: &S,
    zone: &Zone,
    touched: impl Iterator<Item = &'a SetKey>,
    problems: &mut Vec<String>,
) -> Result<(), S::Error> {
    if state.protection_count(&zone.id)? == 0 {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for set in touched {
        let key = ProtectionKey::of(&zone.id, set);
        if seen.contains(&key) {
            continue;
        }
        if let Some(protection) = state.protection(&key)? {
            let comment = protection.comment.map(|text| format!(": {text}"));
            problems.push(format!(
                "Tried to change resource record set {key} but it is protected{}",
                comment.unwrap_or_default()
            ));
        }
        seen.insert(key);
    }
    Ok(())
}
