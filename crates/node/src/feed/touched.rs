//! What a run of entries asks to be made anew.

use std::collections::{BTreeMap, BTreeSet};

use meridian_dns::Name;
use meridian_log::Entry;
use meridian_model::{CidrCollectionId, Effect, Generation, ZoneId};

use super::health;

/// What a run of entries asks to be made anew.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) zones: BTreeSet<ZoneId>,
    pub(super) names: BTreeMap<Generation, BTreeMap<String, Name>>,
    pub(super) pool: bool,
    pub(super) logging: bool,
    pub(super) vpcs: bool,
    pub(super) regions: bool,
    pub(super) resources: bool,
    pub(super) health: health::Touched,
    pub(super) networks: BTreeSet<CidrCollectionId>,
}

impl Touched {
    /// Whether anything was touched that answers come from and that is not in a zone.
    pub(super) fn beside_zones(&self) -> bool {
        self.vpcs
            || self.regions
            || self.resources
            || !self.health.is_empty()
            || !self.networks.is_empty()
    }

    fn name(&mut self, generation: Generation, name: &Name) {
        let names = self.names.entry(generation).or_default();
        names.entry(name.sort_key()).or_insert_with(|| name.clone());
    }
}

/// What these entries ask for.
pub(super) fn touched(entries: &[Entry]) -> Touched {
    let mut touched = Touched::default();
    for entry in entries {
        for effect in entry.commits.iter().flat_map(|commit| &commit.effects) {
            match effect {
                Effect::PutZone(zone) => {
                    touched.zones.insert(zone.id.clone());
                }
                Effect::DeleteZone(id) => {
                    touched.zones.insert(id.clone());
                }
                Effect::PutSet { generation, set } => touched.name(*generation, &set.key.name),
                Effect::DeleteSet { generation, key } => touched.name(*generation, &key.name),
                Effect::PutNameServer(_) | Effect::DeleteNameServer(_) => touched.pool = true,
                Effect::PutQueryLoggingConfig(_) | Effect::DeleteQueryLoggingConfig(_) => {
                    touched.logging = true;
                }
                Effect::PutVpc(_) | Effect::DeleteVpc(_) => touched.vpcs = true,
                Effect::PutRegion(_) | Effect::DeleteRegion(_) => touched.regions = true,
                Effect::PutResource(_) | Effect::DeleteResource { .. } => touched.resources = true,
                Effect::PutHealthCheck(_)
                | Effect::DeleteHealthCheck(_)
                | Effect::PutHealthSwitch(_)
                | Effect::DeleteHealthSwitch(_)
                | Effect::PutRoutingControl(_)
                // Accounts have rights to what is probed.
                | Effect::PutAccount(_)
                | Effect::DeleteAccount(_)
                // Some tags of checks say how they are probed and what they are called.
                | Effect::PutTags(_) => touched.health.note(effect),
                Effect::DeleteCidrCollection(id) => {
                    touched.networks.insert(id.clone());
                }
                Effect::PutCidrBlocks(blocks) | Effect::DeleteCidrBlocks(blocks) => {
                    touched.networks.insert(blocks.collection.clone());
                }
                Effect::PutChange(_)
                | Effect::PutUser(_)
                | Effect::DeleteUser { .. }
                | Effect::PutAccessKey(_)
                | Effect::DeleteAccessKey(_)
                | Effect::PutQuota { .. }
                // What no zone points to is not answered.
                | Effect::PutUnseenGeneration(_)
                | Effect::DeleteUnseenGeneration(_)
                | Effect::CollectGeneration { .. }
                | Effect::PutProtection(_)
                | Effect::DeleteProtection(_)
                // Who may associate is not who sees.
                | Effect::PutVpcAuthorization(_)
                | Effect::DeleteVpcAuthorization { .. }
                | Effect::PutDelegationSet(_)
                | Effect::DeleteDelegationSet(_)
                // Their record sets are put by effects of their own.
                | Effect::PutTrafficPolicyInstance(_)
                | Effect::DeleteTrafficPolicyInstance(_)
                // A collection without blocks has nothing to choose by.
                | Effect::PutCidrCollection(_)
                | Effect::PutTrafficPolicy(_)
                | Effect::DeleteTrafficPolicy { .. }
                | Effect::ForgetTrafficPolicy { .. } => {}
            }
        }
    }
    touched
}
