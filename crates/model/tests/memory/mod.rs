//! A state that lives in maps, with an apply of its own: what plans are tested against.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;

use meridian_dns::{Name, RecordType};
use meridian_model::{
    Account, AccountId, CidrBlock, CidrCollection, CidrCollectionId, CidrLocation, DelegationSetId,
    Effect, Facts, Generation, HealthCheck, HealthCheckId, HealthSlot, HealthSwitch, NameServer,
    OwnRegion, ProbeRights, Protection, ProtectionKey, QueryLoggingConfig, Quota, RecordSet,
    Region, Resource, ResourceName, ReusableDelegationSet, Routing, SetData, SetKey, State, Tag,
    TaggedResource, Timestamp, TrafficPolicy, TrafficPolicyId, TrafficPolicyInstance,
    TrafficPolicyInstanceId, TrafficPolicySummary, Vpc, VpcAuthorization, VpcId, Zone, ZoneId,
    labels_in_common,
};

#[derive(Clone, Default)]
pub(crate) struct Memory {
    zones: BTreeMap<ZoneId, Zone>,
    sets: BTreeMap<(Generation, String), Vec<RecordSet>>,
    references: BTreeMap<(AccountId, String), ZoneId>,
    servers: BTreeMap<u32, NameServer>,
    limits: BTreeMap<(AccountId, &'static str), u64>,
    protections: Vec<Protection>,
    tags: BTreeMap<TaggedResource, Vec<Tag>>,
    generations: u64,
    logging: BTreeMap<ZoneId, QueryLoggingConfig>,
    delegation_sets: BTreeMap<DelegationSetId, ReusableDelegationSet>,
    vpcs: BTreeMap<VpcId, Vpc>,
    authorizations: BTreeMap<(ZoneId, VpcId), VpcAuthorization>,
    policies: BTreeMap<(TrafficPolicyId, u32), TrafficPolicy>,
    /// In the order in which they were deleted.
    deleted_policies: Vec<(TrafficPolicyId, u32)>,
    collections: BTreeMap<CidrCollectionId, CidrCollection>,
    blocks: BTreeMap<(CidrCollectionId, CidrBlock), CidrLocation>,
    delegation_set_references: BTreeMap<(AccountId, String), DelegationSetId>,
    accounts: BTreeMap<AccountId, Account>,
    health_checks: BTreeMap<HealthCheckId, HealthCheck>,
    health_check_references: BTreeMap<(AccountId, String), HealthCheckId>,
    /// Who made one, and when.
    health_check_creations: Vec<(AccountId, Timestamp)>,
    /// When effects are applied.
    pub(crate) now_ms: i64,
    /// The aliases to each place.
    alias_sources: HashMap<(ZoneId, Name, RecordType), Vec<(Generation, SetKey)>>,
    /// The last incarnation of each place.
    health_slots: BTreeMap<u32, u32>,
    health_switches: BTreeMap<HealthCheckId, HealthSwitch>,
    regions: BTreeMap<Region, OwnRegion>,
    resources: BTreeMap<(AccountId, String), Resource>,
    /// Resources that are counted without being there.
    pub(crate) resources_claimed: u64,
    instances: BTreeMap<TrafficPolicyInstanceId, TrafficPolicyInstance>,
    /// The generations whose sets were asked for.
    pub(crate) asked: RefCell<BTreeSet<Generation>>,
    /// How often names were looked up, and how many sets and zones were read.
    pub(crate) looked: Cell<usize>,
}

impl Memory {
    /// A pool of `size` names, each on an address of its own.
    pub(crate) fn with_pool(size: u8) -> Self {
        let mut memory = Self::default();
        for i in 0..size {
            memory.apply(vec![Effect::PutNameServer(NameServer {
                name: Name::parse(&format!("ns-{i}.pool.test")).unwrap(),
                addresses: vec![[192, 0, 2, i].into()],
                ordinal: u32::from(i),
            })]);
        }
        memory
    }

