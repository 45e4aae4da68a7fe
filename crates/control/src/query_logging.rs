//! Whether zones' owners may have their queries logged on this machine.

use crate::control::Control;

/// What the operator says to query logging configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueryLogging {
    /// None are made.
    #[default]
    Refused,
    /// They are made, and kept to by the node.
    Allowed,
}

impl Control {
    /// The same, with query logging configurations allowed or not.
    #[must_use]
    pub fn with_query_logging(mut self, query_logging: QueryLogging) -> Self {
        self.query_logging = query_logging;
        self
    }
}
