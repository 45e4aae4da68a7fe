//! What the operations on traffic policy instances share: how an instance is found and how far it is.

use meridian_log::Snapshot;
use meridian_model::{
    Effect, InstanceRefusal, State, TrafficPolicyInstance, TrafficPolicyInstanceId, Zone,
};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::{Fault, Refusal};
use crate::request::{ChangeStatus, InstanceState, InstanceStatus};

/// The instance, if it exists and belongs to the caller's account.
pub(super) fn own_instance(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Outcome<TrafficPolicyInstance> {
    let missing = || Refusal::NoSuchTrafficPolicyInstance(id.to_owned());
    let bare = TrafficPolicyInstanceId::new(id).map_err(|_| missing())?;
    let instance = snapshot.traffic_policy_instance(&bare)?;
    let own = instance.filter(|instance| instance.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The zone that an instance is in: it is there as long as the instance.
pub(super) fn zone_of(snapshot: &Snapshot, instance: &TrafficPolicyInstance) -> Outcome<Zone> {
    let zone = snapshot.zone(&instance.zone)?;
    Ok(zone.ok_or_else(|| Fault::storage("a traffic policy instance lost its zone"))?)
}

/// The ARN of a traffic policy instance.
pub(super) fn instance_arn(id: &str) -> String {
    format!("arn:aws:route53:::trafficpolicyinstance/{id}")
}

/// The instance that effects write. It is on its way, as Route 53 answers every submission: a retry
/// gets the very answer that was lost.
pub(super) fn written(effects: Vec<Effect>) -> Outcome<InstanceStatus> {
    let found = effects.into_iter().find_map(|effect| match effect {
        Effect::PutTrafficPolicyInstance(instance) => Some(instance),
        _ => None,
    });
    let instance =
        found.ok_or_else(|| Fault::storage("a commit lost its traffic policy instance"))?;
    Ok(InstanceStatus {
        instance,
        state: InstanceState::Creating,
    })
}

/// What is said of a refusal.
pub(super) fn words(refusal: InstanceRefusal) -> Refusal {
    match refusal {
        InstanceRefusal::Invalid(text) => Refusal::InvalidInput(text),
        InstanceRefusal::TooMany => Refusal::TooManyTrafficPolicyInstances,
        InstanceRefusal::AlreadyExists(id) => {
            Refusal::TrafficPolicyInstanceAlreadyExists(id.to_string())
        }
        InstanceRefusal::ConflictingTypes(has, wanted) => Refusal::ConflictingTypes { has, wanted },
    }
}

impl Control {
    /// The line in which changes of an instance wait: that of its zone.
    pub(super) fn line_of(&self, id: &str) -> Outcome<String> {
        let snapshot = self.fresh()?;
        let found = match TrafficPolicyInstanceId::new(id) {
            Ok(bare) => snapshot.traffic_policy_instance(&bare)?,
            Err(_) => None,
        };
        Ok(found.map_or_else(|| id.to_owned(), |instance| instance.zone.to_string()))
    }

    /// The instance with how far it is: as far as the change that made its record sets.
    pub(super) fn status_of(
        &self,
        snapshot: &Snapshot,
        instance: TrafficPolicyInstance,
    ) -> Outcome<InstanceStatus> {
        let change = snapshot.change(&instance.change)?;
        let (seq, _) = change.ok_or_else(|| Fault::storage("an instance lost its change"))?;
        let state = match self.acks.status(Some(&instance.zone), seq) {
            ChangeStatus::Insync => InstanceState::Applied,
            ChangeStatus::Pending if self.acks.fails(&instance.zone, seq) => InstanceState::Failed,
            ChangeStatus::Pending => InstanceState::Creating,
        };
        Ok(InstanceStatus { instance, state })
    }
}
