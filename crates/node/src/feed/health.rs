//! Which health checks are down, from what the tables know of them and this node was handed
//! directly. What is observed will come from probes.

use std::sync::Arc;

use meridian_answer::{HashKey, Health};
use meridian_log::{ReadError, Snapshot};
use meridian_model::{Reason, Standing, Timestamp};

use crate::break_glass::BreakGlassFile;
use crate::condition::{Condition, HealthCounts};
use crate::health::outcomes;

/// What the health of the World is made of beside the tables, and how much of it is in the World.
pub(super) struct Source {
    condition: Arc<Condition>,
    break_glass: Option<Arc<BreakGlassFile>>,
    /// The revision that was read.
    revision: u64,
    /// When what was read stops being so.
    until: Option<Timestamp>,
}

impl Source {
    /// The tables alone. What was read is told to `condition`.
    pub(super) fn new(condition: Arc<Condition>) -> Self {
        Self {
            condition,
            break_glass: None,
            revision: 0,
            until: None,
        }
    }

    /// Documents of this file too.
    pub(super) fn heed(&mut self, break_glass: Arc<BreakGlassFile>) {
        self.break_glass = Some(break_glass);
    }

    /// Where documents come from.
    pub(super) fn break_glass(&self) -> Option<&Arc<BreakGlassFile>> {
        self.break_glass.as_ref()
    }

    /// Whether a document came since it was read, or the time of one is over.
    pub(super) fn is_outdated(&self, now: Timestamp) -> bool {
        let Some(file) = &self.break_glass else {
            return false;
        };
        file.revision() != self.revision || self.until.is_some_and(|until| until <= now)
    }

    /// The checks that are down at this moment.
    pub(super) fn read(
        &mut self,
        snapshot: &Snapshot,
        key: HashKey,
        now: Timestamp,
    ) -> Result<Health, ReadError> {
        let mut documents = Vec::new();
        if let Some(file) = &self.break_glass {
            // A document that comes between the two is read again.
            self.revision = file.revision();
            documents = file.documents();
        }
        let times = documents.iter().map(|document| document.expires_at);
        self.until = times.filter(|time| *time > now).min();
        let outcomes = outcomes(snapshot, &documents, now)?;
        self.condition.health_is(count(&outcomes.standings));
        let down = outcomes.checks.iter().zip(&outcomes.standings);
        let down = down.filter(|(_, standing)| !standing.health.is_healthy());
        let ids = down.map(|(check, _)| check.id.as_str());
        Ok(Health::of_down(key, ids))
    }
}

fn count(standings: &[Standing]) -> HealthCounts {
    let mut counts = HealthCounts::default();
    for standing in standings {
        counts.healthy += usize::from(standing.health.is_healthy());
        counts.unhealthy += usize::from(!standing.health.is_healthy());
        counts.switched += usize::from(standing.reason == Reason::Switched);
        counts.break_glass += usize::from(standing.reason == Reason::BreakGlass);
    }
    counts
}
