//! CreateTrafficPolicy, CreateTrafficPolicyVersion, UpdateTrafficPolicyComment and
//! DeleteTrafficPolicy.

use super::PlanError;
use crate::effect::Effect;
use crate::facts::Facts;
use crate::id::AccountId;
use crate::quota::Quota;
use crate::state::State;
use crate::traffic_policy::{Document, DocumentFault, TrafficPolicy, TrafficPolicySummary};

/// What a version of a policy is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicyVersion {
    /// The document, as sent.
    pub document: String,
    /// Empty is none.
    pub comment: Option<String>,
}

/// Why a policy is not made or not deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrafficPolicyRefusal {
    /// `InvalidTrafficPolicyDocument`, for all of this.
    InvalidDocument(Vec<DocumentFault>),
    /// `TrafficPolicyAlreadyExists`: the name is taken.
    NameTaken,
    /// `TooManyTrafficPolicies`.
    TooMany,
    /// `TooManyTrafficPolicyVersionsForCurrentPolicy`.
    TooManyVersions,
    /// `TrafficPolicyInUse`: there is an instance of the version.
    InUse,
}

type Planned<E> = Result<Vec<Effect>, PlanError<TrafficPolicyRefusal, E>>;

/// The effect that makes a policy with its first version.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_create_traffic_policy<S: State>(
    state: &S,
    facts: &mut Facts,
    account: &AccountId,
    (name, first): (&str, &NewPolicyVersion),
) -> Planned<S::Error> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    let document = match read(state, &first.document)? {
        Ok(document) => document,
        Err(faults) => return refused(TrafficPolicyRefusal::InvalidDocument(faults)),
    };
    if state.traffic_policy_named(account, name)?.is_some() {
        return refused(TrafficPolicyRefusal::NameTaken);
    }
    let limit = state.limit(account, Quota::TrafficPoliciesByOwner)?;
    if state.traffic_policy_count(account)? >= limit {
        return refused(TrafficPolicyRefusal::TooMany);
    }
    Ok(vec![Effect::PutTrafficPolicy(TrafficPolicy {
        id: facts.traffic_policy_id(),
        account: account.clone(),
        version: 1,
        name: name.to_owned(),
        rtype: document.record_type(),
        document: first.document.clone(),
        comment: comment(first.comment.as_deref()),
        deleted: false,
    })])
}

/// The effect that makes the next version of a policy. Numbers of deleted versions stay used.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_create_traffic_policy_version<S: State>(
    state: &S,
    policy: &TrafficPolicySummary,
    next: &NewPolicyVersion,
) -> Planned<S::Error> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    let document = match read(state, &next.document)? {
        Ok(document) => document,
        Err(faults) => return refused(TrafficPolicyRefusal::InvalidDocument(faults)),
    };
    if policy.last_version >= TrafficPolicy::MAX_VERSIONS {
        return refused(TrafficPolicyRefusal::TooManyVersions);
    }
    Ok(vec![Effect::PutTrafficPolicy(TrafficPolicy {
        id: policy.id.clone(),
        account: policy.account.clone(),
        version: policy.last_version + 1,
        name: policy.name.clone(),
        rtype: document.record_type(),
        document: next.document.clone(),
        comment: comment(next.comment.as_deref()),
        deleted: false,
    })])
}

/// The effect that has a version say this of itself.
pub fn plan_comment_traffic_policy(policy: TrafficPolicy, text: &str) -> Vec<Effect> {
    vec![Effect::PutTrafficPolicy(TrafficPolicy {
        comment: comment(Some(text)),
        ..policy
    })]
}

/// Versions that one deletion has forgotten at most: one, unless an earlier version of this program
/// kept more.
const FORGOTTEN_AT_A_TIME: usize = 20;

/// The effects that delete a version, and have those forgotten that were deleted long before it.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_delete_traffic_policy<S: State>(
    state: &S,
    policy: &TrafficPolicy,
) -> Planned<S::Error> {
    if state.has_traffic_policy_instance(&policy.id, policy.version)? {
        return Err(PlanError::Refused(TrafficPolicyRefusal::InUse));
    }
    let mut effects = vec![Effect::DeleteTrafficPolicy {
        id: policy.id.clone(),
        version: policy.version,
    }];
    let most = TrafficPolicy::DELETED_KEPT + FORGOTTEN_AT_A_TIME;
    let mut deleted = state.deleted_traffic_policies(&policy.account, most)?;
    // This one comes behind them.
    deleted.truncate((deleted.len() + 1).saturating_sub(TrafficPolicy::DELETED_KEPT));
    let forgotten = deleted.into_iter();
    effects.extend(forgotten.map(|(id, version)| Effect::ForgetTrafficPolicy { id, version }));
    Ok(effects)
}

/// The document, with regions that there are.
fn read<S: State>(state: &S, text: &str) -> Result<Result<Document, Vec<DocumentFault>>, S::Error> {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(faults) => return Ok(Err(faults)),
    };
    let unknown = document.unknown_regions(&state.own_regions()?);
    Ok(if unknown.is_empty() {
        Ok(document)
    } else {
        Err(unknown)
    })
}

fn comment(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}
