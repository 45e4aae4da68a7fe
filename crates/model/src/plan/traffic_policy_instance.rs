//! CreateTrafficPolicyInstance, UpdateTrafficPolicyInstance and DeleteTrafficPolicyInstance. Each
//! replaces the whole tree by the effects of one commit, so that nobody ever sees a part of it.

use meridian_dns::{Name, RecordType};

use super::PlanError;
use super::batch::{
    BatchRefusal, SetLimits, Working, check_collections, check_health_checks, unknown_region,
};
use super::conflicts::Final;
use super::protections::check_protections;
use crate::change::Change;
use crate::draft::Action;
use crate::effect::Effect;
use crate::facts::Facts;
use crate::id::TrafficPolicyInstanceId;
use crate::quota::Quota;
use crate::record_set::{RecordSet, SetData};
use crate::routing::RoutingKind;
use crate::state::State;
use crate::traffic_policy::{
    Document, Plot, TrafficPolicy, TrafficPolicyInstance, expand, tree_name,
};
use crate::zone::Zone;

/// Stored bytes that a tree may take, about: one entry, of 1 MiB at most, writes it and takes another
/// one away.
const MAX_TREE_BYTES: usize = 512 * 1024;
/// How many reasons a refusal tells.
const REASONS_TOLD: usize = 20;
/// What a stored set takes beyond its texts, roughly.
const SET_OVERHEAD: usize = 96;

/// Why an instance is not made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceRefusal {
    /// `InvalidInput` with this message.
    Invalid(String),
    /// `TooManyTrafficPolicyInstances`.
    TooMany,
    /// `TrafficPolicyInstanceAlreadyExists`: this one has the name and type.
    AlreadyExists(TrafficPolicyInstanceId),
    /// `ConflictingTypes`: the instance's type and the policy's.
    ConflictingTypes(RecordType, RecordType),
}

/// An instance that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstance {
    /// The root's name, as sent.
    pub name: String,
    /// Seconds.
    pub ttl: u32,
}

type Planned<E> = Result<Vec<Effect>, PlanError<InstanceRefusal, E>>;

/// The effects that put a policy to work under a name of a zone of the same account.
///
/// # Errors
/// [`InstanceRefusal`], or the state's error.
pub fn plan_create_instance<S: State>(
    state: &S,
    facts: &mut Facts,
    zone: &Zone,
    policy: &TrafficPolicy,
    new: &NewInstance,
) -> Planned<S::Error> {
    let name =
        Name::parse(&new.name).map_err(|error| invalid(format!("FATAL problem: {error}")))?;
    let name = name.to_lowercase();
    if !name.is_within(&zone.name) {
        return Err(invalid(format!(
            "RRSet with DNS name {name} is not permitted in zone {}",
            zone.name
        )));
    }
    if let Some(other) = state.traffic_policy_instance_at(&zone.id, &name, policy.rtype)? {
        return Err(PlanError::Refused(InstanceRefusal::AlreadyExists(other.id)));
    }
    let limit = state.limit(&zone.account, Quota::TrafficPolicyInstancesByOwner)?;
    if state.traffic_policy_instance_count(&zone.account)? >= limit {
        return Err(PlanError::Refused(InstanceRefusal::TooMany));
    }
    let instance = TrafficPolicyInstance {
        id: facts.traffic_policy_instance_id(),
        account: zone.account.clone(),
        zone: zone.id.clone(),
        name,
        rtype: policy.rtype,
        ttl: new.ttl,
        policy: policy.id.clone(),
        version: policy.version,
        change: facts.change_id(),
        names: 0,
    };
    replant(state, facts, zone, policy, instance)
}

/// The effects that make of an instance one of this policy with this TTL.
///
/// # Errors
/// [`InstanceRefusal`], or the state's error.
pub fn plan_update_instance<S: State>(
    state: &S,
    facts: &mut Facts,
    zone: &Zone,
    policy: &TrafficPolicy,
    (instance, ttl): (&TrafficPolicyInstance, u32),
) -> Planned<S::Error> {
    if policy.rtype != instance.rtype {
        let types = InstanceRefusal::ConflictingTypes(instance.rtype, policy.rtype);
        return Err(PlanError::Refused(types));
    }
    let instance = TrafficPolicyInstance {
        ttl,
        policy: policy.id.clone(),
        version: policy.version,
        change: facts.change_id(),
        ..instance.clone()
    };
    replant(state, facts, zone, policy, instance)
}

/// The effects that take an instance and all its record sets away.
///
/// # Errors
/// [`InstanceRefusal::Invalid`] when they are protected, or the state's error.
pub fn plan_delete_instance<S: State>(
    state: &S,
    facts: &mut Facts,
    zone: &Zone,
    instance: &TrafficPolicyInstance,
) -> Planned<S::Error> {
    let old = standing(state, zone, instance)?;
    let mut effects = plan_sets(state, zone, old, Vec::new())?;
    effects.push(Effect::DeleteTrafficPolicyInstance(instance.id.clone()));
    let change = Change {
        id: facts.change_id(),
        ..change(facts, instance)
    };
    effects.push(Effect::PutChange(change));
    Ok(effects)
}

