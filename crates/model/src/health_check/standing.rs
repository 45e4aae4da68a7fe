//! What the outcome of a check is, and why. How it comes about is in `standings.rs`.

use super::{Health, HealthSlot};

/// A check's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub slot: HealthSlot,
    /// What it is.
    pub health: Health,
    /// By what it is decided.
    pub reason: Reason,
    /// It was turned round after that, because the check is inverted. Switches are not turned.
    pub turned_round: bool,
}

/// By what an outcome is decided. What comes first here is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A switch that this node was handed directly.
    BreakGlass,
    /// A switch in the journal.
    Switched,
    /// The check is disabled, which is healthy.
    Disabled,
    /// How many children are healthy, and have to be.
    Children {
        /// That are healthy.
        healthy: u16,
        /// That have to be.
        threshold: u16,
    },
    /// A routing control, which somebody turned so.
    RoutingControl,
    /// A routing control that nobody ever turned, which is off.
    UnturnedControl,
    /// What was observed.
    Observed,
    /// Nothing was observed of a metric, and the check says what that is to be.
    WithoutData,
    /// Nothing was observed yet, which is healthy.
    Unobserved,
}
