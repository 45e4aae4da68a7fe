//! Images of zones from the tables, of all at a start: one thread reads rows in the order they lie
//! in, all cores make images of them. Which image a zone that fails is answered from is not
//! decided here.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Result, anyhow};
use meridian_answer::{Broken, CompileError, HashKey, ZoneDraft, ZoneImage, ZoneMeta};
use meridian_log::{ReadError, SetBlock, Snapshot};
use meridian_model::{Generation, RecordSet, VpcId, Zone};

use crate::views::Views;

/// Blocks that wait to be worked on, for each thread that does: enough that none waits for the
/// reader, and few enough that they are still near when their turn comes.
const WAITING: usize = 4;

/// Record sets from which on all cores work on one zone: while it is made, no entry is applied.
const LARGE: u64 = 20_000;

/// A zone and the image that its record sets give.
pub(super) type Built = (Zone, Result<ZoneImage, CompileError>);

/// All zones with their images, by generation.
pub(super) fn build_all(snapshot: &Snapshot, views: &Views, key: HashKey) -> Result<Vec<Built>> {
    let zones = read_zones(snapshot)?;
    let plan = Plan {
        last_changed: last_changes(snapshot, &zones)?,
        zones: &zones,
        views,
        key,
    };
    let images = images(&plan, |give| snapshot.set_blocks(give))?;
    Ok(zones.into_iter().zip(images).collect())
}

/// The images of all zones of a plan, from the blocks that `read` hands out.
fn images(
    plan: &Plan<'_>,
    read: impl FnOnce(&mut dyn FnMut(SetBlock) -> ControlFlow<()>) -> Result<(), ReadError>,
) -> Result<Vec<Result<ZoneImage, CompileError>>> {
    let done = on_all_cores(read, |blocks| {
        let mut worker = Worker::new(plan);
        for block in blocks {
            worker.take(&block)?;
        }
        Ok(worker)
    })?;
    let mut images: Vec<Option<Result<ZoneImage, CompileError>>> = Vec::new();
    images.resize_with(plan.zones.len(), || None);
    let mut drafts: Vec<(usize, Draft)> = Vec::new();
    for worker in done {
        for (place, image) in worker.whole {
            images[place] = Some(image);
        }
        drafts.extend(worker.parts);
    }
    drafts.sort_by_key(|(place, _)| *place);
    let mut drafts = drafts.into_iter().peekable();
    while let Some((place, first)) = drafts.next() {
        let mut parts = vec![first];
        while let Some((_, part)) = drafts.next_if(|(other, _)| *other == place) {
            parts.push(part);
        }
        images[place] = Some(plan.image(place, parts, cores()));
    }
    let images = images.into_iter().enumerate();
    let images = images
        // A zone without record sets has no row that would have led to it.
        .map(|(place, image)| image.unwrap_or_else(|| plan.image(place, Vec::new(), ONE)));
    Ok(images.collect())
}

/// The image of one zone, from its record sets.
pub(super) fn build(
    snapshot: &Snapshot,
    zone: &Zone,
    views: &Views,
    key: HashKey,
    broken: Broken,
) -> Result<Result<ZoneImage, CompileError>> {
    let stats = snapshot.stats(zone.generation)?;
    if stats.sets >= LARGE && broken == Broken::Refuse {
        let plan = Plan {
            last_changed: vec![stats.last_changed.0],
            zones: std::slice::from_ref(zone),
            views,
            key,
        };
        let read = |give: &mut dyn FnMut(SetBlock) -> ControlFlow<()>| {
            snapshot.set_blocks_of(zone.generation, give)
        };
        return images(&plan, read)?
            .pop()
            .ok_or_else(|| anyhow!("a zone got no image"));
    }
    let mut names = Names::new(key, zone, broken);
    snapshot.each_set(zone.generation, |set| {
        names.add(set);
        ControlFlow::Continue(())
    })?;
    let meta = meta(zone, views, stats.last_changed.0);
    let draft = names.finish();
    let image = draft.map(|draft| ZoneImage::from_drafts(key, meta, vec![draft], ONE));
    Ok(image.map(|image| owned(image, zone)))
}

