//! What a chain amounts to, found out another way than the tables do.

use super::*;

/// What the effects amount to, kept in maps.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) sets: BTreeMap<Generation, BTreeMap<Order, RecordSet>>,
    pub(super) delegation_sets: BTreeMap<DelegationSetId, ReusableDelegationSet>,
    /// In order of the zones' latest.
    pub(super) logging: Vec<QueryLoggingConfig>,
    pub(super) vpcs: BTreeMap<VpcId, Vpc>,
    pub(super) authorizations: BTreeMap<(ZoneId, VpcId), VpcAuthorization>,
    pub(super) health_checks: BTreeMap<HealthCheckId, HealthCheck>,
    /// By place: the last incarnation, and who has it.
    pub(super) health_slots: BTreeMap<u32, (u32, Option<HealthCheckId>)>,
    pub(super) health_switches: BTreeMap<HealthCheckId, HealthSwitch>,
    pub(super) routing_controls: BTreeMap<String, RoutingControl>,
    pub(super) regions: BTreeMap<Region, OwnRegion>,
    /// By account and name as text.
    pub(super) resources: BTreeMap<(AccountId, String), Resource>,
    pub(super) health_references: BTreeMap<(AccountId, String), HealthCheckId>,
    /// Who made one, and when.
    pub(super) health_creations: Vec<(AccountId, Timestamp)>,
    pub(super) policies: BTreeMap<(TrafficPolicyId, u32), TrafficPolicy>,
    /// The highest number that a version ever had.
    pub(super) last_versions: BTreeMap<TrafficPolicyId, u32>,
    /// In the order of their first versions.
    pub(super) policy_order: Vec<TrafficPolicyId>,
    pub(super) collections: BTreeMap<CidrCollectionId, CidrCollection>,
    pub(super) blocks: BTreeMap<(CidrCollectionId, CidrBlock), CidrLocation>,
    pub(super) instances: BTreeMap<TrafficPolicyInstanceId, TrafficPolicyInstance>,
    pub(super) highest: u64,
}

