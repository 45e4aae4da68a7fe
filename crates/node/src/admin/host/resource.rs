//! `meridian resource`.

use anyhow::{Result, bail};
use meridian_control::{OwnedResource, ResourceRequest};
use serde_json::{Value, json};

use super::Host;
use crate::admin::Command;

pub(super) fn carry_out(host: &Host, command: Command) -> Result<Value> {
    match command {
        Command::ResourceList { account } => {
            let resources = host.control()?.resources(account.as_deref())?;
            Ok(resources.iter().map(|owned| shown(host, owned)).collect())
        }
        Command::ResourceShow { account, name } => {
            let owned = host.control()?.resource(account.as_deref(), &name)?;
            Ok(shown(host, &owned))
        }
        Command::ResourceAdd {
            account,
            name,
            region,
            health_check,
        } => {
            let request = ResourceRequest {
                account,
                name,
                region,
                health_check,
            };
            let owned = host.control()?.add_resource(&request)?;
            Ok(shown(host, &owned))
        }
        Command::ResourceRemove { account, name } => {
            let gone = host.control()?.remove_resource(account.as_deref(), &name)?;
            Ok(json!({ "removed": gone.name.to_string() }))
        }
        _ => bail!("this is not about resources"),
    }
}

fn shown(host: &Host, owned: &OwnedResource) -> Value {
    let resource = &owned.resource;
    let state = resource.health_check.as_ref().map(|id| {
        // What was deleted counts as healthy, as with record sets.
        let state = host.board.state();
        let found = state.of(id.as_str());
        found.map_or("gone", |(_, standing)| standing.health.as_str())
    });
    json!({
        "name": resource.name.to_string(),
        "region": resource.region.as_str(),
        "health_check": resource.health_check.as_ref().map(ToString::to_string),
        "state": state,
        "account": owned.account_name,
    })
}
