//! What the operations on traffic policies have in common: whose a policy is, what it is called in
//! rights, the line its changes wait in, and what a refusal says.

use meridian_log::Snapshot;
use meridian_model::{
    Effect, State, TrafficPolicy, TrafficPolicyId, TrafficPolicyRefusal, TrafficPolicySummary,
};

use super::Outcome;
use crate::caller::Caller;
use crate::refusal::{Fault, Refusal};
use crate::request::PolicyVersion;

/// The line for all changes of an account's traffic policies: those of one wait for each other as
/// those of a zone do, and no zone has this for its id.
pub(super) const LINE: &str = "trafficpolicy";

/// The policy, if it has a version and belongs to the caller's account.
pub(super) fn own_policy(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Outcome<TrafficPolicySummary> {
    let missing = || Refusal::NoSuchTrafficPolicy(id.to_owned());
    let known = TrafficPolicyId::new(id).map_err(|_| missing())?;
    let policy = snapshot.traffic_policy_summary(&known)?;
    let own = policy.filter(|policy| policy.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The version, if it belongs to the caller's account, also when it is deleted.
pub(super) fn own_version_ever(
    snapshot: &Snapshot,
    caller: &Caller,
    of: &PolicyVersion,
) -> Outcome<TrafficPolicy> {
    let missing = || Refusal::NoSuchTrafficPolicyVersion {
        id: of.id.clone(),
        version: of.version,
    };
    let id = TrafficPolicyId::new(&of.id).map_err(|_| missing())?;
    let policy = snapshot.traffic_policy(&id, of.version)?;
    let own = policy.filter(|policy| policy.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The same, unless it is deleted.
pub(super) fn own_version(
    snapshot: &Snapshot,
    caller: &Caller,
    of: &PolicyVersion,
) -> Outcome<TrafficPolicy> {
    let policy = own_version_ever(snapshot, caller, of)?;
    if policy.deleted {
        let (id, version) = (of.id.clone(), of.version);
        return Err(Refusal::NoSuchTrafficPolicyVersion { id, version }.into());
    }
    Ok(policy)
}

/// The ARN of a traffic policy, whatever the version.
pub(super) fn traffic_policy_arn(id: &str) -> String {
    format!("arn:aws:route53:::trafficpolicy/{id}")
}

/// The version that a commit wrote.
pub(super) fn written(effects: Vec<Effect>) -> Outcome<TrafficPolicy> {
    let found = effects.into_iter().find_map(|effect| match effect {
        Effect::PutTrafficPolicy(policy) => Some(policy),
        _ => None,
    });
    Ok(found.ok_or_else(|| Fault::Storage("a commit lost its traffic policy".to_owned()))?)
}

/// The refusal of something about the policy of this name.
pub(super) fn words(refusal: TrafficPolicyRefusal, name: &str) -> Refusal {
    match refusal {
        TrafficPolicyRefusal::InvalidDocument(faults) => {
            Refusal::InvalidTrafficPolicyDocument(faults.iter().map(ToString::to_string).collect())
        }
        TrafficPolicyRefusal::NameTaken => Refusal::TrafficPolicyAlreadyExists(name.to_owned()),
        TrafficPolicyRefusal::TooMany => Refusal::TooManyTrafficPolicies,
        TrafficPolicyRefusal::TooManyVersions => {
            Refusal::TooManyTrafficPolicyVersions(TrafficPolicy::MAX_VERSIONS)
        }
        TrafficPolicyRefusal::InUse => Refusal::TrafficPolicyInUse,
    }
}
