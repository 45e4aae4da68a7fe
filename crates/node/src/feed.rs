//! The journey of a change from the journal into answers: journal → tables → World → ack.
//!
//! One thread, the only writer of the tables and of the World. A zone that cannot be compiled
//! keeps its old image, delays only itself, and is listed as failed.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use meridian_answer::{Broken, CidrCollections, CompileError, HashKey, World, ZoneImage, ZoneLog};
use meridian_atlas::LatencyMap;
use meridian_control::{Acks, Environment, Served, SystemEnvironment};
use meridian_log::{Entry, Journal, Snapshot, Tables};
use meridian_model::{Generation, Seq, State, Timestamp, Zone, ZoneId};
use meridian_server::Live;

use crate::break_glass::BreakGlassFile;
use crate::condition::Condition;
use crate::views::Views;

mod changes;
mod health;
mod known;
mod load;
mod networks;
pub(crate) mod regions;
mod resources;
#[cfg(test)]
mod tests;
mod touched;

use changes::beside_zones;
use known::KnownZones;
use touched::touched;

/// The name under which this node's own answers are acknowledged.
const NODE: &str = "local";
/// How long the feed sleeps at most before it looks at the journal by itself, and at what it is
/// handed beside it: a failed endpoint should not be answered for longer.
const WAIT: Duration = Duration::from_millis(100);
/// How long it rests after a failure before it tries again.
const REST: Duration = Duration::from_secs(1);
/// Entries that are taken at once.
const MAX_ENTRIES: usize = 1000;

/// The state of the feed between entries.
pub(crate) struct Feed {
    journal: Arc<dyn Journal>,
    tables: Arc<Tables>,
    acks: Arc<Acks>,
    condition: Arc<Condition>,
    views: Views,
    world: World,
    zones: KnownZones,
    failed: BTreeMap<ZoneId, Seq>,
    /// The zones whose queries are logged by themselves.
    logged: BTreeSet<ZoneId>,
    health: health::Source,
    /// The tables hold entries that did not make it into the World: a turn failed in between.
    stale: bool,
}

/// Says that the feed has ended, and how.
struct End(Arc<Condition>);

impl Drop for End {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.feed_died();
        } else {
            self.0.feed_rests();
        }
    }
}

impl Feed {
    /// A feed that has read nothing yet.
    pub(crate) fn new(
        journal: Arc<dyn Journal>,
        tables: Arc<Tables>,
        condition: Arc<Condition>,
        views: Views,
        key: HashKey,
    ) -> Self {
        let health = health::Source::new(Arc::clone(&condition));
        condition.tables_are(Some(Arc::clone(&tables)));
        Self {
            journal,
            tables,
            acks: Arc::default(),
            condition,
            views,
            world: World::new(key, Vec::new()),
            zones: KnownZones::default(),
            failed: BTreeMap::new(),
            logged: BTreeSet::new(),
            health,
            stale: false,
        }
    }

    /// The same, heeding what this node is handed directly.
    pub(crate) fn heeding(mut self, break_glass: Arc<BreakGlassFile>) -> Self {
        self.health.heed(break_glass);
        self
    }

    /// What it heeds, if it does.
    pub(crate) fn break_glass(&self) -> Option<&Arc<BreakGlassFile>> {
        self.health.break_glass()
    }

