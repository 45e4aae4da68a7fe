//! Versions of zones and what differs between them, line by line.

use std::io::{Result, Write};

use serde_json::Value;

use super::cell;
use crate::visible;

/// The versions of a zone, newest first.
pub(super) fn versions(out: &mut impl Write, versions: &Value) -> Result<()> {
    let versions = versions.as_array().map(Vec::as_slice).unwrap_or_default();
    if versions.is_empty() {
        return writeln!(out, "none");
    }
    for version in versions {
        write!(
            out,
            "entry {}  {}  {}",
            version["entry"],
            cell(&version["time"]),
            cell(&version["principal"])
        )?;
        for (label, field) in [
            ("from", "source"),
            ("request", "request_id"),
            ("change", "change"),
        ] {
            match version[field].as_str() {
                Some(text) if !text.is_empty() => {
                    write!(out, "  {label} {}", visible::text(text))?;
                }
                _ => {}
            }
        }
        writeln!(out)?;
        if let Some(comment) = version["comment"].as_str() {
            writeln!(out, "    \"{}\"", visible::text(comment))?;
        }
        let nothing = version["differences"].as_array().is_none_or(Vec::is_empty);
        if version["replaced"] == true {
            writeln!(out, "    all sets at once")?;
            if nothing {
                writeln!(out, "    what was before is not kept any more")?;
            }
        }
        differences(out, version, "    ")?;
    }
    Ok(())
}

/// What is different, and nothing else.
pub(super) fn difference(out: &mut impl Write, result: &Value) -> Result<()> {
    if result["differences"].as_array().is_none_or(Vec::is_empty) {
        return writeln!(out, "no difference");
    }
    differences(out, result, "")
}

/// What a restore changed, or would.
pub(super) fn restored(out: &mut impl Write, result: &Value) -> Result<()> {
    let (name, to) = (cell(&result["name"]), &result["to"]);
    let count = result["differences"].as_array().map_or(0, Vec::len);
    if count == 0 {
        return writeln!(out, "{name} is as it was after entry {to}");
    }
    differences(out, result, "")?;
    if result["dry_run"] == true {
        return writeln!(out, "nothing was written; {count} record sets would change");
    }
    let change = cell(&result["change"]);
    writeln!(
        out,
        "{name} is as it was after entry {to}: {count} record sets changed by {change}"
    )
}

fn differences(out: &mut impl Write, result: &Value, indent: &str) -> Result<()> {
    let found = result["differences"].as_array();
    for difference in found.map(Vec::as_slice).unwrap_or_default() {
        let (before, after) = (lines(&difference["before"]), lines(&difference["after"]));
        for line in before.iter().filter(|line| !after.contains(line)) {
            writeln!(out, "{indent}- {line}")?;
        }
        for line in after.iter().filter(|line| !before.contains(line)) {
            writeln!(out, "{indent}+ {line}")?;
        }
    }
    Ok(())
}

/// A line for each value of a set, or for its alias.
fn lines(set: &Value) -> Vec<String> {
    let Some(fields) = set.as_object() else {
        return Vec::new();
    };
    let (name, rtype) = (cell(&set["Name"]), cell(&set["Type"]));
    let plain = ["Name", "Type", "TTL", "ResourceRecords", "AliasTarget"];
    let rest: String = fields
        .iter()
        .filter(|(field, _)| !plain.contains(&field.as_str()))
        .map(|(field, value)| format!(" {field}={}", cell(value)))
        .collect();
    if let Value::Object(_) = &set["AliasTarget"] {
        let target = cell(&set["AliasTarget"]);
        return vec![format!("{name} ALIAS {rtype} {target}{rest}")];
    }
    let values = set["ResourceRecords"].as_array();
    let values = values.map(Vec::as_slice).unwrap_or_default().iter();
    let line = |value: &Value| {
        let value = cell(&value["Value"]);
        format!("{name} {} {rtype} {value}{rest}", set["TTL"])
    };
    values.map(line).collect()
}
