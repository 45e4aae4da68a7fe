//! Where maps are built: what samples came to, kept on disk, and what becomes of a map that is
//! built. When that happens is the builder's business, and an operator's.

mod importing;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use meridian_atlas::{Atlas, LatencyMap, Regions};
use meridian_latency::import::{Format, Import, Reading, Record, Tables};
use meridian_latency::{
    Aggregate, AggregateSize, Ground, Hysteresis, Kind, Making, Matrix, Refused, Rules, Sample,
    Tally,
};

use crate::condition::Condition;
use crate::config;
use crate::visible;

use super::compile::{self, Built};
use super::files::{Folder, read_map};
use super::imported::{Digest, Imported};
use super::{Latency, Measured, Waiting, now_s};

pub(crate) use importing::{Beginning, Importing};

/// Samples of the queue that are taken together.
const MAX_LOT: usize = 4096;
/// How often what is too old is forgotten.
const TIDY_EVERY_S: u64 = 3600;

/// Builds maps of what was measured.
pub(crate) struct Workshop {
    condition: Arc<Condition>,
    folder: Folder,
    max_churn: f64,
    work: Mutex<Work>,
    /// What there was to build from when it was last looked at.
    told: Mutex<Stock>,
}

/// What maps are built from.
struct Work {
    aggregate: Aggregate,
    matrix: Matrix,
    hysteresis: Hysteresis,
    /// Samples that were taken since the start, by who measured them.
    taken: BTreeMap<Kind, u64>,
    /// The files that samples came out of, and those that they come out of now.
    imported: Imported,
    importing: Vec<Digest>,
    /// Something is not on the disk yet.
    is_changed: bool,
    tidied_s: u64,
}

impl Work {
    fn stock(&self) -> Stock {
        Stock {
            size: self.aggregate.size(),
            tally: *self.aggregate.tally(),
            newest_s: self.aggregate.newest_s(),
            taken: self.taken.clone(),
            pairs: self.matrix.len(),
            rules: *self.aggregate.rules(),
        }
    }
}

/// Samples that came together.
#[derive(Debug, Default)]
pub(crate) struct Lot {
    pub(crate) samples: Vec<Sample>,
    /// Between regions, in ms.
    pub(crate) pairs: Vec<(Box<str>, Box<str>, f32)>,
}

/// What became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) samples: u64,
    pub(crate) pairs: u64,
    pub(crate) refused: BTreeMap<Refused, u64>,
}

impl Taken {
    /// Together with others.
    pub(crate) fn add(&mut self, other: Self) {
        self.samples += other.samples;
        self.pairs += other.pairs;
        for (why, count) in other.refused {
            *self.refused.entry(why).or_default() += count;
        }
    }
}

/// What there is to build from.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    pub(crate) size: AggregateSize,
    pub(crate) tally: Tally,
    pub(crate) newest_s: Option<u64>,
    pub(crate) taken: BTreeMap<Kind, u64>,
    pub(crate) pairs: usize,
    pub(crate) rules: Rules,
}

/// What becomes of a map that was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Answers go by it.
    InUse,
    /// It waits for an operator.
    Waits,
}

impl Workshop {
    /// Opens what is kept in the data directory.
    pub(super) fn open(config: &config::Config, condition: &Arc<Condition>) -> Result<Self> {
        let folder = Folder::of(&config.data_dir);
        let rules = config.latency.rules();
        let (aggregate, imported) = stored(&folder, rules, condition.latency())?;
        let work = Work {
            aggregate,
            matrix: stored_matrix(&folder, condition.latency())?,
            hysteresis: Hysteresis::default(),
            taken: BTreeMap::new(),
            imported,
            importing: Vec::new(),
            is_changed: false,
            tidied_s: now_s(),
        };
        let workshop = Self {
            told: Mutex::new(work.stock()),
            work: Mutex::new(work),
            condition: Arc::clone(condition),
            folder,
            max_churn: f64::from(config.latency.max_churn_percent) / 100.0,
        };
        workshop.remember_waiting();
        Ok(workshop)
    }

    /// A map that waited before the start waits still, unless it is older than the one in use.
    fn remember_waiting(&self) {
        let in_use = self.condition.latency().map();
        let Ok(map) = read_map(&self.folder.waiting()) else {
            return;
        };
        if in_use.is_none_or(|old| old.build() < map.build()) {
            let (build, churn) = (map.build(), None);
            let waiting = Waiting { build, churn };
            self.tell(|now| now.waiting = Some(waiting));
        }
    }

