//! `meridian health control`: routing controls, which checks of the type RECOVERY_CONTROL go by.

use anyhow::{Result, anyhow};
use meridian_control::ControlUse;
use meridian_model::ControlState;
use serde_json::{Value, json};

use super::{Host, time};

pub(super) fn list(host: &Host) -> Result<Value> {
    Ok(host
        .control()?
        .routing_controls()?
        .iter()
        .map(shown)
        .collect())
}

pub(super) fn turn(host: &Host, arn: &str, state: &str) -> Result<Value> {
    let state = ControlState::parse(state);
    let state = state.ok_or_else(|| anyhow!("a routing control is on or off"))?;
    let control = host.control()?.turn_routing_control(arn, state)?;
    Ok(json!({
        "arn": control.arn,
        "state": control.state.as_str(),
        "turned_at": time(control.at),
    }))
}

fn shown(known: &ControlUse) -> Value {
    let turned = known.turned.as_ref();
    let state = turned.map_or(ControlState::Off, |control| control.state);
    let checks = known.checks.iter().map(|id| id.as_str());
    json!({
        "arn": known.arn,
        "state": state.as_str(),
        "turned_at": turned.map(|control| time(control.at)),
        "turned_by": turned.map(|control| control.principal.as_str()),
        "checks": checks.collect::<Vec<_>>(),
    })
}
