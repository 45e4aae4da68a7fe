//! What is known of external alias targets.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::{cell, table};

/// `meridian target list`
pub(super) fn list(out: &mut impl Write, targets: &Value) -> Result<()> {
    let row = |target: &Value| {
        json!({
            "name": target["name"],
            "type": target["type"],
            "state": target["state"],
            "data": target["data"],
            "ttl": target["ttl_s"],
            "age": target["age_s"],
        })
    };
    let targets = targets.as_array().map_or(&[][..], Vec::as_slice);
    table(out, &targets.iter().map(row).collect::<Vec<_>>())
}

/// `meridian target show`
pub(super) fn shown(out: &mut impl Write, targets: &Value) -> Result<()> {
    for target in targets.as_array().map_or(&[][..], Vec::as_slice) {
        let mut line = |name: &str, text: String| writeln!(out, "{name:13}{text}");
        line(
            "target",
            format!("{} {}", cell(&target["name"]), cell(&target["type"])),
        )?;
        line("state", cell(&target["state"]))?;
        line("data", cell(&target["data"]))?;
        let needs = target["needs"].as_array().map_or(&[][..], Vec::as_slice);
        if needs.iter().any(|needs| needs != "public") {
            let text = format!(
                "{} (of accounts: `account set NAME --probes`)",
                cell(&target["needs"])
            );
            line("needs rights", text)?;
        }
        for own in target["networks"].as_array().map_or(&[][..], Vec::as_slice) {
            line(
                "for",
                format!("{}: {}", cell(&own["network"]), cell(&own["data"])),
            )?;
        }
        line("ttl", cell(&target["ttl_s"]))?;
        let heard = format!(
            "{} s ago, of {}",
            cell(&target["age_s"]),
            cell(&target["source"])
        );
        line("heard", heard)?;
        if let Value::String(_) = &target["last_error"] {
            let failed = format!(
                "{} times: {}",
                target["failures"],
                cell(&target["last_error"])
            );
            line("failed", failed)?;
        }
        line("asked again", format!("in {} s", target["next_s"]))?;
    }
    Ok(())
}
