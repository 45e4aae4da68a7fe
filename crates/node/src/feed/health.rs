//! Which health checks are down, from what the tables know of them and this node was handed
//! directly. What is observed will come from probes.

use std::sync::Arc;

use meridian_answer::{HashKey, Health};
use meridian_log::{ReadError, Snapshot};
use meridian_model::Timestamp;

use crate::break_glass::BreakGlassFile;
use crate::health::outcomes;

/// What the health of the World is made of beside the tables, and how much of it is in the World.
#[derive(Default)]
pub(super) struct Source {
    break_glass: Option<Arc<BreakGlassFile>>,
    /// The revision that was read.
    revision: u64,
    /// When what was read stops being so.
    until: Option<Timestamp>,
}

impl Source {
    /// With documents of this file.
    pub(super) fn of(break_glass: Arc<BreakGlassFile>) -> Self {
        Self {
            break_glass: Some(break_glass),
            ..Self::default()
        }
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
        let down = outcomes.checks.iter().zip(&outcomes.standings);
        let down = down.filter(|(_, standing)| !standing.health.is_healthy());
        let ids = down.map(|(check, _)| check.id.as_str());
        Ok(Health::of_down(key, ids))
    }
}
