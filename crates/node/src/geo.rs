//! Who is where, as this process knows it: the countries that come with the program, and files of
//! addresses that an operator names. What they mean is the business of `atlas`.

mod files;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use meridian_atlas::Atlas;

use crate::condition::Condition;
use crate::config;

use files::Files;
use watch::Watch;

/// The atlas that is in use, and how it came about.
#[derive(Debug, Default)]
pub(crate) struct Geo(Mutex<Now>);

/// What there is to be told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Now {
    pub(crate) atlas: Arc<Atlas>,
    /// When it was made, and how long that took.
    pub(crate) made: Option<(SystemTime, Duration)>,
    /// Why it is not made of the files as they are now.
    pub(crate) failure: Option<String>,
    /// How often all files were read, and how often some could not.
    pub(crate) whole: u64,
    pub(crate) failures: u64,
}

impl Geo {
    /// All of it.
    pub(crate) fn now(&self) -> Now {
        self.lock().clone()
    }

    /// The atlas alone. Another one says that it is not the same any more.
    pub(crate) fn atlas(&self) -> Arc<Atlas> {
        Arc::clone(&self.lock().atlas)
    }

    /// Why lookups do not find what is in the files.
    pub(crate) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    /// There is a new atlas, though perhaps not of all files.
    pub(crate) fn is_now(&self, atlas: Atlas, took: Duration, failure: Option<String>) {
        let mut now = self.lock();
        let old = std::mem::replace(&mut now.atlas, Arc::new(atlas));
        now.made = Some((SystemTime::now(), took));
        match failure {
            None => now.whole += 1,
            Some(_) => now.failures += 1,
        }
        now.failure = failure;
        drop(now);
        // Freeing it takes a while, which nobody should wait for.
        drop(old);
    }

    /// There should be a new one, but the old one stays.
    fn stays(&self, failure: String) {
        let mut now = self.lock();
        now.failures += 1;
        now.failure = Some(failure);
    }

    /// What is in it is replaced as a whole, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first reading, which goes on beside other work.
pub(crate) struct Reading(mpsc::Receiver<()>);

impl Reading {
    /// Waits until `condition` has the atlas. Whoever answers before that answers everybody as if
    /// they were nowhere.
    pub(crate) fn wait(self) -> Result<()> {
        let ended = self.0.recv();
        ended.context("the thread that reads who is where has ended, which is a fault of ours")
    }
}

/// Reads what is configured in a thread of its own, tells it to `condition`, and does so again when
/// it has changed.
pub(crate) fn start(config: &config::Geo, condition: &Arc<Condition>) -> Result<Reading> {
    let (read, reading) = mpsc::channel();
    Watch::spawn(Files::new(config), condition, read)?;
    Ok(Reading(reading))
}
