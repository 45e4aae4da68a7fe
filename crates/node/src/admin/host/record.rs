//! `meridian record`.

use anyhow::{Context, Result, anyhow, bail};
use meridian_control::{
    ChangedRecords, ExistingRecord, RecordAddition, RecordPolicy, RecordRemoval, RecordTarget,
    RemovalExtent, TargetHealth,
};
use meridian_dns::{Name, RecordType};
use meridian_model::{FailoverRole, GeoLocation, SetKey};
use serde_json::{Value, json};

use super::super::command::{PolicyWords, RecordAddCommand, RecordRemoveCommand};
use super::Host;
use crate::admin::Command;
use crate::transfer::JsonSet;

pub(super) fn carry_out(host: &Host, command: Command) -> Result<Value> {
    match command {
        Command::RecordAdd(command) => add(host, *command),
        Command::RecordRemove(command) => remove(host, command),
        Command::RecordList {
            zone,
            account,
            name,
            from,
        } => {
            let from = from.as_ref().map(key_of).transpose()?;
            let control = host.control()?;
            let (account, name) = (account.as_deref(), name.as_deref());
            let listed = control.record_sets(&zone, account, name, from.as_ref())?;
            let sets = listed.sets.iter().map(JsonSet::from);
            let sets = sets
                .map(serde_json::to_value)
                .collect::<Result<Vec<_>, _>>()?;
            Ok(json!({ "sets": sets, "next": listed.next.as_ref().map(shown_key) }))
        }
        _ => bail!("this is not about record sets"),
    }
}

fn add(host: &Host, command: RecordAddCommand) -> Result<Value> {
    let types = command.types.iter().map(|text| rtype(text));
    let addition = RecordAddition {
        zone: command.zone,
        account: command.account,
        name: command.name,
        types: types.collect::<Result<_>>()?,
        target: match command.alias {
            None => RecordTarget::Values {
                values: command.values,
                ttl: command.ttl,
            },
            Some(alias) => RecordTarget::Alias {
                name: alias.name,
                zone: alias.zone,
                health: match alias.ignore_health {
                    true => TargetHealth::Ignore,
                    false => TargetHealth::Evaluate,
                },
            },
        },
        policy: policy(command.policy)?,
        set_identifier: command.set_identifier,
        health_check: command.health_check,
        existing: match command.replace {
            true => ExistingRecord::Replace,
            false => ExistingRecord::Refuse,
        },
    };
    shown(host.control()?.add_records(&addition)?)
}

fn remove(host: &Host, command: RecordRemoveCommand) -> Result<Value> {
    let removal = RecordRemoval {
        zone: command.zone,
        account: command.account,
        name: command.name,
        rtype: command.rtype.as_deref().map(rtype).transpose()?,
        set_identifier: command.set_identifier,
        extent: match command.all {
            true => RemovalExtent::All,
            false => RemovalExtent::One,
        },
    };
    shown(host.control()?.remove_records(&removal)?)
}

/// The command line lets one of them be said at most.
fn policy(words: PolicyWords) -> Result<RecordPolicy> {
    if words.latency {
        return Ok(RecordPolicy::Latency(words.region));
    }
    if let Some(weight) = words.weight {
        return Ok(RecordPolicy::Weighted(weight));
    }
    if let Some(role) = words.failover {
        let roles = [FailoverRole::Primary, FailoverRole::Secondary];
        let mut roles = roles.into_iter();
        let role = roles.find(|known| known.as_str() == role);
        return Ok(RecordPolicy::Failover(role.context("no half of a pair")?));
    }
    if words.multivalue {
        return Ok(RecordPolicy::Multivalue);
    }
    if words.continent.is_some() || words.country.is_some() {
        return Ok(RecordPolicy::Geolocation(GeoLocation {
            continent: words.continent,
            country: words.country,
            subdivision: words.subdivision,
        }));
    }
    if words.geoproximity {
        return Ok(RecordPolicy::Geoproximity {
            near: words.near.or(words.region),
            bias: words.bias,
        });
    }
    if let Some(collection) = words.cidr_collection {
        let location = words.cidr_location.context("no location")?;
        return Ok(RecordPolicy::IpBased {
            collection,
            location,
        });
    }
    Ok(RecordPolicy::Simple)
}

fn rtype(text: &str) -> Result<RecordType> {
    text.parse()
        .map_err(|_| anyhow!("type {text} is not known"))
}

fn shown(changed: ChangedRecords) -> Result<Value> {
    let sets = changed.sets.into_iter().map(JsonSet::from);
    let sets = sets
        .map(serde_json::to_value)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({
        "zone": changed.zone.id.as_str(),
        "change": changed.change.id.as_str(),
        "sets": sets,
    }))
}

fn shown_key(key: &SetKey) -> Value {
    json!([key.name.to_string(), key.rtype.as_str(), key.set_identifier])
}

fn key_of(shown: &Value) -> Result<SetKey> {
    let text = |place: usize| shown[place].as_str();
    Ok(SetKey {
        name: Name::parse(text(0).context("the place has no name")?)?,
        rtype: rtype(text(1).context("the place has no type")?)?,
        set_identifier: text(2).map(str::to_owned),
    })
}
