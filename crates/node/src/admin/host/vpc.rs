//! `meridian vpc`.

use anyhow::{Result, bail};
use meridian_control::NewVpc;
use meridian_model::{Network, NetworkError, Vpc};
use serde_json::{Value, json};

use super::Host;
use crate::admin::Command;

pub(super) fn carry_out(host: &Host, command: Command) -> Result<Value> {
    match command {
        Command::VpcCreate {
            id,
            region,
            account,
            network,
        } => create(host, id, region, account, &network),
        Command::VpcSet { id, network } => set(host, &id, &network),
        Command::VpcList { account } => list(host, account.as_deref()),
        Command::VpcShow { id } => show(host, &id),
        Command::VpcDelete { id } => delete(host, &id),
        _ => bail!("this is not about VPCs"),
    }
}

fn create(
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
    Ok(shown(&host.control()?.create_vpc(&new)?))
}

fn set(host: &Host, id: &str, networks: &[String]) -> Result<Value> {
    host.control()?.set_vpc_networks(id, &read(networks)?)?;
    Ok(shown(&host.control()?.vpc(id)?.0))
}

fn list(host: &Host, account: Option<&str>) -> Result<Value> {
    Ok(host.control()?.vpcs(account)?.iter().map(shown).collect())
}

fn show(host: &Host, id: &str) -> Result<Value> {
    let (vpc, zones) = host.control()?.vpc(id)?;
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

fn delete(host: &Host, id: &str) -> Result<Value> {
    host.control()?.delete_vpc(id)?;
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