    /// Brings the tables up to the journal, as far as the journal can be followed: what the tables
    /// hold is answered all the same.
    pub(crate) fn catch_up(&self) -> Result<()> {
        loop {
            match self.next_entries() {
                Ok(entries) if entries.is_empty() => return self.check_chain(),
                Ok(_) => {}
                Err(error) if self.tables.head().seq > Seq(0) => {
                    tracing::error!(%error, "the journal cannot be followed: {error:#}");
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Says so when the tables hold entries that the journal has not. What they hold is answered
    /// all the same.
    fn check_chain(&self) -> Result<()> {
        let (applied, head) = (self.tables.head(), self.journal.head()?);
        if applied != head {
            tracing::error!(
                applied = %applied.seq,
                head = %head.seq,
                "the journal ends with entry {} but the tables hold entry {}: an older or another \
                 journal was put in place; answering on, no change will be accepted",
                head.seq,
                applied.seq
            );
        }
        Ok(())
    }

    /// The World as it is now.
    pub(crate) fn world(&self) -> World {
        self.world.clone()
    }

    /// Where it says how it is doing.
    pub(crate) fn condition(&self) -> &Arc<Condition> {
        &self.condition
    }

    /// Where it reports what is served.
    pub(crate) fn acks(&self) -> &Arc<Acks> {
        &self.acks
    }

    /// The addresses to listen on.
    pub(crate) fn views(&self) -> &Views {
        &self.views
    }

    /// Follows the journal until told to stop. Failures are said and tried again; meanwhile the
    /// last good World answers on.
    pub(crate) fn run(mut self, live: &Live, stop: &AtomicBool) {
        let _end = End(Arc::clone(&self.condition));
        self.acknowledge();
        // The first turn may wait for a while, and what there is is served already.
        self.say_turned();
        while !stop.load(Ordering::Relaxed) {
            // A turn that panics may be half done, so the next one starts from the tables.
            let turn = || {
                self.heed(live, now());
                // Neither waits for tables that cannot be read.
                self.follow_atlas(live);
                self.follow_targets(live);
                self.turn(live)
            };
            let turn = panic::catch_unwind(AssertUnwindSafe(turn));
            self.stale |= turn.is_err();
            let turn = turn.unwrap_or_else(|_| Err(anyhow!("a panic, which is a fault of ours")));
            self.condition.journal_checked(self.journal.check());
            match turn {
                Ok(()) => self.say_turned(),
                Err(error) => {
                    self.condition.feed_failed(format!("{error:#}"));
                    tracing::error!(%error, "changes are not applied: {error:#}");
                    thread::sleep(REST);
                }
            }
        }
    }

    /// Heeds what this node was handed directly, without a journal to follow, as long as the
    /// process lives.
    pub(crate) fn run_without_journal(mut self, live: &Live) {
        loop {
            self.heed(live, now());
            self.follow_atlas(live);
            self.follow_targets(live);
            live.reclaim();
            thread::sleep(WAIT);
        }
    }

    /// Brings the health of the World up to what this node was handed directly and checkers found.
    /// Neither journal nor tables are asked.
    fn heed(&mut self, live: &Live, now: Timestamp) {
        if !self.health.is_outdated(now) {
            return;
        }
        if let Some(health) = self.health.at(self.world.health(), now) {
            self.world = self.world.clone().with_health(health);
            live.publish(self.world.clone());
        }
    }

    fn turn(&mut self, live: &Live) -> Result<()> {
        if self.stale {
            self.load()?;
            live.publish(self.world.clone());
        } else {
            let applied = self.tables.head().seq;
            if self.journal.wait(applied, WAIT) <= applied {
                live.reclaim();
                return Ok(());
            }
            let entries = self.next_entries()?;
            if entries.is_empty() {
                return Ok(());
            }
            // The entries will not be read again. Until they are in the World nothing may be
            // acknowledged, and a failure on the way leaves only the tables to go by.
            self.stale = true;
            let snapshot = self.tables.read()?;
            let touched = touched(&entries);
            let changes = self.changes(&snapshot, &touched)?;
            let addresses = self.views.addresses();
            let moved = self.world.addresses() != addresses;
            if touched.logging {
                // Before the first query is shown to the log: it must not find what was before.
                self.condition.zone_logs_are(self.logged.len());
            }
            if !changes.is_empty() || moved || touched.beside_zones() {
                let world = self.world.changed(&changes).with_addresses(addresses);
                let latency = Arc::clone(self.condition.latency());
                let health = &mut self.health;
                self.world = beside_zones(world, &snapshot, &touched, (health, &latency))?;
                live.publish(self.world.clone());
            }
        }
        self.stale = false;
        self.acknowledge();
        Ok(())
    }

    /// Answers by the newest atlas and the newest map of latencies, which come from elsewhere than
    /// the journal.
    fn follow_atlas(&mut self, live: &Live) {
        let known = self.world.latency_map().map(Arc::as_ptr);
        let map = self.condition.latency().map();
        let is_newest = known == map.as_ref().map(Arc::as_ptr);
        if !is_newest || !Arc::ptr_eq(&self.condition.geo().atlas(), self.world.atlas()) {
            self.take_atlas();
            live.publish(self.world.clone());
        }
    }

    /// Answers by what is known now of host names elsewhere that aliases point to.
    fn follow_targets(&mut self, live: &Live) {
        if let Some(targets) = self.condition.targets().newer() {
            self.world = self.world.clone().with_external_targets(targets);
            live.publish(self.world.clone());
        }
    }

    /// Puts the newest atlas into the World, and the newest map of latencies.
    pub(crate) fn take_atlas(&mut self) {
        let atlas = self.condition.geo().atlas();
        let map = self.condition.latency().map();
        self.world = mapped(self.world.clone().with_atlas(atlas), map);
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

    fn say_turned(&self) {
        let applied = self.tables.head().seq;
        // The end of the journal first, or what is applied would seem to lie behind it.
        if let Ok(head) = self.journal.head() {
            self.condition.journal_is_at(head);
        }
        self.condition.feed_turned(applied, self.failed.len());
    }

    fn acknowledge(&self) {
        let seq = self.tables.head().seq;
        let failed = self.failed.clone();
        self.condition.board().answer_through(seq);
        self.acks.report(NODE, Served { seq, failed });
    }

    /// Builds the World from the tables alone.
    pub(crate) fn load(&mut self) -> Result<()> {
        let snapshot = self.tables.read()?;
        self.views.set_pool(&snapshot.name_servers()?);
        self.logged = snapshot.logged_zones()?.into_iter().collect();
        let built = load::build_all(&snapshot, &self.views, self.world.key())?;
        self.zones = KnownZones::with_capacity(built.len());
        let mut images = Vec::with_capacity(built.len());
        for (zone, built) in built {
            match built {
                Ok(image) => {
                    self.failed.remove(&zone.id);
                    images.push(Arc::new(image.with_log(self.log_of(&zone.id))));
                }
                Err(error) => {
                    self.fail(&zone, zone.generation, &error);
                    images.extend(self.kept_or_rest(&snapshot, &zone)?);
                }
            }
            self.zones.put(zone);
        }
        self.failed.retain(|id, _| self.zones.get(id).is_some());
        let addresses = self.views.addresses();
        self.condition.zone_logs_are(self.logged.len());
        let key = self.world.key();
        let regions = regions::read(&snapshot)?;
        self.condition.latency().regions_are(regions.clone());
        self.world = World::new(key, images)
            .with_addresses(addresses)
            .with_vpcs(&snapshot.vpcs()?)
            .with_regions(&regions)
            .with_health(self.health.read(&snapshot, key, now())?)
            .with_egress_rights(Arc::clone(self.health.rights()))
            .with_resource_checks(resources::read(&snapshot)?)
            .with_cidr_collections(networks::read(&snapshot, CidrCollections::new(key))?)
            .with_external_targets(self.condition.targets().table(key))
            .with_atlas(self.condition.geo().atlas());
        self.world = mapped(self.world.clone(), self.condition.latency().map());
        Ok(())
    }

    /// Notes that a zone keeps its image, that of this generation: every change from the first
    /// one on that the image lacks is not served. Several may come in one turn.
    fn fail(&mut self, zone: &Zone, answering: Generation, error: &CompileError) {
        let image = self.world.zone(&zone.name, answering);
        let since = image.map_or(Seq(0), |image| Seq(image.meta().last_changed + 1));
        tracing::error!(zone = %zone.id, %since, "zone {} does not answer as it should: {error}", zone.name);
        self.failed.entry(zone.id.clone()).or_insert(since);
    }

    /// What a zone that cannot be compiled is answered from: the image it has, or where it has
    /// none, all but the sets that cannot be read.
    fn kept_or_rest(&self, snapshot: &Snapshot, zone: &Zone) -> Result<Option<Arc<ZoneImage>>> {
        if let Some(old) = self.world.zone(&zone.name, zone.generation) {
            let image = load::placed(old, zone, &self.views);
            return Ok(Some(Arc::new(image.with_log(self.log_of(&zone.id)))));
        }
        let rest = self.build(snapshot, zone, Broken::Unserved)?;
        Ok(rest.ok().map(Arc::new))
    }

    /// The image of a zone from all its record sets.
    fn build(
        &self,
        snapshot: &Snapshot,
        zone: &Zone,
        broken: Broken,
    ) -> Result<Result<ZoneImage, CompileError>> {
        let built = load::build(snapshot, zone, &self.views, self.world.key(), broken)?;
        Ok(built.map(|image| image.with_log(self.log_of(&zone.id))))
    }

    /// Whether a zone's queries are logged by themselves.
    fn log_of(&self, zone: &ZoneId) -> ZoneLog {
        if self.logged.contains(zone) {
            ZoneLog::On
        } else {
            ZoneLog::Off
        }
    }
}

/// The same, with regions as fast as a map says, if there is one.
fn mapped(world: World, map: Option<Arc<LatencyMap>>) -> World {
    match map {
        Some(map) => world.with_latency_map(map),
        None => world,
    }
}

fn now() -> Timestamp {
    SystemEnvironment::new().now()
}
