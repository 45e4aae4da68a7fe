//! What is known of host names elsewhere that aliases point to, as answers go by it.

use std::sync::Arc;

use meridian_answer::{ExternalTargets, HashKey};

use crate::targets::Targets;

/// Where it comes from, and how much of it is in the World.
pub(super) struct Source {
    targets: Arc<Targets>,
    /// The state that was read.
    revision: Option<u64>,
}

impl Source {
    pub(super) fn new(targets: Arc<Targets>) -> Self {
        Self {
            targets,
            revision: None,
        }
    }

    /// What is known now, if that is something else than what was read last.
    pub(super) fn newer(&mut self, key: HashKey) -> Option<ExternalTargets> {
        (self.revision != Some(self.targets.revision())).then(|| self.read(key))
    }

    /// What is known now.
    pub(super) fn read(&mut self, key: HashKey) -> ExternalTargets {
        // Before the targets: what comes in between is read again.
        self.revision = Some(self.targets.revision());
        ExternalTargets::of(key, self.targets.for_answers())
    }
}
