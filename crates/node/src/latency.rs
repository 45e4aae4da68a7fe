//! How fast regions are for clients, as this process knows it: the map that answers go by, the
//! samples that maps are built from, and the files of both. What samples mean is the business of
//! crate `latency`, what a map says that of `atlas`.

mod builder;
mod compared;
mod compile;
mod files;
mod imported;
pub(crate) mod reading;
mod sink;
#[cfg(test)]
mod tests;
mod watch;
pub(crate) mod wire;
mod workshop;

use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use meridian_atlas::{LatencyMap, Regions};

use crate::condition::Condition;

pub(crate) use builder::Builder;
pub(crate) use compared::{compared, whole};
pub(crate) use compile::Built;
pub(crate) use files::{Folder, read_map};
pub(crate) use imported::Digest;
pub(crate) use sink::{Measured, Sink};
pub(crate) use workshop::{Beginning, Fate, Importing, Lot, Taken, Workshop};

use watch::Watch;

/// What is known, told by those who know.
pub(crate) struct Latency {
    now: Mutex<Now>,
    regions: Mutex<Arc<Regions>>,
    sink: Sink,
    /// Where maps are built, while they are.
    workshop: Mutex<Weak<Workshop>>,
    queue: Queue,
}

/// What was measured and not yet taken. Whoever builds maps has it while it does.
pub(crate) type Queue = Arc<Mutex<Receiver<Measured>>>;

/// What there is to be told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Now {
    /// The map that answers go by; without one they go by distance.
    pub(crate) map: Option<Arc<LatencyMap>>,
    /// One that would move so many clients that somebody has to accept it.
    pub(crate) waiting: Option<Waiting>,
    /// Why a file is not taken that is newer than the map.
    pub(crate) refused: Option<String>,
    /// Why there is no newer map, or samples are not kept.
    pub(crate) failure: Option<String>,
    /// What the last build found.
    pub(crate) built: Option<Built>,
    /// How often a map was taken, and how often one was refused.
    pub(crate) taken: u64,
    pub(crate) refusals: u64,
}

/// A map that waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) build: u64,
    /// The part of the clients that it would move; not known any more after a restart.
    pub(crate) churn: Option<f64>,
}

impl Default for Latency {
    fn default() -> Self {
        let (sink, queue) = sink::open();
        Self {
            now: Mutex::default(),
            regions: Mutex::default(),
            sink,
            workshop: Mutex::default(),
            queue: Arc::new(Mutex::new(queue)),
        }
    }
}

impl Latency {
    /// All of it.
    pub(crate) fn now(&self) -> Now {
        self.lock().clone()
    }

    /// The map alone. Another one says that it is not the same any more.
    pub(crate) fn map(&self) -> Option<Arc<LatencyMap>> {
        self.lock().map.clone()
    }

    /// Where samples from elsewhere go in.
    pub(crate) fn sink(&self) -> &Sink {
        &self.sink
    }

    /// Where they come out again.
    pub(crate) fn queue(&self) -> Queue {
        Arc::clone(&self.queue)
    }

    /// Where maps are built, if they are built here.
    pub(crate) fn workshop(&self) -> Option<Arc<Workshop>> {
        let workshop = self.workshop.lock();
        workshop.unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// Maps are built there from now on.
    fn built_at(&self, workshop: &Arc<Workshop>) {
        let mut known = self.workshop.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::downgrade(workshop);
    }

    /// Where regions are: those of AWS and the operator's own.
    pub(crate) fn regions(&self) -> Arc<Regions> {
        let regions = self.regions.lock();
        Arc::clone(&regions.unwrap_or_else(PoisonError::into_inner))
    }

    /// Where they are from now on.
    pub(crate) fn regions_are(&self, regions: Regions) {
        let mut now = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(regions);
    }

    /// What is wrong, for those who run this process.
    pub(crate) fn notes(&self) -> Vec<String> {
        let now = self.lock();
        let waiting = now.waiting.map(|waiting| {
            let share = waiting.churn.map_or_else(
                || "too many".to_owned(),
                |churn| format!("{:.0} %", churn * 100.0),
            );
            format!(
                "latency map {} would move {share} of the clients and waits for `meridian latency \
                 accept`",
                waiting.build
            )
        });
        let told = [waiting, now.refused.clone(), now.failure.clone()];
        told.into_iter().flatten().collect()
    }

    /// Takes a map, if it is newer than the one in use.
    fn take(&self, map: LatencyMap) -> Result<(), String> {
        let mut now = self.lock();
        if let Some(old) = &now.map
            && old.build() >= map.build()
        {
            return Err(format!(
                "it is build {}, and build {} is in use",
                map.build(),
                old.build()
            ));
        }
        let old = now.map.replace(Arc::new(map));
        now.taken += 1;
        drop(now);
        // Freeing it takes a while, which nobody should wait for.
        drop(old);
        Ok(())
    }

    /// Changes what is told.
    fn tell<T>(&self, change: impl FnOnce(&mut Now) -> T) -> T {
        change(&mut self.lock())
    }

    /// What is in it is replaced as a whole, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first reading of the map, which goes on beside other work.
pub(crate) struct Reading(Receiver<()>);

impl Reading {
    /// Waits until `condition` has the map, if there is one. Whoever answers before that answers by
    /// distance.
    pub(crate) fn wait(self) -> Result<()> {
        let ended = self.0.recv();
        ended.context("the thread that reads latency maps has ended, which is a fault of ours")
    }
}

/// Reads the newest map in a thread of its own, tells it to `condition`, and does so again when
/// there is a newer one.
pub(crate) fn start(data_dir: &Path, condition: &Arc<Condition>) -> Result<Reading> {
    let (read, reading) = mpsc::channel();
    Watch::spawn(Folder::of(data_dir), condition, read)?;
    Ok(Reading(reading))
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.unwrap_or_default().as_secs()
}