    /// Takes samples.
    pub(crate) fn take(&self, lot: &Lot) -> Taken {
        let (atlas, regions) = self.places();
        let ground = Ground {
            atlas: &atlas,
            regions: &regions,
            now_s: now_s(),
        };
        let mut work = self.lock();
        let mut taken = Taken::default();
        for sample in &lot.samples {
            match work.aggregate.fold(sample, &ground) {
                Ok(()) => {
                    taken.samples += 1;
                    *work.taken.entry(sample.kind).or_default() += 1;
                }
                Err(refused) => *taken.refused.entry(refused).or_default() += 1,
            }
        }
        for (from, to, ms) in &lot.pairs {
            let known = |name: &str| regions.point(name).is_some();
            let inserted = match known(from) && known(to) {
                true => work.matrix.insert(from, to, *ms),
                false => Err(Refused::UnknownRegion),
            };
            match inserted {
                Ok(()) => taken.pairs += 1,
                Err(refused) => *taken.refused.entry(refused).or_default() += 1,
            }
        }
        work.is_changed |= taken.samples + taken.pairs > 0;
        taken
    }

    /// Takes what waits in the queue, for at most so long if that is nothing.
    pub(super) fn take_from(&self, queue: &Receiver<Measured>, wait: Duration) {
        let first = match queue.recv_timeout(wait) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        };
        let mut lot = Lot::default();
        for measured in [first].into_iter().chain(queue.try_iter().take(MAX_LOT)) {
            match measured {
                Measured::Sample(sample) => lot.samples.push(sample),
                Measured::Between { from, to, rtt_us } => {
                    let ms = Duration::from_micros(rtt_us.into()).as_secs_f32() * 1000.0;
                    lot.pairs.push((from, to, ms));
                }
            }
        }
        self.take(&lot);
    }

    /// Builds a map of what there is now; none where that is nothing.
    pub(crate) fn build(&self) -> Result<Option<(Built, Fate)>> {
        let outcome = self.try_build();
        match &outcome {
            Ok(_) => self.tell(|now| now.failure = None),
            Err(error) => {
                let text = format!("no latency map could be built: {error:#}");
                tracing::error!(%error, "{text}");
                self.tell(|now| now.failure = Some(text));
            }
        }
        outcome
    }

    fn try_build(&self) -> Result<Option<(Built, Fate)>> {
        let latency = self.condition.latency();
        let (atlas, regions) = self.places();
        let previous = latency.map();
        let mut work = self.lock();
        if work.aggregate.is_empty() && work.matrix.is_empty() {
            return Ok(None);
        }
        let at_s = now_s();
        work.aggregate.clock_says(at_s);
        // Also when the clock was set back.
        if at_s.abs_diff(work.tidied_s) >= TIDY_EVERY_S {
            work.aggregate.tidy(at_s);
            work.tidied_s = at_s;
        }
        let Work {
            aggregate,
            matrix,
            hysteresis,
            ..
        } = &mut *work;
        let making = Making {
            aggregate,
            matrix,
            ground: Ground {
                atlas: &atlas,
                regions: &regions,
                now_s: at_s,
            },
            previous: previous.as_deref(),
        };
        let compiled = compile::compile(&making, hysteresis, self.next_build())?;
        let built = compiled.built;
        let churn = built.report.churn.map_or(0.0, |churn| churn.most());
        let fate = if churn > self.max_churn {
            self.folder.put_waiting(&compiled.bytes)?;
            let build = built.build;
            tracing::warn!(
                build,
                churn,
                "latency map {build} would move {:.0} % of the clients: it waits for `meridian \
                 latency accept`",
                churn * 100.0
            );
            let churn = Some(churn);
            self.tell(|now| now.waiting = Some(Waiting { build, churn }));
            Fate::Waits
        } else {
            self.publish(compiled.map, &compiled.bytes)?;
            self.folder.drop_waiting()?;
            self.tell(|now| now.waiting = None);
            Fate::InUse
        };
        self.tell(|now| now.built = Some(built));
        self.save(&mut work)?;
        Ok(Some((built, fate)))
    }

    /// Takes the map that waits.
    pub(crate) fn accept(&self) -> Result<u64> {
        // Nothing is built meanwhile.
        let _work = self.lock();
        let latency = self.condition.latency();
        ensure!(latency.now().waiting.is_some(), "no latency map waits");
        let map = read_map(&self.folder.waiting())?;
        let build = map.build();
        if let Some(in_use) = latency.map().filter(|in_use| in_use.build() > build) {
            self.folder.drop_waiting()?;
            self.tell(|now| now.waiting = None);
            bail!(
                "the latency map that waited is build {build}, and build {} is in use by now",
                in_use.build()
            );
        }
        let bytes = std::fs::read(self.folder.waiting())?;
        self.publish(map, &bytes)?;
        self.folder.drop_waiting()?;
        self.tell(|now| now.waiting = None);
        tracing::info!(build, "latency map {build} was accepted");
        Ok(build)
    }

    /// Has answers go by a map.
    fn publish(&self, map: LatencyMap, bytes: &[u8]) -> Result<()> {
        let (latency, build) = (self.condition.latency(), map.build());
        self.folder.put_map(build, bytes)?;
        // Whoever looks for newer files may have been faster.
        match latency.take(map) {
            Err(why) if latency.map().is_none_or(|map| map.build() != build) => {
                bail!("latency map {build} is not taken: {why}")
            }
            _ => Ok(()),
        }
    }

    /// What there is to build from.
    pub(crate) fn stock(&self) -> Stock {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever asks does not wait for a build, and hears what there was before it.
        if let Ok(work) = self.work.try_lock() {
            *told = work.stock();
        }
        told.clone()
    }

    /// Puts on the disk what is not there yet.
    pub(crate) fn keep(&self) -> Result<()> {
        self.save(&mut self.lock())
    }

    fn save(&self, work: &mut Work) -> Result<()> {
        if !work.is_changed {
            return Ok(());
        }
        self.folder.put_aggregate(&work.aggregate.to_bytes())?;
        let mut lines = String::from("from,to,ms\n");
        for (from, to, ms) in work.matrix.iter() {
            lines.push_str(&format!("{from},{to},{ms}\n"));
        }
        self.folder.put_matrix(lines.as_bytes())?;
        work.is_changed = false;
        Ok(())
    }

    /// Higher than that of any map that there is or was refused.
    fn next_build(&self) -> u64 {
        let now = self.condition.latency().now();
        let in_use = now.map.map_or(0, |map| map.build());
        let waiting = now.waiting.map_or(0, |waiting| waiting.build);
        let files = self.folder.maps();
        let newest = files.first().map_or(0, |(build, _)| *build);
        in_use.max(waiting).max(newest).saturating_add(1)
    }

    fn places(&self) -> (Arc<Atlas>, Arc<Regions>) {
        let atlas = self.condition.geo().atlas();
        (atlas, self.condition.latency().regions())
    }

    fn tell<T>(&self, change: impl FnOnce(&mut super::Now) -> T) -> T {
        self.condition.latency().tell(change)
    }

    /// A lot that panicked may be half in: samples are many, and one more or less is nothing.
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What samples came to before the start, and which files they were from. What cannot be read is put
/// aside, whyever that is: answers do not wait for anybody to look at it.
fn stored(folder: &Folder, rules: Rules, latency: &Latency) -> Result<(Aggregate, Imported)> {
    let parse = |bytes: &[u8]| Ok(Aggregate::from_bytes(bytes, rules)?);
    let aggregate = match read_with(folder.aggregate(), parse) {
        Ok(aggregate) => aggregate,
        Err(error) => {
            let aside = folder.put_aggregate_aside()?;
            tell_aside("what latency samples came to was", &aside, &error, latency);
            None
        }
    };
    let Some(aggregate) = aggregate else {
        // What files came to is not there any more: they may be taken anew.
        folder.drop_imported()?;
        return Ok((Aggregate::new(rules), Imported::default()));
    };
    let imported = match read_with(folder.imported(), Imported::read) {
        Ok(imported) => imported,
        Err(error) => {
            let aside = folder.put_imported_aside()?;
            tell_aside("which files were imported was", &aside, &error, latency);
            None
        }
    };
    Ok((aggregate, imported.unwrap_or_default()))
}

