//! Health checks of registered resources: whoever registers a host name may say which check decides
//! whether it is healthy, beside its being resolvable.

use std::collections::HashMap;
use std::sync::Arc;

use meridian_dns::{Name, RecordType};
use meridian_model::{AccountId, is_external_type};

use super::key_of;
use crate::ZoneImage;
use crate::hash::HashKey;
use crate::health::Key;

/// The health checks of registered resources, by account and name. Cloning copies one pointer.
#[derive(Debug, Clone, Default)]
pub struct ResourceChecks(Arc<HashMap<(AccountId, Name), Arc<str>>>);

impl ResourceChecks {
    /// These names of these accounts, in any case, have checks with these ids. A check that is gone
    /// is healthy.
    pub fn of<'i>(checks: impl IntoIterator<Item = (&'i AccountId, &'i Name, &'i str)>) -> Self {
        let checks = checks.into_iter().map(|(account, name, id)| {
            let key = (account.clone(), name.to_lowercase());
            (key, id.into())
        });
        Self(Arc::new(checks.collect()))
    }

    /// The check of the resource that this name, in wire form and lower case, is to the aliases of a
    /// zone.
    pub(crate) fn check(&self, zone: &ZoneImage, name: &[u8]) -> Option<&Arc<str>> {
        if self.0.is_empty() {
            return None;
        }
        let key = (zone.account()?.clone(), Name::from_wire(name).ok()?);
        self.0.get(&key)
    }

    /// The targets whose checks are not the same in both.
    pub(crate) fn differences(&self, other: &Self, key: HashKey) -> Vec<Key> {
        let mine = self.0.iter();
        let changed = mine.filter(|(resource, check)| other.0.get(*resource) != Some(check));
        let theirs = other.0.iter();
        let new = theirs.filter(|(resource, _)| !self.0.contains_key(*resource));
        let types = || {
            RecordType::ALL
                .into_iter()
                .filter(|rtype| is_external_type(*rtype))
        };
        let names = changed.chain(new);
        names
            .flat_map(|((_, name), _)| types().map(|rtype| key_of(key, name, rtype)))
            .collect()
    }
}
