//! `meridian nameserver`.

use std::net::IpAddr;

use anyhow::{Result, bail};
use meridian_dns::Name;
use serde_json::{Value, json};

use super::Host;

pub(super) fn list(host: &Host) -> Result<Value> {
    let servers = host.control()?.name_servers()?;
    let shown = servers
        .iter()
        .map(|server| json!({ "name": server.name.to_string(), "addresses": server.addresses }));
    Ok(shown.collect())
}

pub(super) fn add(host: &Host, name: &str, addresses: &[IpAddr]) -> Result<Value> {
    let name = pool_name(host, name, Known::No)?;
    host.control()?.put_name_server(&name, addresses)?;
    list(host)
}

pub(super) fn set(host: &Host, name: &str, addresses: &[IpAddr]) -> Result<Value> {
    let name = pool_name(host, name, Known::Yes)?;
    host.control()?.put_name_server(&name, addresses)?;
    list(host)
}

pub(super) fn remove(host: &Host, name: &str) -> Result<Value> {
    let name = pool_name(host, name, Known::Yes)?;
    host.control()?.delete_name_server(&name)?;
    list(host)
}

/// Whether a command is about a name that the pool has.
#[derive(Clone, Copy)]
enum Known {
    Yes,
    No,
}

fn pool_name(host: &Host, text: &str, wanted: Known) -> Result<Name> {
    let name = Name::parse(text)?.to_lowercase();
    let known = host
        .control()?
        .name_servers()?
        .iter()
        .any(|server| server.name == name);
    match wanted {
        Known::No if known => bail!("the pool has {name} already; use `nameserver set`"),
        Known::Yes if !known => bail!("the pool has no {name}; see `nameserver list`"),
        _ => Ok(name),
    }
}