/// Puts the record sets there that the instance's policy comes to, in place of those that are there.
fn replant<S: State>(
    state: &S,
    facts: &Facts,
    zone: &Zone,
    policy: &TrafficPolicy,
    mut instance: TrafficPolicyInstance,
) -> Planned<S::Error> {
    // It was accepted before, maybe by other rules.
    let document = Document::parse(&policy.document).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        told(faults)
    })?;
    check_rules(&document, &SetLimits::of(state, zone)?)?;
    let plot = Plot {
        instance: &instance.id,
        name: &instance.name,
        ttl: instance.ttl,
        zone,
    };
    let tree = expand(&document, &plot).map_err(|error| invalid(error.to_string()))?;
    if tree.sets.iter().map(stored_bytes).sum::<usize>() > MAX_TREE_BYTES {
        return Err(invalid(format!(
            "Version {} of the traffic policy {} comes to {} resource record sets, which are too \
             large to be changed together in the hosted zone {}.",
            policy.version,
            policy.id,
            tree.sets.len(),
            zone.id
        )));
    }
    let old = standing(state, zone, &instance)?;
    instance.names = tree.names;
    let mut effects = plan_sets(state, zone, old, tree.sets)?;
    effects.push(Effect::PutChange(change(facts, &instance)));
    effects.push(Effect::PutTrafficPolicyInstance(instance));
    Ok(effects)
}

/// No rule has more items than there may be sets of one name and type. What is looked at later takes
/// a time that grows with the square of their number.
fn check_rules<E>(
    document: &Document,
    most: &SetLimits,
) -> Result<(), PlanError<InstanceRefusal, E>> {
    let used = document.used_rules().into_iter();
    let mut problems = Vec::new();
    for rule in used.filter_map(|place| document.rules().get(place)) {
        let most = match rule.kind {
            RoutingKind::Geoproximity => most.geoproximity_sets,
            _ => most.policy_sets,
        };
        let items = rule.items.len();
        if items as u64 > most {
            problems.push(format!(
                "The rule {} has {items} items, but there can be no more than {most} {} sets with \
                 the same name and type.",
                rule.id, rule.kind
            ));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(told(problems))
}

fn change(facts: &Facts, instance: &TrafficPolicyInstance) -> Change {
    Change {
        id: instance.change.clone(),
        account: instance.account.clone(),
        zone: Some(instance.zone.clone()),
        submitted_at: facts.now,
        comment: None,
    }
}

/// The record sets that an instance has in its zone.
fn standing<S: State>(
    state: &S,
    zone: &Zone,
    instance: &TrafficPolicyInstance,
) -> Result<Vec<RecordSet>, S::Error> {
    let mut standing = Vec::new();
    // As many as were written for it.
    let reserved = (0..instance.names).map_while(|n| tree_name(&instance.id, n, zone).ok());
    for name in reserved.chain([instance.name.clone()]) {
        let sets = state.sets_at(zone.generation, &name)?.into_iter();
        let own = |set: &RecordSet| {
            let of = set.traffic_policy_instance_id.as_deref();
            of == Some(instance.id.as_str())
        };
        standing.extend(sets.filter(own));
    }
    Ok(standing)
}

/// The effects that put these sets there in place of the old ones, by the rules of a batch. What is
/// the same in both is left alone.
fn plan_sets<S: State>(
    state: &S,
    zone: &Zone,
    old: Vec<RecordSet>,
    new: Vec<RecordSet>,
) -> Planned<S::Error> {
    let keys: Vec<_> = old.iter().chain(&new).map(|set| set.key.clone()).collect();
    let new: Vec<_> = new.into_iter().map(|set| (Action::Create, set)).collect();
    check_health_checks(state, zone, &new).map_err(|error| match error {
        PlanError::State(error) => PlanError::State(error),
        PlanError::Refused(refusal) => invalid(match refusal {
            BatchRefusal::InvalidInput(text) => text,
            BatchRefusal::InvalidChangeBatch(texts) => return told(texts),
            BatchRefusal::NoSuchHealthCheck(id) => {
                format!("A health check with id {id} does not exist.")
            }
        }),
    })?;
    if let Some(region) = unknown_region(state, &new)? {
        return Err(invalid(format!("Unknown region {}", region.as_str())));
    }
    let mut problems = Vec::new();
    check_collections(state, zone, &new, &mut problems)?;
    check_protections(state, zone, keys.iter(), &mut problems)?;
    let most = SetLimits::of(state, zone)?;
    let mut working = Working::new(state, zone, most.values);
    let old = old.into_iter().map(|set| (Action::Delete, set));
    for (action, set) in old.chain(new) {
        working.change(action, set, &mut problems)?;
    }
    let finished = Final::new(state, zone, &working.names, &working.written);
    finished.check(&most, &mut problems)?;
    working.check_room(&mut problems)?;
    if problems.is_empty() {
        Ok(working.effects())
    } else {
        Err(told(problems))
    }
}

/// About what a set takes in an entry, rather too much.
fn stored_bytes(set: &RecordSet) -> usize {
    let texts = match &set.data {
        SetData::Records { values, .. } => values.iter().map(|value| value.len() + 4).sum(),
        SetData::Alias(target) => target.name.as_wire().len(),
    };
    let identifiers = [
        &set.key.set_identifier,
        &set.health_check_id,
        &set.traffic_policy_instance_id,
    ];
    let identifiers: usize = identifiers.into_iter().flatten().map(String::len).sum();
    SET_OVERHEAD + set.key.name.as_wire().len() + texts + identifiers
}

/// A refusal for these reasons, of which it tells the first.
fn told<E>(mut reasons: Vec<String>) -> PlanError<InstanceRefusal, E> {
    let more = reasons.len().saturating_sub(REASONS_TOLD);
    reasons.truncate(REASONS_TOLD);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    invalid(reasons.join("; "))
}

fn invalid<E>(text: String) -> PlanError<InstanceRefusal, E> {
    PlanError::Refused(InstanceRefusal::Invalid(text))
}
