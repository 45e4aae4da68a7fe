//! Results for people: tables, and the credentials file's own format for a new key.

mod explain;
mod geo;
mod health;
mod history;
pub(crate) mod latency;
mod preview;
mod record;
mod target;

use std::io::{Result, Write};

use serde_json::Value;

use super::command::Command;
use crate::credentials;
use crate::visible;

/// Prints a result.
pub(super) fn text(out: &mut impl Write, command: &Command, result: &Value) -> Result<()> {
    match (command, result) {
        (Command::KeyCreate { .. }, key) => {
            let (id, secret) = (&key["access_key_id"], &key["secret_access_key"]);
            write!(out, "{}", credentials::render(&cell(id), &cell(secret)))
        }
        (Command::AgentAdd { .. }, agent) => writeln!(out, "{}", cell(&agent["secret_key"])),
        (Command::KeyRotate { id }, key) => rotated(out, id, key),
        (Command::ChangePreview { .. }, found) => preview::preview(out, found),
        (Command::Explain(_), told) => explain::explanation(out, told),
        (Command::RecordAdd(_), told) => record::changed(out, "written", told),
        (Command::RecordRemove(_), told) => record::changed(out, "taken away", told),
        (Command::RecordList { .. }, Value::Array(sets)) => record::listed(out, sets),
        (Command::ZoneHistory { .. }, found) => history::versions(out, found),
        (Command::ZoneDiff { .. }, found) => history::difference(out, found),
        (Command::ZoneRestore { .. }, restored) => history::restored(out, restored),
        (Command::TargetList, targets) => target::list(out, targets),
        (Command::TargetShow { .. }, targets) => target::shown(out, targets),
        (Command::GeoStatus, status) => geo::status(out, status),
        (Command::GeoLookup { .. }, found) => geo::found(out, found),
        (Command::LatencyShow { .. }, found) => latency::shown(out, found),
        (Command::LatencyMap { .. }, told) => latency::flows(out, told),
        (Command::LatencyStatus, status) => latency::status(out, status),
        (Command::LatencyBuild, built) => latency::built(out, built),
        (Command::LatencyAccept, accepted) => {
            writeln!(out, "latency map {} is in use", accepted["accepted"])
        }
        (Command::HealthForce { .. }, said) => health::forced(out, said),
        (Command::HealthRelease { .. }, released) => health::released(out, released),
        (Command::Replace { .. }, replaced) => writeln!(
            out,
            "replaced: process {} serves; changes waited {} ms",
            replaced["pid"], replaced["changes_waited_ms"]
        ),
        (Command::JournalFinalize, level) => writeln!(
            out,
            "the journal takes changes of level {} from now on; versions that understand less \
             cannot read it any more",
            level["finalized"]
        ),
        (Command::Backup { .. }, written) => {
            let about_key = match &written["with_key"] {
                Value::Bool(true) => "is in it: whoever has the file has all secrets",
                _ => "is not in it: keep a copy of vault.key elsewhere",
            };
            writeln!(
                out,
                "{}: entries 1 to {} of epoch {}, {} secrets, {} bytes\nthe vault's key, {}, \
                 {about_key}",
                cell(&written["file"]),
                written["head"],
                written["epoch"],
                written["secrets"],
                written["bytes"],
                cell(&written["vault_key"]),
            )
        }
        (_, result) => value(out, result),
    }
}

/// Prints a value that no command has its own way for.
pub(super) fn value(out: &mut impl Write, value: &Value) -> Result<()> {
    match value {
        Value::Array(rows) => table(out, rows),
        Value::Object(fields) => {
            for (name, value) in fields {
                writeln!(out, "{name}: {}", cell(value))?;
            }
            Ok(())
        }
        other => writeln!(out, "{}", cell(other)),
    }
}

/// The new key, and what is left to be done with the old one.
fn rotated(out: &mut impl Write, old: &str, key: &Value) -> Result<()> {
    let (id, secret) = (&key["access_key_id"], &key["secret_access_key"]);
    write!(out, "{}", credentials::render(&cell(id), &cell(secret)))?;
    writeln!(
        out,
        "# {old} is accepted beside it. To finish:\n\
         # 1. put the new key wherever the old one is used\n\
         # 2. see in `meridian key list` that {old} is not used any more\n\
         # 3. meridian key deactivate {old}\n\
         # 4. meridian key delete {old}, once nothing misses it"
    )
}

/// Prints how far a command has got.
pub(super) fn step(out: &mut impl Write, step: &Value) -> Result<()> {
    writeln!(out, "{:>6} ms  {}", cell(&step["ms"]), cell(&step["step"]))
}

/// Rows of objects with the same fields, in columns.
fn table(out: &mut impl Write, rows: &[Value]) -> Result<()> {
    let Some(first) = rows.first().and_then(Value::as_object) else {
        return writeln!(out, "none");
    };
    let names: Vec<&String> = first.keys().collect();
    let mut lines: Vec<Vec<String>> = vec![names.iter().map(|name| (*name).clone()).collect()];
    lines.extend(
        rows.iter()
            .map(|row| names.iter().map(|name| cell(&row[*name])).collect()),
    );
    columns(out, &lines)
}

/// Lines of as many cells each.
fn columns(out: &mut impl Write, lines: &[Vec<String>]) -> Result<()> {
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..lines.first().map_or(0, Vec::len)).map(width).collect();
    for line in lines {
        let padded = line
            .iter()
            .zip(&widths)
            .map(|(text, width)| format!("{text:width$}"));
        writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => visible::text(text).into_owned(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", cell(value)));
            fields.collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}
