//! The journey of a change from the journal into answers: journal → tables → World → ack.
//!
//! One thread, the only writer of the tables and of the World. A zone that cannot be compiled
//! keeps its old image, delays only itself, and is listed as failed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use meridian_answer::{Broken, CompileError, HashKey, World, ZoneChange, ZoneImage, ZoneMeta};
use meridian_control::{Acks, Served};
use meridian_dns::Name;
use meridian_log::{Entry, Journal, Snapshot, Tables};
use meridian_model::{Effect, Generation, RecordSet, Seq, State, Zone, ZoneId};
use meridian_server::Live;

use crate::views::Views;

/// The name under which this node's own answers are acknowledged.
const NODE: &str = "local";
/// How long the feed sleeps at most before it looks at the journal by itself.
const WAIT: Duration = Duration::from_millis(500);
/// How long it rests after a failure before it tries again.
const REST: Duration = Duration::from_secs(1);
/// Entries that are taken at once.
const MAX_ENTRIES: usize = 1000;

/// The state of the feed between entries.
pub(crate) struct Feed {
    journal: Arc<dyn Journal>,
    tables: Arc<Tables>,
    acks: Arc<Acks>,
    views: Views,
    world: World,
    zones: HashMap<ZoneId, Zone>,
    by_generation: HashMap<Generation, ZoneId>,
    failed: BTreeMap<ZoneId, Seq>,
}

/// What a run of entries asks to be made anew.
#[derive(Default)]
struct Touched {
    zones: BTreeSet<ZoneId>,
    names: BTreeMap<Generation, BTreeMap<String, Name>>,
    pool: bool,
    last: Seq,
}

impl Feed {
    /// Brings the tables up to the journal and builds the first World from them.
    pub(crate) fn start(
        journal: Arc<dyn Journal>,
        tables: Arc<Tables>,
        acks: Arc<Acks>,
        views: Views,
        key: HashKey,
    ) -> Result<Self> {
        let mut feed = Self {
            journal,
            tables,
            acks,
            views,
            world: World::new(key, Vec::new()),
            zones: HashMap::new(),
            by_generation: HashMap::new(),
            failed: BTreeMap::new(),
        };
        while !feed.next_entries()?.is_empty() {}
        feed.load()?;
        Ok(feed)
    }

    /// The World as it is now.
    pub(crate) fn world(&self) -> World {
        self.world.clone()
    }

    /// The addresses to listen on.
    pub(crate) fn views(&self) -> &Views {
        &self.views
    }

    /// Follows the journal until told to stop. Failures are said and tried again; meanwhile the
    /// last good World answers on.
    pub(crate) fn run(mut self, live: &Live, stop: &AtomicBool) {
        self.acknowledge();
        while !stop.load(Ordering::Relaxed) {
            match self.turn(live) {
                Ok(()) => {}
                Err(error) => {
                    tracing::error!(%error, "changes are not applied: {error:#}");
                    thread::sleep(REST);
                }
            }
        }
    }

    fn turn(&mut self, live: &Live) -> Result<()> {
        let applied = self.tables.head().seq;
        if self.journal.wait(applied, WAIT) <= applied {
            live.reclaim();
            return Ok(());
        }
        let entries = self.next_entries()?;
        if entries.is_empty() {
            return Ok(());
        }
        let touched = touched(&entries);
        let snapshot = self.tables.read()?;
        let changes = self.changes(&snapshot, &touched)?;
        if !changes.is_empty() {
            self.world = self.world.changed(&changes);
            live.publish(self.world.clone());
        }
        self.acknowledge();
        Ok(())
    }

    /// Applies the next entries of the journal to the tables.
    fn next_entries(&self) -> Result<Vec<Entry>> {
        let applied = self.tables.head().seq;
        let entries = self.journal.read(applied, MAX_ENTRIES)?;
        if !entries.is_empty() {
            self.tables
                .apply(&entries)
                .context("this node's tables do not follow the journal")?;
        }
        Ok(entries)
    }

    fn acknowledge(&self) {
        let seq = self.tables.head().seq;
        let failed = self.failed.clone();
        self.acks.report(NODE, Served { seq, failed });
    }

    fn load(&mut self) -> Result<()> {
        let snapshot = self.tables.read()?;
        self.views.set_pool(&snapshot.name_servers()?);
        let mut zones = Vec::new();
        snapshot.each_zone(|zone| {
            zones.push(zone);
            ControlFlow::Continue(())
        })?;
        let mut images = Vec::with_capacity(zones.len());
        for zone in zones {
            match self.build(&snapshot, &zone, Broken::Refuse)? {
                Ok(image) => images.push(Arc::new(image)),
                Err(error) => {
                    let since = snapshot.stats(zone.generation)?.last_changed;
                    self.fail(&zone, since, &error);
                    // There is no old image to keep: all but the broken sets is answered.
                    let rest = self.build(&snapshot, &zone, Broken::Unserved)?;
                    images.extend(rest.ok().map(Arc::new));
                }
            }
            self.remember(zone);
        }
        self.world = World::new(self.world.key(), images);
        Ok(())
    }

    fn remember(&mut self, zone: Zone) {
        self.by_generation.insert(zone.generation, zone.id.clone());
        self.zones.insert(zone.id.clone(), zone);
    }

    fn fail(&mut self, zone: &Zone, since: Seq, error: &CompileError) {
        tracing::error!(zone = %zone.id, %since, "zone {} does not answer as it should: {error}", zone.name);
        self.failed.entry(zone.id.clone()).or_insert(since);
    }

