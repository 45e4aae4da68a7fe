//! Which health checks are down, from what the tables know of them. What is observed will come from
//! probes.

use std::collections::HashMap;

use meridian_answer::{HashKey, Health};
use meridian_log::{ReadError, Snapshot};
use meridian_model::{Observed, Timestamp, standings};

/// The checks that are down by what is written in the journal.
pub(super) fn read(snapshot: &Snapshot, key: HashKey) -> Result<Health, ReadError> {
    let (checks, switches) = (snapshot.health_checks()?, snapshot.health_switches()?);
    let observed = Observed {
        switches: &switches,
        break_glass: &[],
        // Nothing of this depends on the time: only documents expire.
        now: Timestamp(0),
        votes: &HashMap::new(),
    };
    let standings = standings(&checks, &observed);
    let down = checks.iter().zip(&standings);
    let down = down.filter(|(_, standing)| !standing.health.is_healthy());
    let ids = down.map(|(check, _)| check.id.as_str());
    Ok(Health::of_down(key, ids))
}