/// Round trips between regions as they were before the start, likewise.
fn stored_matrix(folder: &Folder, latency: &Latency) -> Result<Matrix> {
    match read_with(folder.matrix(), matrix) {
        Ok(matrix) => Ok(matrix.unwrap_or_default()),
        Err(error) => {
            let aside = folder.put_matrix_aside()?;
            tell_aside("round trips between regions were", &aside, &error, latency);
            Ok(Matrix::default())
        }
    }
}

/// What a file says, if it is there.
fn read_with<T>(
    file: Result<Option<Vec<u8>>>,
    parse: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<Option<T>> {
    file?.map(|bytes| parse(&bytes)).transpose()
}

fn tell_aside(what: &str, aside: &Path, error: &anyhow::Error, latency: &Latency) {
    let aside = visible::text(&aside.display().to_string()).into_owned();
    let text = format!("{what} put aside as {aside}: {error:#}");
    tracing::error!(%error, "{text}");
    latency.tell(|now| now.failure = Some(text));
}

fn matrix(bytes: &[u8]) -> Result<Matrix> {
    let mut matrix = Matrix::default();
    let reading = Reading {
        format: Format::Matrix,
        now_s: 0,
        regions: Regions::empty(),
        tables: Tables::default(),
        key: [0; 16],
    };
    for record in Import::new(Cursor::new(bytes), reading) {
        if let Record::Pair { from, to, ms } = record? {
            matrix.insert(&from, &to, ms)?;
        }
    }
    Ok(matrix)
}
