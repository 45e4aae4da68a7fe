//! Where the feed says which checks there are and how they stand, and checkers say what they found:
//! each side leaves the newest and takes the other's when it is ready, and neither waits.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use meridian_model::{Health, HealthCheck, HealthSlot, Standing, Timestamp};
use tokio::sync::broadcast;

/// How many batches of flips a listener may lag behind. One that lags further is told that it
/// missed some.
const FLIPS_KEPT: usize = 64;

/// The newest of both sides. It outlives a control plane that is closed and opened again.
pub(crate) struct Board {
    checks: Mutex<Arc<Posted>>,
    findings: Mutex<Arc<Findings>>,
    flips: broadcast::Sender<Arc<Flips>>,
}

/// All checks that there are, by id.
#[derive(Debug, Default)]
pub(crate) struct Posted {
    /// Another one whenever the checks are others.
    pub(crate) revision: u64,
    #[cfg_attr(not(test), expect(dead_code, reason = "checkers will come and use it"))]
    pub(crate) checks: Arc<Vec<HealthCheck>>,
}

/// What was found of the checks that are probed.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Another one whenever the votes are others.
    pub(crate) revision: u64,
    /// What the checkers together say of the checks in these places.
    pub(crate) votes: HashMap<HealthSlot, Health>,
}

/// Checks whose states became others, all at the same time.
#[derive(Debug)]
pub(crate) struct Flips {
    pub(crate) at: Timestamp,
    /// All checks that there are.
    pub(crate) checks: Arc<Vec<HealthCheck>>,
    /// By the ids of the checks.
    pub(crate) flips: Vec<Flip>,
}

/// A check whose state became the other one.
#[derive(Debug)]
pub(crate) struct Flip {
    /// Its place among the checks.
    pub(crate) check: usize,
    /// How it stands since.
    pub(crate) standing: Standing,
    /// What somebody said who switched it; else empty.
    pub(crate) said: String,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            checks: Mutex::default(),
            findings: Mutex::default(),
            flips: broadcast::Sender::new(FLIPS_KEPT),
        }
    }
}

impl Board {
    /// From now on there are these checks.
    pub(crate) fn post_checks(&self, checks: Arc<Vec<HealthCheck>>) {
        let mut posted = lock(&self.checks);
        let revision = posted.revision + 1;
        *posted = Arc::new(Posted { revision, checks });
    }

    /// The checks that there are.
    #[cfg_attr(not(test), expect(dead_code, reason = "checkers will come and use it"))]
    pub(crate) fn checks(&self) -> Arc<Posted> {
        Arc::clone(&lock(&self.checks))
    }

    /// This was found last. Says whether the votes are others than before.
    #[cfg_attr(not(test), expect(dead_code, reason = "checkers will come and use it"))]
    pub(crate) fn post_findings(&self, mut findings: Findings) -> bool {
        let before = self.findings();
        let differs = before.votes != findings.votes;
        findings.revision = before.revision + u64::from(differs);
        let before = mem::replace(&mut *lock(&self.findings), Arc::new(findings));
        // It may be large, and nobody should wait for it to be freed.
        drop(before);
        differs
    }

    /// What was found last.
    pub(crate) fn findings(&self) -> Arc<Findings> {
        Arc::clone(&lock(&self.findings))
    }

    /// States that are in answers became others.
    pub(crate) fn post_flips(&self, flips: Flips) {
        // Nobody may be listening.
        let _ = self.flips.send(Arc::new(flips));
    }

    /// What flips from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Flips>> {
        self.flips.subscribe()
    }
}

impl Flips {
    /// Each with its check.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&HealthCheck, &Flip)> {
        let known = |flip: &Flip| self.checks.get(flip.check);
        self.flips
            .iter()
            .filter_map(move |flip| Some((known(flip)?, flip)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
