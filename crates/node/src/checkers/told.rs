//! What is told of checks to people and programs: the same in the event log, to webhooks and to
//! those who watch.

use meridian_model::HealthCheck;
use serde_json::{Value, json};

use crate::health::{subject, why};

use super::board::{Flip, Flips};

/// A check whose state became the other one.
pub(crate) fn flip(flips: &Flips, check: &HealthCheck, flip: &Flip) -> Value {
    let now = flip.standing.health;
    let said = if flip.said.is_empty() {
        String::new()
    } else {
        format!(": {}", flip.said)
    };
    json!({
        "at": time(flips.at.0),
        "check": check.id.as_str(),
        "account": check.account.as_str(),
        "type": check.config.check_type().as_str(),
        "checks": subject(check),
        "from": now.turned_round().as_str(),
        "to": now.as_str(),
        "why": why(check, &flip.standing, &said),
    })
}

/// A time to the millisecond, which is how far apart flips may be.
fn time(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    format!("{time:.3}")
}
