//! The outcomes of health checks at this node, as answers and people are told of them.

use std::collections::HashMap;

use meridian_log::{ReadError, Snapshot};
use meridian_model::{
    BreakGlass, HealthCheck, HealthSwitch, Observed, Standing, Timestamp, standings,
};

/// All checks, with their outcomes in the same order, and the switches that are in the journal.
pub(crate) struct Outcomes {
    pub(crate) checks: Vec<HealthCheck>,
    pub(crate) standings: Vec<Standing>,
    pub(crate) switches: Vec<HealthSwitch>,
}

/// The outcomes by what the tables hold and this node was handed directly. Nothing is probed yet,
/// so nothing is observed.
pub(crate) fn outcomes(
    snapshot: &Snapshot,
    break_glass: &[BreakGlass],
    now: Timestamp,
) -> Result<Outcomes, ReadError> {
    let checks = snapshot.health_checks()?;
    let switches = snapshot.health_switches()?;
    let observed = Observed {
        switches: &switches,
        break_glass,
        now,
        votes: &HashMap::new(),
    };
    let standings = standings(&checks, &observed);
    Ok(Outcomes {
        checks,
        standings,
        switches,
    })
}
