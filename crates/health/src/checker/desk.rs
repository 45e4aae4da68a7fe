//! What others see of a checker: its newest table, what it saw of each check last, how it fares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meridian_model::{HealthSlot, Timestamp};
use tokio::sync::watch;

use crate::probe::{Observation, Unable};
use crate::register::CheckerName;
use crate::table::Conduct;

/// Where a checker lays what it finds. It holds one entry for each check that was probed.
#[derive(Debug)]
pub struct Desk {
    name: CheckerName,
    table: watch::Sender<Arc<[u8]>>,
    seen: Mutex<HashMap<HealthSlot, Seen>>,
    workload: Mutex<Workload>,
}

/// What a checker saw of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Last.
    pub last: Sight,
    /// The last time that it was not healthy.
    pub last_failure: Option<Sight>,
}

/// An observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// What was observed.
    pub observation: Observation,
    /// When.
    pub at: Timestamp,
}

/// How a checker fares, as of its last table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// How many checks it probes.
    pub checks: usize,
    /// How many probes are under way.
    pub under_way: usize,
    /// How many probes said something, since it began.
    pub probed: u64,
    /// How many were put off by an interval because too many others were under way.
    pub put_off: u64,
    /// How many this machine was unable to make.
    pub unable: u64,
    /// Why, the last time.
    pub last_unable: Option<Unable>,
    /// By how much the most overdue check is.
    pub overdue: Duration,
    /// How late its own loop was at worst of late.
    pub lateness: Duration,
    /// Whether it stands by its opinions.
    pub conduct: Conduct,
    /// It has no number for another table, as none could be kept on the disk.
    pub is_silent: bool,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            checks: 0,
            under_way: 0,
            probed: 0,
            put_off: 0,
            unable: 0,
            last_unable: None,
            overdue: Duration::ZERO,
            lateness: Duration::ZERO,
            conduct: Conduct::Votes,
            is_silent: false,
        }
    }
}

impl Desk {
    pub(super) fn new(name: CheckerName) -> Self {
        Self {
            name,
            table: watch::Sender::new(Arc::from([])),
            seen: Mutex::default(),
            workload: Mutex::default(),
        }
    }

    /// Whose it is.
    pub const fn name(&self) -> &CheckerName {
        &self.name
    }

    /// The newest table, and each that follows; no bytes as long as there is none.
    pub fn tables(&self) -> watch::Receiver<Arc<[u8]>> {
        self.table.subscribe()
    }

    /// What was seen of the check in this place.
    pub fn observations(&self, slot: HealthSlot) -> Option<Seen> {
        lock(&self.seen).get(&slot).copied()
    }

    /// How the checker fares.
    pub fn workload(&self) -> Workload {
        *lock(&self.workload)
    }

    pub(super) fn note(&self, slot: HealthSlot, sight: Sight) {
        let mut seen = lock(&self.seen);
        let failed = (!sight.observation.found.is_healthy()).then_some(sight);
        let before = seen.get(&slot).and_then(|seen| seen.last_failure);
        let now = Seen {
            last: sight,
            last_failure: failed.or(before),
        };
        seen.insert(slot, now);
    }

    pub(super) fn forget(&self, slot: HealthSlot) {
        lock(&self.seen).remove(&slot);
    }

    pub(super) fn issue(&self, table: Option<Vec<u8>>, workload: &Workload) {
        *lock(&self.workload) = *workload;
        if let Some(table) = table {
            self.table.send_replace(table.into());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
