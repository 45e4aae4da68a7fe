//! `meridian agent add`, `list` and `remove`.

use anyhow::Result;
use serde_json::{Value, json};

use super::Host;
use crate::beacon::Agent;

/// With the agent's secret key, which is told this once.
pub(super) fn add(host: &Host, name: &str, region: Option<&str>) -> Result<Value> {
    let secret_key = host.agents.add(name, region)?;
    Ok(json!({ "name": name, "region": region, "secret_key": secret_key }))
}

pub(super) fn list(host: &Host) -> Result<Value> {
    let agents = host.agents.list()?;
    Ok(agents.iter().map(shown).collect())
}

pub(super) fn remove(host: &Host, name: &str) -> Result<Value> {
    host.agents.remove(name)?;
    Ok(json!({ "removed": name }))
}

fn shown(agent: &Agent) -> Value {
    let Agent {
        name,
        region,
        public_key,
    } = agent;
    json!({ "name": name, "region": region, "public_key": public_key })
}