impl Expected {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut expected = Self::default();
        for entry in entries {
            for effect in entry.commits.iter().flat_map(|commit| &commit.effects) {
                expected.apply(effect);
                if let Effect::PutHealthCheck(check) = effect
                    && check.version == 1
                {
                    let creation = (check.account.clone(), entry.time);
                    expected.health_creations.push(creation);
                }
            }
        }
        expected
    }

    pub(super) fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::PutZone(zone) => {
                self.highest = self.highest.max(zone.generation.0);
                self.zones.insert(zone.id.to_string(), zone.clone());
            }
            Effect::DeleteZone(id) => {
                self.zones.remove(id.as_str());
            }
            Effect::PutSet { generation, set } => {
                self.highest = self.highest.max(generation.0);
                let sets = self.sets.entry(*generation).or_default();
                sets.insert(order(&set.key), set.clone());
            }
            Effect::DeleteSet { generation, key } => {
                self.sets
                    .entry(*generation)
                    .or_default()
                    .remove(&order(key));
            }
            Effect::PutTrafficPolicyInstance(instance) => {
                self.instances.insert(instance.id.clone(), instance.clone());
            }
            Effect::DeleteTrafficPolicyInstance(id) => {
                self.instances.remove(id);
            }
            Effect::PutUnseenGeneration(unseen) => {
                self.highest = self.highest.max(unseen.generation.0);
            }
            Effect::CollectGeneration { generation, most } => {
                let sets = self.sets.entry(*generation).or_default();
                for _ in 0..*most {
                    sets.pop_first();
                }
            }
            Effect::PutDelegationSet(set) => {
                self.highest = self.highest.max(set.turn.0);
                self.delegation_sets.insert(set.id.clone(), set.clone());
            }
            Effect::PutVpc(vpc) => {
                self.vpcs.insert(vpc.id.clone(), vpc.clone());
            }
            Effect::DeleteVpc(id) => {
                self.vpcs.remove(id);
            }
            Effect::PutVpcAuthorization(one) => {
                let key = (one.zone.clone(), one.vpc.id.clone());
                self.authorizations.insert(key, one.clone());
            }
            Effect::DeleteVpcAuthorization { zone, vpc } => {
                self.authorizations.remove(&(zone.clone(), vpc.clone()));
            }
            Effect::DeleteDelegationSet(id) => {
                self.delegation_sets.remove(id);
            }
            Effect::PutQueryLoggingConfig(config) => {
                self.logging.retain(|other| other.id != config.id);
                self.logging.push(config.clone());
            }
            Effect::DeleteQueryLoggingConfig(id) => {
                self.logging.retain(|config| config.id != *id);
            }
            other => self.apply_health(other),
        }
    }

    fn apply_health(&mut self, effect: &Effect) {
        match effect {
            Effect::PutHealthCheck(check) => {
                self.leave_slot(&check.id);
                let HealthSlot { slot, incarnation } = check.slot;
                let owner = Some(check.id.clone());
                self.health_slots.insert(slot, (incarnation, owner));
                let reference = (check.account.clone(), check.caller_reference.clone());
                self.health_references.insert(reference, check.id.clone());
                self.health_checks.insert(check.id.clone(), check.clone());
            }
            Effect::DeleteHealthCheck(id) => {
                self.leave_slot(id);
                self.health_checks.remove(id);
            }
            Effect::PutHealthSwitch(switch) => {
                self.health_switches
                    .insert(switch.check.clone(), switch.clone());
            }
            Effect::DeleteHealthSwitch(id) => {
                self.health_switches.remove(id);
            }
            Effect::PutRoutingControl(control) => {
                self.routing_controls
                    .insert(control.arn.clone(), control.clone());
            }
            Effect::PutRegion(region) => {
                self.regions.insert(region.name.clone(), region.clone());
            }
            Effect::DeleteRegion(name) => {
                self.regions.remove(name);
            }
            Effect::PutResource(resource) => {
                let key = (resource.account.clone(), resource.name.to_string());
                self.resources.insert(key, resource.clone());
            }
            Effect::DeleteResource { account, name } => {
                self.resources.remove(&(account.clone(), name.to_string()));
            }
            other => self.apply_cidr(other),
        }
    }

    fn apply_cidr(&mut self, effect: &Effect) {
        match effect {
            Effect::PutCidrCollection(it) => {
                self.collections.insert(it.id.clone(), it.clone());
            }
            Effect::DeleteCidrCollection(id) => {
                self.collections.remove(id);
            }
            Effect::PutCidrBlocks(put) => {
                for block in &put.blocks {
                    let key = (put.collection.clone(), *block);
                    self.blocks.insert(key, put.location.clone());
                }
            }
            Effect::DeleteCidrBlocks(gone) => {
                let of = |(id, block): &(CidrCollectionId, CidrBlock)| {
                    *id == gone.collection && gone.blocks.contains(block)
                };
                self.blocks
                    .retain(|key, location| *location != gone.location || !of(key));
            }
            Effect::PutTrafficPolicy(policy) => {
                if !self.policy_order.contains(&policy.id) {
                    self.policy_order.push(policy.id.clone());
                }
                let last = self.last_versions.entry(policy.id.clone()).or_default();
                *last = policy.version.max(*last);
                let key = (policy.id.clone(), policy.version);
                self.policies.insert(key, policy.clone());
            }
            Effect::DeleteTrafficPolicy { id, version } => {
                if let Some(policy) = self.policies.get_mut(&(id.clone(), *version)) {
                    policy.deleted = true;
                }
            }
            Effect::ForgetTrafficPolicy { id, version } => {
                self.policies.remove(&(id.clone(), *version));
            }
            _ => {}
        }
    }

    /// A policy as a whole, unless all its versions are deleted.
    pub(super) fn policy(&self, id: &TrafficPolicyId) -> Option<TrafficPolicySummary> {
        let all: Vec<_> = self.policies.values().filter(|it| it.id == *id).collect();
        let live: Vec<_> = all.iter().filter(|it| !it.deleted).collect();
        let latest = live.last()?;
        Some(TrafficPolicySummary {
            id: id.clone(),
            account: latest.account.clone(),
            name: latest.name.clone(),
            rtype: latest.rtype,
            latest_version: latest.version,
            versions: u32::try_from(live.len()).ok()?,
            last_version: *self.last_versions.get(id)?,
        })
    }

    fn leave_slot(&mut self, id: &HealthCheckId) {
        for (_, owner) in self.health_slots.values_mut() {
            if owner.as_ref() == Some(id) {
                *owner = None;
            }
        }
    }

    /// The smallest free place, and the next one after the last.
    pub(super) fn next_slot(&self) -> Option<HealthSlot> {
        let mut slots = self.health_slots.iter();
        if let Some((slot, (last, _))) = slots.find(|(_, (_, owner))| owner.is_none()) {
            let (slot, incarnation) = (*slot, last.checked_add(1)?);
            return Some(HealthSlot { slot, incarnation });
        }
        let last = self.health_slots.last_key_value();
        let slot = last.map_or(Some(0), |(slot, _)| slot.checked_add(1))?;
        let incarnation = 1;
        Some(HealthSlot { slot, incarnation })
    }
}