    /// The image of a zone from all its record sets.
    fn build(
        &self,
        snapshot: &Snapshot,
        zone: &Zone,
        broken: Broken,
    ) -> Result<Result<ZoneImage, CompileError>> {
        let mut names: Vec<(Name, Vec<RecordSet>)> = Vec::new();
        snapshot.each_set(zone.generation, |set| {
            // Sets come in order of names.
            match names.last_mut() {
                Some((name, sets)) if *name == set.key.name => sets.push(set),
                _ => names.push((set.key.name.clone(), vec![set])),
            }
            ControlFlow::Continue(())
        })?;
        let meta = ZoneMeta {
            apex: zone.name.clone(),
            generation: zone.generation,
            created_at: zone.created_at,
            views: self.views.of(zone),
            last_changed: snapshot.stats(zone.generation)?.last_changed.0,
        };
        let names = names.iter().map(|(name, sets)| (name, sets.as_slice()));
        Ok(ZoneImage::build(self.world.key(), meta, names, broken))
    }

    /// The steps to the next World, at most one for each zone.
    fn changes(&mut self, snapshot: &Snapshot, touched: &Touched) -> Result<Vec<ZoneChange>> {
        let mut changes = Vec::new();
        for id in &touched.zones {
            changes.extend(self.zone_change(snapshot, id, touched.last)?);
        }
        for (generation, names) in &touched.names {
            let zone = self
                .by_generation
                .get(generation)
                .and_then(|id| self.zones.get(id));
            let Some(zone) = zone.cloned() else {
                continue;
            };
            if !touched.zones.contains(&zone.id) {
                let names: Vec<&Name> = names.values().collect();
                changes.extend(self.names_change(snapshot, &zone, &names, touched.last)?);
            }
        }
        if touched.pool {
            self.views.set_pool(&snapshot.name_servers()?);
            self.move_zones(&mut changes);
        }
        Ok(changes)
    }

    /// A zone that was made, pointed elsewhere or deleted.
    fn zone_change(
        &mut self,
        snapshot: &Snapshot,
        id: &ZoneId,
        seq: Seq,
    ) -> Result<Vec<ZoneChange>> {
        let mut changes = Vec::new();
        let new = snapshot.zone(id)?;
        let old = self.zones.remove(id);
        if let Some(old) = &old
            && new
                .as_ref()
                .is_none_or(|new| new.generation != old.generation)
        {
            self.by_generation.remove(&old.generation);
            let image = self.world.zone(&old.name, old.generation).cloned();
            changes.extend(image.map(|image| ZoneChange::Remove(Arc::new(image))));
        }
        self.failed.remove(id);
        let Some(zone) = new else {
            return Ok(changes);
        };
        match (self.build(snapshot, &zone, Broken::Refuse)?, old) {
            (Ok(image), _) => {
                changes.push(ZoneChange::Put(Arc::new(image)));
                self.remember(zone);
            }
            (Err(error), Some(old)) => {
                self.fail(&zone, seq, &error);
                // What was answered before is answered on.
                changes.clear();
                self.remember(old);
            }
            (Err(error), None) => {
                self.fail(&zone, seq, &error);
                let rest = self.build(snapshot, &zone, Broken::Unserved)?;
                changes.extend(rest.ok().map(|image| ZoneChange::Put(Arc::new(image))));
                self.remember(zone);
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
        seq: Seq,
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
                image.with_names(self.world.key(), last_changed, sets)
            }
            _ => self.build(snapshot, zone, Broken::Refuse)?,
        };
        match built {
            Ok(image) => {
                self.failed.remove(&zone.id);
                Ok(Some(ZoneChange::Put(Arc::new(image))))
            }
            Err(error) => {
                self.fail(zone, seq, &error);
                Ok(None)
            }
        }
    }

    /// After a change of the pool zones may be visible elsewhere.
    fn move_zones(&self, changes: &mut Vec<ZoneChange>) {
        for change in changes.iter_mut() {
            if let ZoneChange::Put(image) = change
                && let Some(views) = self.views_of(image)
            {
                *image = Arc::new(image.with_views(views));
            }
        }
        let changed: BTreeSet<Generation> = changes
            .iter()
            .map(|change| match change {
                ZoneChange::Put(image) | ZoneChange::Remove(image) => image.meta().generation,
            })
            .collect();
        for image in self.world.zones() {
            if let Some(views) = self.views_of(image)
                && views != image.meta().views
                && !changed.contains(&image.meta().generation)
            {
                changes.push(ZoneChange::Put(Arc::new(image.with_views(views))));
            }
        }
    }

    fn views_of(&self, image: &ZoneImage) -> Option<u64> {
        let id = self.by_generation.get(&image.meta().generation)?;
        Some(self.views.of(self.zones.get(id)?))
    }
}

fn touched(entries: &[Entry]) -> Touched {
    let mut touched = Touched::default();
    for entry in entries {
        touched.last = entry.seq;
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
                Effect::PutChange(_)
                | Effect::PutAccount(_)
                | Effect::PutUser(_)
                | Effect::DeleteUser { .. }
                | Effect::PutAccessKey(_)
                | Effect::DeleteAccessKey(_)
                | Effect::PutQuota { .. } => {}
            }
        }
    }
    touched
}

impl Touched {
    fn name(&mut self, generation: Generation, name: &Name) {
        let names = self.names.entry(generation).or_default();
        names.entry(name.sort_key()).or_insert_with(|| name.clone());
    }
}
