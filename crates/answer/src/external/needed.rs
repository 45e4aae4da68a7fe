//! Which host names elsewhere the aliases of a World point to, for whoever resolves them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use meridian_dns::{Name, RecordType};
use meridian_model::is_external_type;

use crate::hash::HashKey;
use crate::route::group::{Group, Part};
use crate::{ZoneChange, ZoneImage};

/// The host names elsewhere that aliases point to, by type. Cloning copies one pointer, and as long as
/// it [is the same](Self::is_same) nothing of it has changed.
#[derive(Debug, Clone)]
pub struct NeededTargets {
    key: HashKey,
    /// The zones with such aliases.
    zones: Arc<[Arc<ZoneImage>]>,
}

impl NeededTargets {
    /// Those of a World's zones.
    pub(crate) fn of<'z>(key: HashKey, zones: impl Iterator<Item = &'z Arc<ZoneImage>>) -> Self {
        let zones = zones.filter(|zone| zone.leading_out().is_some());
        Self {
            key,
            zones: zones.cloned().collect(),
        }
    }

    /// After these changes; none where they are about no zone with such aliases.
    pub(crate) fn changed(&self, changes: &[ZoneChange]) -> Option<Self> {
        let images = changes.iter().map(|change| match change {
            ZoneChange::Put(zone) | ZoneChange::Remove(zone) => zone,
        });
        let generations: BTreeSet<_> = images.map(|zone| zone.meta.generation).collect();
        let is_old = |zone: &&Arc<ZoneImage>| generations.contains(&zone.meta.generation);
        let new = changes.iter().filter_map(|change| match change {
            ZoneChange::Put(zone) => zone.leading_out().is_some().then_some(zone),
            ZoneChange::Remove(_) => None,
        });
        if new.clone().next().is_none() && !self.zones.iter().any(|zone| is_old(&zone)) {
            return None;
        }
        let kept = self.zones.iter().filter(|zone| !is_old(zone));
        Some(Self {
            key: self.key,
            zones: kept.chain(new).cloned().collect(),
        })
    }

    /// Whether nothing has changed from one to the other.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.zones, &other.zones)
    }

    /// Each name, in lower case, and type once. Looks at all aliases of this kind.
    pub fn targets(&self) -> HashSet<(Name, RecordType)> {
        let mut targets = HashSet::new();
        for zone in self.zones.iter() {
            for labels in zone
                .leading_out()
                .into_iter()
                .flat_map(|names| names.iter())
            {
                let node = zone.find(self.key.below(zone.hash, labels), labels);
                for set in node.iter().flat_map(|node| node.sets()) {
                    if let Some(group) = is_external_type(set.rtype).then(|| Group::read(set)) {
                        let names = group.iter().flat_map(leading_out);
                        targets.extend(names.map(|name| (name, set.rtype)));
                    }
                }
            }
        }
        targets
    }
}

/// The host names elsewhere that members of a group lead to.
fn leading_out<'g>(group: &'g Group<'_>) -> impl Iterator<Item = Name> + use<'g> {
    let parts = group.members().map(|member| group.part(&member));
    parts.filter_map(|part| match part? {
        Part::External(external) => Name::from_wire(external.name).ok(),
        Part::Records(_) | Part::Alias(_) => None,
    })
}