/// The same image where the zone is to be seen now.
pub(super) fn placed(image: &ZoneImage, zone: &Zone, views: &Views) -> ZoneImage {
    owned(image.with_views(views.of(zone)), zone)
}

/// The same image of its owner's, where VPCs see it if it is private.
fn owned(image: ZoneImage, zone: &Zone) -> ZoneImage {
    image.with_vpcs(vpcs(zone)).with_account(&zone.account)
}

/// Which VPCs see a private zone.
fn vpcs(zone: &Zone) -> Option<Arc<[VpcId]>> {
    let ids = zone.vpcs.iter().map(|vpc| vpc.id.clone());
    zone.private.then(|| ids.collect())
}

type Draft = Result<ZoneDraft, CompileError>;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;

fn cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(ONE)
}

fn meta(zone: &Zone, views: &Views, last_changed: u64) -> ZoneMeta {
    ZoneMeta {
        zone: zone.id.clone(),
        apex: zone.name.clone(),
        generation: zone.generation,
        created_at: zone.created_at,
        views: views.of(zone),
        last_changed,
    }
}

/// All zones, by generation.
fn read_zones(snapshot: &Snapshot) -> Result<Vec<Zone>> {
    let shares = on_all_cores(
        |give| snapshot.zone_blocks(give),
        |blocks| {
            let mut zones = Vec::new();
            for block in blocks {
                for zone in block.zones() {
                    zones.push(zone?);
                }
            }
            Ok(zones)
        },
    )?;
    let mut zones: Vec<Zone> = shares.into_iter().flatten().collect();
    zones.sort_unstable_by_key(|zone| zone.generation);
    Ok(zones)
}

/// The entry that last changed each of these zones, which are in order of generations.
fn last_changes(snapshot: &Snapshot, zones: &[Zone]) -> Result<Vec<u64>> {
    let mut changes = vec![0; zones.len()];
    let mut waiting = zones.iter().zip(&mut changes).peekable();
    snapshot.each_stats(|generation, stats| {
        while waiting
            .next_if(|(zone, _)| zone.generation < generation)
            .is_some()
        {}
        if let Some((_, change)) = waiting.next_if(|(zone, _)| zone.generation == generation) {
            *change = stats.last_changed.0;
        }
    })?;
    Ok(changes)
}

/// What images are made from beside record sets.
struct Plan<'a> {
    /// By generation.
    zones: &'a [Zone],
    last_changed: Vec<u64>,
    views: &'a Views,
    key: HashKey,
}

impl Plan<'_> {
    fn place(&self, generation: Generation) -> Option<usize> {
        let found = self
            .zones
            .binary_search_by_key(&generation, |zone| zone.generation);
        found.ok()
    }

    fn image(
        &self,
        place: usize,
        parts: Vec<Draft>,
        threads: NonZero<usize>,
    ) -> Result<ZoneImage, CompileError> {
        let meta = meta(&self.zones[place], self.views, self.last_changed[place]);
        let parts = parts.into_iter().collect::<Result<_, _>>()?;
        let image = ZoneImage::from_drafts(self.key, meta, parts, threads);
        Ok(owned(image, &self.zones[place]))
    }
}

/// One thread's share of the images.
struct Worker<'a> {
    plan: &'a Plan<'a>,
    /// Images of zones that lay in one block, by their places in the plan.
    whole: Vec<(usize, Result<ZoneImage, CompileError>)>,
    /// Of the others, what was in this thread's blocks.
    parts: Vec<(usize, Draft)>,
}

