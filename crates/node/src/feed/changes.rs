//! The steps from one World to the next: zones that were touched, or some of their names, and what
//! answers come from beside zones.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use anyhow::Result;
use meridian_answer::{Broken, World, ZoneChange, ZoneImage};
use meridian_dns::Name;
use meridian_log::Snapshot;
use meridian_model::{Generation, State, Zone, ZoneId};

use super::touched::Touched;
use super::{Feed, health, load, networks, now, regions, resources};
use crate::latency::Latency;

impl Feed {
    /// The steps to the next World, at most one for each zone.
    pub(super) fn changes(
        &mut self,
        snapshot: &Snapshot,
        touched: &Touched,
    ) -> Result<Vec<ZoneChange>> {
        let mut changes = Vec::new();
        let mut relogged = BTreeSet::new();
        if touched.logging {
            let logged = snapshot.logged_zones()?.into_iter().collect();
            let before = mem::replace(&mut self.logged, logged);
            relogged = &before ^ &self.logged;
        }
        let mut whole = touched.zones.clone();
        for (generation, names) in &touched.names {
            // What no zone points to is not answered.
            let Some(zone) = snapshot.zone_at(*generation)? else {
                continue;
            };
            let known = self.zones.get(&zone.id);
            if known.is_none_or(|known| known.generation != *generation) {
                // It could not be answered when the zone was pointed to it; perhaps it can now.
                whole.insert(zone.id);
            } else if !touched.zones.contains(&zone.id) {
                let names: Vec<&Name> = names.values().collect();
                changes.extend(self.names_change(snapshot, &zone, &names)?);
            }
        }
        for id in &whole {
            changes.extend(self.zone_change(snapshot, id, touched)?);
        }
        self.log_zones(&relogged, &mut changes);
        if touched.pool {
            self.views.set_pool(&snapshot.name_servers()?);
            self.move_zones(&mut changes);
        }
        Ok(changes)
    }

    /// A zone that was made, changed, pointed elsewhere or deleted.
    fn zone_change(
        &mut self,
        snapshot: &Snapshot,
        id: &ZoneId,
        touched: &Touched,
    ) -> Result<Vec<ZoneChange>> {
        let new = snapshot.zone(id)?;
        let old = self.zones.get(id).cloned();
        if let (Some(new), Some(old)) = (&new, &old)
            && new.generation == old.generation
        {
            let names = touched.names.get(&new.generation);
            let names: Vec<&Name> = names.into_iter().flat_map(BTreeMap::values).collect();
            let change = self.names_change(snapshot, new, &names)?;
            if change.is_some() {
                self.zones.put(new.clone());
            }
            return Ok(change.into_iter().collect());
        }
        let mut changes = Vec::new();
        if let Some(old) = &old {
            let image = self.world.zone(&old.apex, old.generation).cloned();
            changes.extend(image.map(|image| ZoneChange::Remove(Arc::new(image))));
        }
        self.failed.remove(id);
        let Some(zone) = new else {
            self.zones.remove(id);
            return Ok(changes);
        };
        match (self.build(snapshot, &zone, Broken::Refuse)?, old) {
            (Ok(image), _) => {
                changes.push(ZoneChange::Put(Arc::new(image)));
                self.zones.put(zone);
            }
            (Err(error), Some(old)) => {
                // What was answered before is answered on.
                self.fail(&zone, old.generation, &error);
                changes.clear();
            }
            (Err(error), None) => {
                self.fail(&zone, zone.generation, &error);
                changes.extend(self.kept_or_rest(snapshot, &zone)?.map(ZoneChange::Put));
                self.zones.put(zone);
            }
        }
        Ok(changes)
    }

