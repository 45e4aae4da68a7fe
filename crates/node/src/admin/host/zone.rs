//! Zones and changes, as operators see them.

use anyhow::Result;
use jiff::Timestamp;
use meridian_control::{ZoneDetail, ZoneFilter};
use meridian_dns::Name;
use meridian_model::ZoneId;
use serde_json::{Map, Value, json};

use super::Host;

pub(super) fn list(host: &Host, account: Option<String>, name: Option<String>) -> Result<Value> {
    let zones = host.control()?.zones(&ZoneFilter { account, name })?;
    let shown = zones.iter().map(|zone| {
        json!({
            "id": zone.zone.id.as_str(),
            "name": zone.zone.name.to_string(),
            "account": zone.account_name,
            "record_sets": zone.record_sets,
            "private": zone.zone.private,
            "status": zone.status.as_str(),
        })
    });
    Ok(shown.collect())
}

pub(super) fn show(host: &Host, zone: &str) -> Result<Value> {
    Ok(detail(&host.control()?.zone(zone)?))
}

pub(super) fn find(host: &Host, zone: &str, account: Option<&str>) -> Result<Value> {
    let found = host.control()?.find_zone(zone, account)?;
    Ok(json!({ "id": found.id.as_str(), "name": found.name.to_string() }))
}

pub(super) fn provide_delegation_set(
    host: &Host,
    account: &str,
    caller_reference: &str,
) -> Result<Value> {
    let set = host
        .control()?
        .provide_delegation_set(account, caller_reference)?;
    let servers = set.name_servers.iter().map(Name::to_string);
    Ok(json!({ "id": set.id.as_str(), "name_servers": servers.collect::<Vec<_>>() }))
}

pub(super) fn show_change(host: &Host, id: &str) -> Result<Value> {
    let found = host.control()?.change_detail(id)?;
    Ok(json!({
        "id": found.change.id.as_str(),
        "zone": found.change.zone.as_ref().map(ZoneId::as_str),
        "account": found.change.account.as_str(),
        "submitted_at": time(found.change.submitted_at),
        "comment": found.change.comment,
        "entry": found.seq.0,
        "status": found.status.as_str(),
    }))
}

/// All that is known about a zone.
pub(super) fn detail(found: &ZoneDetail) -> Value {
    let zone = &found.zone;
    let servers = zone.delegation_set.name_servers.iter();
    let vpcs = zone
        .vpcs
        .iter()
        .map(|vpc| json!({ "id": vpc.id.as_str(), "region": vpc.region.as_str() }));
    let tags: Map<String, Value> = found
        .tags
        .iter()
        .map(|tag| (tag.key.clone(), tag.value.as_str().into()))
        .collect();
    json!({
        "id": zone.id.as_str(),
        "name": zone.name.to_string(),
        "account": zone.account.as_str(),
        "account_name": found.account_name,
        "caller_reference": zone.caller_reference,
        "comment": zone.comment,
        "private": zone.private,
        "vpcs": vpcs.collect::<Value>(),
        "tags": tags,
        "name_servers": servers.map(Name::to_string).collect::<Vec<_>>(),
        "delegation_set": zone.delegation_set.id.as_ref().map(ToString::to_string),
        "created_at": time(zone.created_at),
        "record_sets": found.record_sets,
        "changed_in_entry": found.changed_in.0,
        "changed_at": found.changed.as_ref().map(|(at, _)| time(*at)),
        "changed_by": found.changed.as_ref().map(|(_, by)| by),
        "status": found.status.as_str(),
    })
}

fn time(at: meridian_model::Timestamp) -> Option<String> {
    let at = Timestamp::from_millisecond(at.0).ok()?;
    Some(at.to_string())
}
