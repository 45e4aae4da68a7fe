//! What is known of external alias targets.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::{cell, table};

/// Records of a target in a list of all; `target show` has the others.
const LISTED: usize = 3;

/// `meridian target list`
pub(super) fn list(out: &mut impl Write, targets: &Value) -> Result<()> {
    let row = |target: &Value| {
        json!({
            "name": target["name"],
            "type": target["type"],
            "state": target["state"],
            "data": few(&target["data"]),
            "ttl": target["ttl_s"],
            "age": target["age_s"],
        })
    };
    let targets = targets.as_array().map_or(&[][..], Vec::as_slice);
    table(out, &targets.iter().map(row).collect::<Vec<_>>())
}

/// The first of many, so that one target does not make all lines as long as it has records.
fn few(data: &Value) -> Value {
    match data.as_array() {
        Some(all) if all.len() > LISTED => {
            let first = all.iter().take(LISTED).map(cell).collect::<Vec<_>>();
            json!(format!("{} … {} more", first.join(" "), all.len() - LISTED))
        }
        _ => data.clone(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line was as long as the longest list of records.
    #[test]
    fn a_list_is_not_as_wide_as_its_largest_target() {
        let target = |name: &str, count: usize| {
            let data = (0..count).map(|last| format!("192.0.2.{last}"));
            json!({ "name": name, "type": "A", "state": "answers",
                "data": data.collect::<Vec<_>>(), "ttl_s": 5, "age_s": 1 })
        };
        let targets = json!([
            target("a.test.", 100),
            target("b.test.", 3),
            target("c.test.", 0)
        ]);
        let mut out = Vec::new();
        list(&mut out, &targets).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("192.0.2.0 192.0.2.1 192.0.2.2 … 97 more"),
            "{text}"
        );
        assert!(text.contains("192.0.2.0 192.0.2.1 192.0.2.2 "), "{text}");
        assert!(text.lines().all(|line| line.len() < 100), "{text}");
    }
}
