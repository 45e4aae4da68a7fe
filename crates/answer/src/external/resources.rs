//! Health checks of registered resources: whoever registers a host name may say which check decides
//! whether it is healthy, beside its being resolvable.

use std::collections::HashMap;
use std::sync::Arc;

use meridian_dns::{Name, RecordType};
use meridian_model::is_external_type;

use super::key_of;
use crate::hash::HashKey;
use crate::health::Key;

/// The health checks of registered resources, by the names of those. Cloning copies one pointer.
#[derive(Debug, Clone, Default)]
pub struct ResourceChecks(Arc<HashMap<Name, Arc<str>>>);

impl ResourceChecks {
    /// These names, in any case, have checks with these ids. A check that is gone is healthy.
    pub fn of<'i>(checks: impl IntoIterator<Item = (&'i Name, &'i str)>) -> Self {
        let checks = checks.into_iter();
        let checks = checks.map(|(name, id)| (name.to_lowercase(), id.into()));
        Self(Arc::new(checks.collect()))
    }

    /// The check of the resource with this name, in wire form and lower case.
    pub(crate) fn check(&self, name: &[u8]) -> Option<&Arc<str>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&Name::from_wire(name).ok()?)
    }

    /// The targets whose checks are not the same in both.
    pub(crate) fn differences(&self, other: &Self, key: HashKey) -> Vec<Key> {
        let mine = self.0.iter();
        let changed = mine.filter(|(name, check)| other.0.get(*name) != Some(check));
        let theirs = other.0.iter();
        let new = theirs.filter(|(name, _)| !self.0.contains_key(*name));
        let types = || {
            RecordType::ALL
                .into_iter()
                .filter(|rtype| is_external_type(*rtype))
        };
        let names = changed.chain(new);
        names
            .flat_map(|(name, _)| types().map(|rtype| key_of(key, name, rtype)))
            .collect()
    }
}
