//! `meridian target`.

use anyhow::{Context, Result, ensure};
use meridian_dns::Name;
use serde_json::{Value, json};

use super::Host;
use crate::targets::{Network, Target};

pub(super) fn list(host: &Host) -> Result<Value> {
    Ok(host.targets.list().iter().map(shown).collect())
}

/// All types of one name.
pub(super) fn show(host: &Host, name: &str) -> Result<Value> {
    let name = Name::parse(name).with_context(|| format!("'{name}' is no name"))?;
    let name = name.to_lowercase();
    let all = host.targets.list();
    let named: Vec<Value> = all
        .iter()
        .filter(|target| target.name == name)
        .map(shown)
        .collect();
    ensure!(
        !named.is_empty(),
        "no alias points to {name} as an external target"
    );
    Ok(named.into())
}

fn shown(target: &Target) -> Value {
    let network = |own: &Network| json!({ "network": own.network, "data": own.data });
    json!({
        "name": target.name.to_string(),
        "type": target.rtype.as_str(),
        "state": target.state,
        "data": target.data,
        "needs": target.needs.iter().map(|needs| needs.as_str()).collect::<Vec<_>>(),
        "networks": target.networks.iter().map(network).collect::<Vec<_>>(),
        "ttl_s": target.ttl_s,
        "age_s": target.age_s,
        "source": target.source,
        "failures": target.failures,
        "last_error": target.last_error,
        "next_s": target.next_s,
    })
}
