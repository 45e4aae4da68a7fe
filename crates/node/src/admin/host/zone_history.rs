//! `meridian zone history`, `zone diff` and `zone restore`.

use anyhow::{Result, bail};
use meridian_control::{RestoreOutcome, SetDifference};
use meridian_model::Seq;
use serde_json::{Value, json};

use super::super::command::Command;
use super::Host;
use crate::backup::time;
use crate::transfer::JsonSet;

pub(super) fn carry_out(host: &Host, command: Command) -> Result<Value> {
    match command {
        Command::ZoneHistory { zone, limit } => history(host, &zone, usize::try_from(limit)?),
        Command::ZoneDiff { zone, from, to } => diff(host, &zone, from, to),
        Command::ZoneRestore { zone, to, dry_run } => {
            let outcome = match dry_run {
                true => RestoreOutcome::Check,
                false => RestoreOutcome::Publish,
            };
            restore(host, &zone, to, outcome)
        }
        other => bail!("{other:?} is not about what a zone was"),
    }
}

fn history(host: &Host, zone: &str, limit: usize) -> Result<Value> {
    let (_, versions) = host.control()?.zone_history(zone, limit)?;
    let shown = versions.iter().map(|version| {
        json!({
            "entry": version.seq.0,
            "time": time(version.time),
            "principal": version.principal,
            "source": version.source,
            "request_id": version.request_id,
            "change": version.change.as_ref().map(|change| change.id.as_str()),
            "comment": version.change.as_ref().and_then(|change| change.comment.as_deref()),
            "replaced": version.replaced,
            "differences": differences(&version.differences),
        })
    });
    Ok(shown.collect())
}

fn diff(host: &Host, zone: &str, from: u64, to: Option<u64>) -> Result<Value> {
    let (zone, found) = host
        .control()?
        .zone_difference(zone, Seq(from), to.map(Seq))?;
    Ok(json!({
        "zone": zone.id.as_str(),
        "name": zone.name.to_string(),
        "from": from,
        "to": to,
        "differences": differences(&found),
    }))
}

fn restore(host: &Host, zone: &str, to: u64, outcome: RestoreOutcome) -> Result<Value> {
    let restored = host.control()?.restore_zone(zone, Seq(to), outcome)?;
    Ok(json!({
        "zone": restored.zone.id.as_str(),
        "name": restored.zone.name.to_string(),
        "to": to,
        "dry_run": outcome == RestoreOutcome::Check,
        "change": restored.change.as_ref().map(|change| change.id.as_str()),
        "differences": differences(&restored.differences),
    }))
}

fn differences(found: &[SetDifference]) -> Value {
    let shown = found.iter().map(|difference| {
        json!({
            "before": difference.before.as_ref().map(JsonSet::from),
            "after": difference.after.as_ref().map(JsonSet::from),
        })
    });
    shown.collect()
}