impl<'a> Worker<'a> {
    fn new(plan: &'a Plan<'a>) -> Self {
        Self {
            plan,
            whole: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn take(&mut self, block: &SetBlock) -> Result<()> {
        // Sets of one generation stand together.
        let mut run: Option<Run> = None;
        let plan = self.plan;
        for row in block.sets(|generation| plan.place(generation).is_some()) {
            let (generation, set) = row?;
            if run.as_ref().is_none_or(|run| run.generation != generation) {
                self.end(block, run.take());
                run = self.begin(generation);
            }
            if let Some(run) = &mut run {
                run.names.add(set);
            }
        }
        self.end(block, run);
        Ok(())
    }

    /// Sets of this generation follow; nothing is to be done where no zone points to it.
    fn begin(&mut self, generation: Generation) -> Option<Run> {
        let place = self.plan.place(generation)?;
        // The draft of a zone of many blocks goes on growing.
        let part = self.parts.pop_if(|(other, _)| *other == place);
        let names = match part {
            Some((_, draft)) => Names::more(draft),
            None => Names::new(self.plan.key, &self.plan.zones[place], Broken::Refuse),
        };
        Some(Run {
            generation,
            place,
            names,
        })
    }

    fn end(&mut self, block: &SetBlock, run: Option<Run>) {
        let Some(run) = run else {
            return;
        };
        let draft = run.names.finish();
        if block.is_part_of(run.generation) {
            self.parts.push((run.place, draft));
        } else {
            let image = self.plan.image(run.place, vec![draft], ONE);
            self.whole.push((run.place, image));
        }
    }
}

/// The sets of one generation in a block.
struct Run {
    generation: Generation,
    /// Of its zone in the plan.
    place: usize,
    names: Names,
}

/// Puts sets together into names, which they come in order of.
struct Names {
    draft: Draft,
    broken: Broken,
    sets: Vec<RecordSet>,
}

impl Names {
    fn new(key: HashKey, zone: &Zone, broken: Broken) -> Self {
        Self {
            draft: Ok(ZoneDraft::new(key, &zone.id, &zone.name)),
            broken,
            sets: Vec::new(),
        }
    }

    /// Further names of a zone whose broken sets are refused.
    fn more(draft: Draft) -> Self {
        Self {
            draft,
            broken: Broken::Refuse,
            sets: Vec::new(),
        }
    }

    fn add(&mut self, set: RecordSet) {
        let last = self.sets.last();
        if last.is_some_and(|last| last.key.name != set.key.name) {
            self.next_name();
        }
        self.sets.push(set);
    }

    fn finish(mut self) -> Draft {
        self.next_name();
        self.draft
    }

    fn next_name(&mut self) {
        if let (Ok(draft), Some(first)) = (&mut self.draft, self.sets.first())
            && let Err(error) = draft.add(&first.key.name, &self.sets, self.broken)
        {
            self.draft = Err(error);
        }
        self.sets.clear();
    }
}

/// Reads blocks on this thread while threads on all cores, each with a share of the blocks, work
/// on them. At most [`WAITING`] blocks for each thread are in memory.
fn on_all_cores<B: Send, R: Send>(
    read: impl FnOnce(&mut dyn FnMut(B) -> ControlFlow<()>) -> Result<(), ReadError>,
    work: impl Fn(&mut dyn Iterator<Item = B>) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let threads = cores().get();
    let (give, take) = sync_channel(WAITING * threads);
    let take = Arc::new(Mutex::new(take));
    thread::scope(|scope| {
        let mut running = Vec::with_capacity(threads);
        for _ in 0..threads {
            let (take, work) = (Arc::clone(&take), &work);
            let work = move || work(&mut std::iter::from_fn(|| next(&take)));
            running.push(
                thread::Builder::new()
                    .name("load".to_owned())
                    .spawn_scoped(scope, work)?,
            );
        }
        // When no thread is left to take blocks, giving one must fail and not wait.
        drop(take);
        let read = read(&mut |block| match give.send(block) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
        drop(give);
        let shares: Result<Vec<R>> = running
            .into_iter()
            .map(|share| {
                share
                    .join()
                    .map_err(|_| anyhow!("a panic while building images"))?
            })
            .collect();
        read?;
        shares
    })
}

fn next<B>(take: &Mutex<Receiver<B>>) -> Option<B> {
    take.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}
