//! What the feed has to know of every zone by heart: what the tables do not say any more once the
//! zone has changed, and who sees it. All else is read from the tables when it is needed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use meridian_dns::Name;
use meridian_model::{Generation, Zone, ZoneId};

/// The zones that answers come from.
#[derive(Debug, Default)]
pub(super) struct KnownZones {
    zones: HashMap<ZoneId, KnownZone>,
    /// Thousands of zones have the same name servers: each list is kept once.
    servers: HashSet<Arc<[Name]>>,
}

/// A zone as it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownZone {
    pub(super) apex: Name,
    pub(super) generation: Generation,
    pub(super) servers: Arc<[Name]>,
}

impl KnownZones {
    /// Knows nothing, with room for this many.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            zones: HashMap::with_capacity(count),
            servers: HashSet::new(),
        }
    }

    pub(super) fn get(&self, id: &ZoneId) -> Option<&KnownZone> {
        self.zones.get(id)
    }

    /// Takes the zone as it is now.
    pub(super) fn put(&mut self, zone: Zone) {
        // Nobody asks the name servers of a private zone, whatever the pool has by their names.
        let names = match zone.private {
            true => Vec::new(),
            false => zone.delegation_set.name_servers,
        };
        let servers = self.shared(names);
        let known = KnownZone {
            apex: zone.name,
            generation: zone.generation,
            servers,
        };
        self.zones.insert(zone.id, known);
    }

    pub(super) fn remove(&mut self, id: &ZoneId) -> Option<KnownZone> {
        self.zones.remove(id)
    }

    /// The name servers of all zones, by generation.
    pub(super) fn servers(&self) -> HashMap<Generation, &[Name]> {
        let zones = self.zones.values();
        zones
            .map(|zone| (zone.generation, &*zone.servers))
            .collect()
    }

    fn shared(&mut self, names: Vec<Name>) -> Arc<[Name]> {
        if let Some(known) = self.servers.get(names.as_slice()) {
            return Arc::clone(known);
        }
        // Lists that no zone has any more: pools change seldom, and are small.
        self.servers
            .retain(|servers| Arc::strong_count(servers) > 1);
        let servers: Arc<[Name]> = names.into();
        self.servers.insert(Arc::clone(&servers));
        servers
    }
}
