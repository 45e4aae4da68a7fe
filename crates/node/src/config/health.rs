//! Settings of health checks at this node.

use anyhow::{Result, ensure};
use serde::Deserialize;

/// A shorter event log would hardly hold what flips at once.
const EVENT_LOG_MIN_BYTES: u64 = 64 * 1024;

/// `[health]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Health {
    /// As long as the event log may become before another is begun; 0 is no event log.
    event_log_max_bytes: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            event_log_max_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Health {
    /// As long as the event log may become, if there is one.
    pub(crate) fn event_log_bytes(&self) -> Option<u64> {
        Some(self.event_log_max_bytes).filter(|bytes| *bytes > 0)
    }

    /// Whether it can be as it is configured.
    pub(super) fn check(&self) -> Result<()> {
        let len = self.event_log_max_bytes;
        ensure!(
            len == 0 || len >= EVENT_LOG_MIN_BYTES,
            "health.event_log_max_bytes is {len}; at least {EVENT_LOG_MIN_BYTES}, or 0 for no log"
        );
        Ok(())
    }
}
