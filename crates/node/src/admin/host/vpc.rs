//! `meridian vpc`.

use anyhow::Result;
use meridian_control::NewVpc;
use meridian_model::{Network, NetworkError, Vpc};
use serde_json::{Value, json};

use super::Host;

pub(super) fn create(
    host: &Host,
    id: Option<String>,
    region: String,
    account: String,
    networks: &[String],
) -> Result<Value> {
    let new = NewVpc {
        id,
        region,
        account,
        networks: read(networks)?,
    };
    Ok(shown(&host.control.create_vpc(&new)?))
}

pub(super) fn set(host: &Host, id: &str, networks: &[String]) -> Result<Value> {
    host.control.set_vpc_networks(id, &read(networks)?)?;
    Ok(shown(&host.control.vpc(id)?.0))
}

pub(super) fn list(host: &Host, account: Option<&str>) -> Result<Value> {
    Ok(host.control.vpcs(account)?.iter().map(shown).collect())
}

pub(super) fn show(host: &Host, id: &str) -> Result<Value> {
    let (vpc, zones) = host.control.vpc(id)?;
    let mut value = shown(&vpc);
    let zones = zones.iter().map(|zone| {
        json!({
            "id": zone.id.as_str(),
            "name": zone.name.to_string(),
            "account": zone.account.as_str(),
        })
    });
    value["zones"] = zones.collect();
    Ok(value)
}

pub(super) fn delete(host: &Host, id: &str) -> Result<Value> {
    host.control.delete_vpc(id)?;
    Ok(json!({ "deleted": id }))
}

fn read(networks: &[String]) -> Result<Vec<Network>, NetworkError> {
    networks.iter().map(|text| text.parse()).collect()
}

fn shown(vpc: &Vpc) -> Value {
    let networks: Vec<String> = vpc.networks.iter().map(Network::to_string).collect();
    json!({
        "id": vpc.id.as_str(),
        "region": vpc.region.as_str(),
        "account": vpc.account.as_str(),
        "networks": networks,
    })
}