    pub(crate) fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::PutZone(zone) => {
                    self.generations = self.generations.max(zone.generation.0);
                    let reference = (zone.account.clone(), zone.caller_reference.clone());
                    self.references.insert(reference, zone.id.clone());
                    self.zones.insert(zone.id.clone(), zone);
                }
                Effect::DeleteZone(id) => {
                    self.zones.remove(&id);
                }
                Effect::PutSet { generation, set } => {
                    self.put(generation, set);
                }
                Effect::DeleteSet { generation, key } => {
                    self.delete(generation, &key);
                }
                Effect::PutNameServer(server) => {
                    self.servers.insert(server.ordinal, server);
                }
                Effect::DeleteNameServer(name) => self.servers.retain(|_, s| s.name != name),
                Effect::PutQuota {
                    account,
                    quota,
                    limit,
                } => {
                    self.limits.insert((account, quota.as_str()), limit);
                }
                Effect::PutAccount(account) => {
                    self.accounts.insert(account.id.clone(), account);
                }
                Effect::PutProtection(protection) => self.protections.push(protection),
                Effect::DeleteProtection(key) => self.protections.retain(|p| p.key != key),
                Effect::PutTags(set) => {
                    self.tags.insert(set.resource, set.tags);
                }
                Effect::PutDelegationSet(set) => {
                    self.generations = self.generations.max(set.turn.0);
                    let reference = (set.account.clone(), set.caller_reference.clone());
                    self.delegation_set_references
                        .insert(reference, set.id.clone());
                    self.delegation_sets.insert(set.id.clone(), set);
                }
                Effect::DeleteDelegationSet(id) => {
                    self.delegation_sets.remove(&id);
                }
                Effect::PutQueryLoggingConfig(config) => {
                    self.logging.insert(config.zone.clone(), config);
                }
                Effect::DeleteQueryLoggingConfig(id) => {
                    self.logging.retain(|_, config| config.id != id);
                }
                Effect::PutVpc(vpc) => {
                    self.vpcs.insert(vpc.id.clone(), vpc);
                }
                Effect::DeleteVpc(id) => {
                    self.vpcs.remove(&id);
                }
                Effect::PutVpcAuthorization(one) => {
                    let key = (one.zone.clone(), one.vpc.id.clone());
                    self.authorizations.insert(key, one);
                }
                Effect::DeleteVpcAuthorization { zone, vpc } => {
                    self.authorizations.remove(&(zone, vpc));
                }
                other => self.apply_health(other),
            }
        }
    }

    fn apply_health(&mut self, effect: Effect) {
        match effect {
            Effect::PutHealthCheck(check) => {
                let reference = (check.account.clone(), check.caller_reference.clone());
                self.health_check_references
                    .insert(reference, check.id.clone());
                if check.version == 1 {
                    let creation = (check.account.clone(), Timestamp(self.now_ms));
                    self.health_check_creations.push(creation);
                }
                self.health_slots
                    .insert(check.slot.slot, check.slot.incarnation);
                self.health_checks.insert(check.id.clone(), check);
            }
            Effect::DeleteHealthCheck(id) => {
                self.health_checks.remove(&id);
            }
            Effect::PutHealthSwitch(switch) => {
                self.health_switches.insert(switch.check.clone(), switch);
            }
            Effect::DeleteHealthSwitch(id) => {
                self.health_switches.remove(&id);
            }
            Effect::PutRegion(region) => {
                self.regions.insert(region.name.clone(), region);
            }
            Effect::DeleteRegion(name) => {
                self.regions.remove(&name);
            }
            Effect::PutResource(resource) => {
                let key = (resource.account.clone(), resource.name.to_string());
                self.resources.insert(key, resource);
            }
            Effect::DeleteResource { account, name } => {
                self.resources.remove(&(account, name.to_string()));
            }
            other => self.apply_cidr(other),
        }
    }

    fn apply_cidr(&mut self, effect: Effect) {
        match effect {
            Effect::PutCidrCollection(collection) => {
                self.collections.insert(collection.id.clone(), collection);
            }
            Effect::DeleteCidrCollection(id) => {
                self.collections.remove(&id);
            }
            Effect::PutCidrBlocks(put) => {
                for block in put.blocks {
                    let key = (put.collection.clone(), block);
                    self.blocks.insert(key, put.location.clone());
                }
            }
            Effect::DeleteCidrBlocks(gone) => {
                for block in gone.blocks {
                    let key = (gone.collection.clone(), block);
                    assert_eq!(self.blocks.remove(&key), Some(gone.location.clone()));
                }
            }
            Effect::PutTrafficPolicy(policy) => {
                let key = (policy.id.clone(), policy.version);
                self.policies.insert(key, policy);
            }
            Effect::DeleteTrafficPolicy { id, version } => {
                let policy = self.policies.get_mut(&(id.clone(), version));
                policy.expect("it is there").deleted = true;
                self.deleted_policies.push((id, version));
            }
            Effect::ForgetTrafficPolicy { id, version } => {
                let key = (id, version);
                self.deleted_policies.retain(|other| *other != key);
                let policy = self.policies.remove(&key);
                assert!(policy.expect("it is there").deleted);
            }
            Effect::PutTrafficPolicyInstance(instance) => {
                self.instances.insert(instance.id.clone(), instance);
            }
            Effect::DeleteTrafficPolicyInstance(id) => {
                self.instances.remove(&id);
            }
            // Nobody plans by changes.
            Effect::PutChange(_) => {}
            other => panic!("not needed by these tests: {other:?}"),
        }
    }

    fn at(&mut self, generation: Generation, key: &SetKey) -> &mut Vec<RecordSet> {
        self.sets
            .entry((generation, key.name.sort_key()))
            .or_default()
    }

    fn put(&mut self, generation: Generation, set: RecordSet) {
        self.delete(generation, &set.key);
        if let Some(target) = target(&set) {
            let sources = self.alias_sources.entry(target).or_default();
            sources.push((generation, set.key.clone()));
        }
        self.at(generation, &set.key).push(set);
    }

    fn delete(&mut self, generation: Generation, key: &SetKey) {
        let sets = self.at(generation, key);
        let Some(place) = sets.iter().position(|set| set.key == *key) else {
            return;
        };
        let old = sets.remove(place);
        if let Some(sources) = target(&old).and_then(|target| self.alias_sources.get_mut(&target)) {
            sources.retain(|(of, source)| (*of, source) != (generation, key));
        }
    }
}