    /// A zone of which some names changed.
    fn names_change(
        &mut self,
        snapshot: &Snapshot,
        zone: &Zone,
        names: &[&Name],
    ) -> Result<Option<ZoneChange>> {
        let image = self.world.zone(&zone.name, zone.generation);
        let built = match image {
            // A zone that failed before has other changes to catch up with.
            Some(image) if !self.failed.contains_key(&zone.id) => {
                let mut sets = Vec::with_capacity(names.len());
                for name in names {
                    sets.push((*name, snapshot.sets_at(zone.generation, name)?));
                }
                let last_changed = snapshot.stats(zone.generation)?.last_changed.0;
                let sets = sets.iter().map(|(name, sets)| (*name, sets.as_slice()));
                let image = image.with_names(self.world.key(), last_changed, sets);
                image.map(|image| {
                    let image = load::placed(&image, zone, &self.views);
                    image.with_log(self.log_of(&zone.id))
                })
            }
            _ => self.build(snapshot, zone, Broken::Refuse)?,
        };
        match built {
            Ok(image) => {
                self.failed.remove(&zone.id);
                Ok(Some(ZoneChange::Put(Arc::new(image))))
            }
            Err(error) => {
                self.fail(zone, zone.generation, &error);
                Ok(None)
            }
        }
    }

    /// Zones that are logged by themselves from now on, or no more. Those that change otherwise
    /// know already.
    fn log_zones(&self, zones: &BTreeSet<ZoneId>, changes: &mut Vec<ZoneChange>) {
        let changed: BTreeSet<Generation> = changes.iter().map(generation_of).collect();
        for id in zones {
            let Some(known) = self.zones.get(id) else {
                continue;
            };
            let image = self.world.zone(&known.apex, known.generation);
            if let Some(image) = image.filter(|_| !changed.contains(&known.generation)) {
                let image = image.clone().with_log(self.log_of(id));
                changes.push(ZoneChange::Put(Arc::new(image)));
            }
        }
    }

    /// After a change of the pool zones may be visible elsewhere.
    fn move_zones(&self, changes: &mut Vec<ZoneChange>) {
        let servers = self.zones.servers();
        let views_of = |image: &ZoneImage| {
            let servers = servers.get(&image.meta().generation)?;
            Some(self.views.at_names(servers))
        };
        for change in changes.iter_mut() {
            if let ZoneChange::Put(image) = change
                && let Some(views) = views_of(image)
            {
                *image = Arc::new(image.with_views(views));
            }
        }
        let changed: BTreeSet<Generation> = changes.iter().map(generation_of).collect();
        for image in self.world.zones() {
            if let Some(views) = views_of(image)
                && views != image.meta().views
                && !changed.contains(&image.meta().generation)
            {
                changes.push(ZoneChange::Put(Arc::new(image.with_views(views))));
            }
        }
    }
}

fn generation_of(change: &ZoneChange) -> Generation {
    match change {
        ZoneChange::Put(image) | ZoneChange::Remove(image) => image.meta().generation,
    }
}

/// What answers come from beside zones, as far as it was touched.
pub(super) fn beside_zones(
    world: World,
    snapshot: &Snapshot,
    touched: &Touched,
    (health, latency): (&mut health::Source, &Latency),
) -> Result<World> {
    let mut world = world;
    if touched.vpcs {
        world = world.with_vpcs(&snapshot.vpcs()?);
    }
    if touched.regions {
        let regions = regions::read(snapshot)?;
        world = world.with_regions(&regions);
        latency.regions_are(regions);
    }
    if touched.resources {
        world = world.with_resource_checks(resources::read(snapshot)?);
    }
    if !touched.networks.is_empty() {
        let before = world.cidr_collections();
        let collections = networks::changed(snapshot, before, &touched.networks)?;
        world = world.with_cidr_collections(collections);
    }
    if !touched.health.is_empty() {
        let health_now = health.follow(snapshot, &touched.health, world.health(), now())?;
        if let Some(health) = health_now {
            world = world.with_health(health);
        }
        world = world.with_egress_rights(Arc::clone(health.rights()));
    }
    Ok(world)
}
