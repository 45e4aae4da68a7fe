//! What is told of checks to people and programs: the same in the event log, to webhooks and to
//! those who watch.

use meridian_model::{HealthCheck, Standing, Timestamp};
use serde_json::{Value, json};

use crate::health::{subject, why};

use super::board::State;

/// A check whose state became the other one.
pub(crate) fn flip(at: Timestamp, state: &State, check: &HealthCheck, now: &Standing) -> Value {
    json!({
        "at": time(at),
        "check": check.id.as_str(),
        "account": check.account.as_str(),
        "type": check.config.check_type().as_str(),
        "checks": subject(check),
        "from": now.health.turned_round().as_str(),
        "to": now.health.as_str(),
        "why": reason(state, check, now),
    })
}

/// A check as it stands.
pub(crate) fn row(state: &State, check: &HealthCheck, standing: &Standing) -> Value {
    json!({
        "id": check.id.as_str(),
        "type": check.config.check_type().as_str(),
        "checks": subject(check),
        "state": standing.health.as_str(),
        "why": reason(state, check, standing),
    })
}

/// Why a check stands as it does, in a few words.
pub(crate) fn reason(state: &State, check: &HealthCheck, standing: &Standing) -> String {
    let said = state.said.get(&check.id);
    let said = said.map(|said| format!(": {said}"));
    why(check, standing, &said.unwrap_or_default())
}

/// A time to the millisecond, which is how far apart flips may be.
fn time(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{time:.3}")
}