/// Where an alias into a zone that is here points.
fn target(set: &RecordSet) -> Option<(ZoneId, Name, RecordType)> {
    match &set.data {
        SetData::Alias(to) if !set.is_external_alias() => {
            Some((to.zone.clone(), to.name.clone(), set.key.rtype))
        }
        SetData::Alias(_) | SetData::Records { .. } => None,
    }
}

impl State for Memory {
    type Error = Infallible;

    fn zone(&self, id: &ZoneId) -> Result<Option<Zone>, Infallible> {
        Ok(self.zones.get(id).cloned())
    }

    fn zones_named(&self, name: &Name) -> Result<Vec<Zone>, Infallible> {
        let zones = self.zones.values().filter(|zone| zone.name == *name);
        let zones: Vec<Zone> = zones.cloned().collect();
        self.looked.update(|looked| looked + 1 + zones.len());
        Ok(zones)
    }

    fn zones_below(&self, name: &Name) -> Result<Vec<Zone>, Infallible> {
        let below = |zone: &&Zone| zone.name != *name && zone.name.is_within(name);
        Ok(self.zones.values().filter(below).cloned().collect())
    }

    fn zone_by_reference(&self, a: &AccountId, r: &str) -> Result<Option<ZoneId>, Infallible> {
        Ok(self.references.get(&(a.clone(), r.to_owned())).cloned())
    }

    fn zone_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        Ok(self
            .zones
            .values()
            .filter(|z| z.account == *account)
            .count() as u64)
    }

    fn next_generation(&self) -> Result<Generation, Infallible> {
        Ok(Generation(self.generations + 1))
    }

    fn sets_at(&self, generation: Generation, name: &Name) -> Result<Vec<RecordSet>, Infallible> {
        self.asked.borrow_mut().insert(generation);
        let sets = self.sets.get(&(generation, name.sort_key())).cloned();
        let sets = sets.unwrap_or_default();
        self.looked.update(|looked| looked + 1 + sets.len());
        Ok(sets)
    }

    fn labels_in_common(&self, generation: Generation, name: &Name) -> Result<usize, Infallible> {
        let key = (generation, name.sort_key());
        let before = self.sets.range(..=&key).next_back();
        let around = before.into_iter().chain(self.sets.range(&key..).next());
        let around = around.filter(|((of, _), _)| *of == generation);
        let common =
            around.map(|((_, other), _)| labels_in_common(other.as_bytes(), key.1.as_bytes()));
        Ok(common.max().unwrap_or(0))
    }

    fn zone_labels_in_common(&self, name: &Name) -> Result<usize, Infallible> {
        let key = name.sort_key();
        let common = |zone: &Zone| {
            let apex = zone.name.sort_key();
            labels_in_common(apex.as_bytes(), key.as_bytes())
        };
        Ok(self.zones.values().map(common).max().unwrap_or(0))
    }

    fn aliases_to(
        &self,
        (zone, name, rtype): (&ZoneId, &Name, RecordType),
        own: &Zone,
        most: usize,
    ) -> Result<Vec<(ZoneId, SetKey)>, Infallible> {
        let mut zones = self.zones.clone();
        zones.insert(own.id.clone(), own.clone());
        zones.retain(|_, zone| zone.account == own.account);
        let mut found = Vec::new();
        for zone in zones.values() {
            self.asked.borrow_mut().insert(zone.generation);
        }
        let target = (zone.clone(), name.clone(), rtype);
        for (generation, key) in self.alias_sources.get(&target).into_iter().flatten() {
            let mut zones = zones.values();
            if let Some(zone) = zones.find(|zone| zone.generation == *generation) {
                found.push((zone.id.clone(), key.clone()));
            }
        }
        found.truncate(most);
        Ok(found)
    }

    fn set_count(&self, generation: Generation) -> Result<u64, Infallible> {
        self.asked.borrow_mut().insert(generation);
        let of = |((g, _), sets): (&(Generation, String), &Vec<RecordSet>)| {
            if *g == generation {
                sets.iter().filter(|set| !set.is_hidden()).count() as u64
            } else {
                0
            }
        };
        Ok(self.sets.iter().map(of).sum())
    }

    fn health_check_exists(&self, account: &AccountId, id: &str) -> Result<bool, Infallible> {
        let mut own = self.health_checks.values();
        let found = own.any(|check| check.account == *account && check.id.as_str() == id);
        Ok(id == "known" || found)
    }

    fn health_check(&self, id: &HealthCheckId) -> Result<Option<HealthCheck>, Infallible> {
        Ok(self.health_checks.get(id).cloned())
    }

    fn health_check_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<HealthCheckId>, Infallible> {
        let key = (account.clone(), reference.to_owned());
        Ok(self.health_check_references.get(&key).cloned())
    }

    fn health_check_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        let checks = self.health_checks.values();
        Ok(checks.filter(|check| check.account == *account).count() as u64)
    }

    fn health_checks_created_since(
        &self,
        account: &AccountId,
        since: Timestamp,
    ) -> Result<u64, Infallible> {
        let made = self.health_check_creations.iter();
        let made = made.filter(|(owner, at)| owner == account && *at >= since);
        Ok(made.count() as u64)
    }

    fn is_child_health_check(&self, id: &HealthCheckId) -> Result<bool, Infallible> {
        let mut checks = self.health_checks.values();
        Ok(checks.any(|check| check.config.children().contains(id)))
    }

    fn probe_rights(&self, account: &AccountId) -> Result<ProbeRights, Infallible> {
        let account = self.accounts.get(account);
        Ok(account.map_or(ProbeRights::Public, Account::probe_rights))
    }

    fn free_health_slot(&self) -> Result<HealthSlot, Infallible> {
        let taken = |slot: u32| self.health_checks.values().any(|c| c.slot.slot == slot);
        let slot = (0..).find(|slot| !taken(*slot)).unwrap();
        let last = self.health_slots.get(&slot).copied();
        let incarnation = last.unwrap_or(0) + 1;
        Ok(HealthSlot { slot, incarnation })
    }

    fn health_switch(&self, id: &HealthCheckId) -> Result<Option<HealthSwitch>, Infallible> {
        Ok(self.health_switches.get(id).cloned())
    }

    fn traffic_policy(
        &self,
        id: &TrafficPolicyId,
        version: u32,
    ) -> Result<Option<TrafficPolicy>, Infallible> {
        Ok(self.policies.get(&(id.clone(), version)).cloned())
    }

    fn traffic_policy_summary(
        &self,
        id: &TrafficPolicyId,
    ) -> Result<Option<TrafficPolicySummary>, Infallible> {
        let all: Vec<_> = self.policies.values().filter(|it| it.id == *id).collect();
        let live: Vec<_> = all.iter().filter(|it| !it.deleted).collect();
        let whole = live.last().map(|latest| TrafficPolicySummary {
            id: id.clone(),
            account: latest.account.clone(),
            name: latest.name.clone(),
            rtype: latest.rtype,
            latest_version: latest.version,
            versions: live.len() as u32,
            last_version: all.last().map_or(0, |last| last.version),
        });
        Ok(whole)
    }

    fn traffic_policy_named(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<TrafficPolicyId>, Infallible> {
        let mut live = self.policies.values().filter(|it| !it.deleted);
        let found = live.find(|it| it.account == *account && it.name == name);
        Ok(found.map(|it| it.id.clone()))
    }

    fn traffic_policy_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        let live = self.policies.values().filter(|it| !it.deleted);
        let own = live.filter(|it| it.account == *account).map(|it| &it.id);
        Ok(own.collect::<BTreeSet<_>>().len() as u64)
    }

    fn cidr_collection(&self, id: &CidrCollectionId) -> Result<Option<CidrCollection>, Infallible> {
        Ok(self.collections.get(id).cloned())
    }

    fn cidr_collection_named(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<CidrCollection>, Infallible> {
        let mut own = self.collections.values().filter(|c| c.account == *account);
        Ok(own.find(|c| c.name == name).cloned())
    }

    fn cidr_collection_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<CidrCollection>, Infallible> {
        let mut own = self.collections.values().filter(|c| c.account == *account);
        Ok(own.find(|c| c.caller_reference == reference).cloned())
    }

    fn cidr_collection_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        let own = self.collections.values().filter(|c| c.account == *account);
        Ok(own.count() as u64)
    }

    fn cidr_block_count(&self, id: &CidrCollectionId) -> Result<u64, Infallible> {
        Ok(self.blocks.keys().filter(|(of, _)| of == id).count() as u64)
    }

    fn cidr_location_of(
        &self,
        id: &CidrCollectionId,
        block: &CidrBlock,
    ) -> Result<Option<CidrLocation>, Infallible> {
        Ok(self.blocks.get(&(id.clone(), *block)).cloned())
    }

    fn cidr_location_exists(&self, id: &CidrCollectionId, name: &str) -> Result<bool, Infallible> {
        let mut blocks = self.blocks.iter();
        Ok(blocks.any(|((of, _), location)| of == id && location.as_str() == name))
    }

    fn cidr_set_count(&self, id: &CidrCollectionId) -> Result<u64, Infallible> {
        let routed = |set: &&RecordSet| matches!(&set.routing, Routing::Cidr { collection_id, .. } if collection_id == id.as_str());
        Ok(self.sets.values().flatten().filter(routed).count() as u64)
    }

    fn traffic_policy_instance(
        &self,
        id: &TrafficPolicyInstanceId,
    ) -> Result<Option<TrafficPolicyInstance>, Infallible> {
        Ok(self.instances.get(id).cloned())
    }

    fn traffic_policy_instance_at(
        &self,
        zone: &ZoneId,
        name: &Name,
        rtype: RecordType,
    ) -> Result<Option<TrafficPolicyInstance>, Infallible> {
        let mut all = self.instances.values();
        let is_there = |one: &&TrafficPolicyInstance| {
            one.zone == *zone && one.name == *name && one.rtype == rtype
        };
        Ok(all.find(is_there).cloned())
    }

    fn traffic_policy_instance_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        let own = self.instances.values();
        Ok(own.filter(|one| one.account == *account).count() as u64)
    }

    fn deleted_traffic_policies(
        &self,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<(TrafficPolicyId, u32)>, Infallible> {
        let own = |key: &&(TrafficPolicyId, u32)| self.policies[*key].account == *account;
        let all = self.deleted_policies.iter().filter(own);
        Ok(all.take(limit).cloned().collect())
    }

    fn external_alias_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        let own = self.zones.values().filter(|zone| zone.account == *account);
        let generations: BTreeSet<_> = own.map(|zone| zone.generation).collect();
        let of = self
            .sets
            .iter()
            .filter(|((generation, _), _)| generations.contains(generation));
        let sets = of.flat_map(|(_, sets)| sets);
        Ok(sets.filter(|set| set.is_external_alias()).count() as u64)
    }

    fn has_traffic_policy_instance(
        &self,
        policy: &TrafficPolicyId,
        version: u32,
    ) -> Result<bool, Infallible> {
        let mut all = self.instances.values();
        Ok(all.any(|one| one.policy == *policy && one.version == version))
    }

    fn protection(&self, key: &ProtectionKey) -> Result<Option<Protection>, Infallible> {
        Ok(self.protections.iter().find(|p| p.key == *key).cloned())
    }

    fn protection_count(&self, zone: &ZoneId) -> Result<u64, Infallible> {
        let of_zone = self.protections.iter().filter(|p| p.key.zone == *zone);
        Ok(of_zone.count() as u64)
    }

    fn tags(&self, resource: &TaggedResource) -> Result<Vec<Tag>, Infallible> {
        Ok(self.tags.get(resource).cloned().unwrap_or_default())
    }

    fn name_servers(&self) -> Result<Vec<NameServer>, Infallible> {
        Ok(self.servers.values().cloned().collect())
    }

    fn delegation_sets(&self) -> Result<Vec<ReusableDelegationSet>, Infallible> {
        Ok(self.delegation_sets.values().cloned().collect())
    }

    fn delegation_set_by_reference(
        &self,
        account: &AccountId,
        reference: &str,
    ) -> Result<Option<DelegationSetId>, Infallible> {
        let key = (account.clone(), reference.to_owned());
        Ok(self.delegation_set_references.get(&key).cloned())
    }

    fn delegation_set_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        let sets = self.delegation_sets.values();
        Ok(sets.filter(|set| set.account == *account).count() as u64)
    }

    fn delegation_set_zone_count(&self, id: &DelegationSetId) -> Result<u64, Infallible> {
        let has = |zone: &&Zone| zone.delegation_set.id.as_ref() == Some(id);
        Ok(self.zones.values().filter(has).count() as u64)
    }

    fn query_logging_of(&self, zone: &ZoneId) -> Result<Option<QueryLoggingConfig>, Infallible> {
        Ok(self.logging.get(zone).cloned())
    }
    fn vpc(&self, id: &VpcId) -> Result<Option<Vpc>, Infallible> {
        Ok(self.vpcs.get(id).cloned())
    }

    fn resource(
        &self,
        account: &AccountId,
        name: &ResourceName,
    ) -> Result<Option<Resource>, Infallible> {
        let key = (account.clone(), name.to_string());
        Ok(self.resources.get(&key).cloned())
    }

    fn resource_count(&self, account: &AccountId) -> Result<u64, Infallible> {
        let own = self.resources.keys().filter(|(owner, _)| owner == account);
        Ok(own.count() as u64 + self.resources_claimed)
    }

    fn own_regions(&self) -> Result<Vec<OwnRegion>, Infallible> {
        Ok(self.regions.values().cloned().collect())
    }

    fn vpcs(&self) -> Result<Vec<Vpc>, Infallible> {
        Ok(self.vpcs.values().cloned().collect())
    }

    fn zones_of_vpc(&self, id: &VpcId) -> Result<Vec<Zone>, Infallible> {
        let seen = self.zones.values().filter(|zone| zone.is_seen_by(id));
        Ok(seen.cloned().collect())
    }

    fn vpc_authorizations(&self, zone: &ZoneId) -> Result<Vec<VpcAuthorization>, Infallible> {
        let all = self.authorizations.values();
        Ok(all.filter(|one| one.zone == *zone).cloned().collect())
    }

    fn limit(&self, account: &AccountId, quota: Quota) -> Result<u64, Infallible> {
        let own = self.limits.get(&(account.clone(), quota.as_str()));
        Ok(own.copied().unwrap_or_else(|| quota.default_limit()))
    }
}

pub(crate) fn account(id: &str, operator: bool) -> Account {
    Account {
        id: AccountId::new(id).unwrap(),
        name: id.to_owned(),
        operator,
        probes: ProbeRights::Public,
        created_at: Timestamp(0),
    }
}

pub(crate) fn facts(seed: u8) -> Facts {
    Facts::new(Timestamp(1_000), [seed; 32])
}
