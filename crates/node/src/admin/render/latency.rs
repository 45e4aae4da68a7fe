//! How fast regions are for whom, and what that is known by.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::{cell, table};

/// Rows of long lists that are shown to people.
const SHOWN: usize = 40;

/// `meridian latency import`
pub(crate) fn imported(out: &mut impl Write, result: &Value) -> Result<()> {
    if let Some(when) = result["imported_before"].as_str() {
        return writeln!(
            out,
            "this file was imported on {when}: nothing of it counts a second time, unless with --again"
        );
    }
    writeln!(
        out,
        "{} samples and {} pairs of regions taken",
        result["samples"], result["pairs"]
    )?;
    let mut also = |count: &Value, text: &str| match count.as_u64() {
        Some(0) | None => Ok(()),
        Some(count) => writeln!(out, "{count} {text}"),
    };
    also(&result["wrong_rows"], "rows wrong")?;
    also(
        &result["passed_over"],
        "rows of pings that nobody answered passed over",
    )?;
    refused(out, result)
}

/// How many samples were not taken, and why.
fn refused(out: &mut impl Write, result: &Value) -> Result<()> {
    let all = result["refused_for"].as_object().into_iter().flatten();
    for (why, count) in all {
        writeln!(out, "{count} samples refused: {}", why.replace('-', " "))?;
    }
    Ok(())
}

/// `meridian latency score`
pub(crate) fn scored(out: &mut impl Write, result: &Value) -> Result<()> {
    let row = |name: &str| {
        let score = &result[name];
        let right = score["right"].as_f64().unwrap_or(0.0) * 100.0;
        let ms = |name: &str| format!("{:.1}", score[name].as_f64().unwrap_or(0.0));
        json!({
            "BY": name,
            "RIGHT": format!("{right:.1} %"),
            "MEAN": ms("mean_ms"),
            "P50": ms("p50_ms"),
            "P90": ms("p90_ms"),
            "P95": ms("p95_ms"),
            "P99": ms("p99_ms"),
            "MAX": ms("max_ms"),
        })
    };
    let columns = ["BY", "RIGHT", "MEAN", "P50", "P90", "P95", "P99", "MAX"];
    ordered(out, &columns, &[row("map"), row("distance")])?;
    writeln!(
        out,
        "ms lost beside the fastest region, of {} choices by {} networks",
        result["map"]["choices"], result["clients"]
    )?;
    refused(out, result)
}

/// `meridian latency diff`
pub(crate) fn moves(out: &mut impl Write, told: &Value) -> Result<()> {
    let rows = told["moves"].as_array().map_or(&[][..], Vec::as_slice);
    if !rows.is_empty() {
        let columns = ["country", "from", "to", "ipv4_24s", "ipv6_48s", "gain_ms"];
        ordered(out, &columns, &rows[..rows.len().min(SHOWN)])?;
        if rows.len() > SHOWN {
            writeln!(out, "… and {} more; --json shows all", rows.len() - SHOWN)?;
        }
    }
    let share = told["moved_share"].as_f64().unwrap_or(0.0) * 100.0;
    writeln!(
        out,
        "build {} to {}: {share:.1} % of all networks of clients go elsewhere",
        told["old"], told["new"]
    )
}

/// `meridian latency map`
pub(super) fn flows(out: &mut impl Write, told: &Value) -> Result<()> {
    let rows = told["flows"].as_array().map_or(&[][..], Vec::as_slice);
    let columns = ["country", "region", "ipv4_24s", "ipv6_48s", "ms"];
    ordered(out, &columns, &rows[..rows.len().min(SHOWN)])?;
    if rows.len() > SHOWN {
        writeln!(out, "… and {} more; --json shows all", rows.len() - SHOWN)?;
    }
    Ok(())
}

/// `meridian latency show`
pub(super) fn shown(out: &mut impl Write, found: &Value) -> Result<()> {
    let mut line = |name: &str, text: String| writeln!(out, "{name:13}{text}");
    line("address", cell(&found["address"]))?;
    line("network", cell(&found["network"]))?;
    if found["network"].is_null() {
        return writeln!(
            out,
            "map {} says nothing of it: regions are as fast as they are near",
            found["build"]
        );
    }
    line("same order", cell(&found["same_order"]))?;
    line("country", cell(&found["country"]))?;
    line(
        "samples",
        format!(
            "{}, confidence {} %",
            found["samples"], found["confidence_percent"]
        ),
    )?;
    let age = match &found["age_h"] {
        Value::Null => "-".to_owned(),
        hours => format!("{hours} h"),
    };
    line("newest", age)?;
    line(
        "map",
        format!("{} of {}", found["build"], cell(&found["made"])),
    )?;
    let rows = found["regions"].as_array().map_or(&[][..], Vec::as_slice);
    ordered(out, &["region", "ms", "from"], rows)
}

/// `meridian latency status`
pub(super) fn status(out: &mut impl Write, status: &Value) -> Result<()> {
    match &status["map"] {
        Value::Null => writeln!(out, "no map: regions are as fast as they are near")?,
        map => writeln!(
            out,
            "map {} of {}: {} regions, {} ranges of IPv4 and {} of IPv6, {} bytes",
            map["build"],
            cell(&map["made"]),
            map["regions"],
            map["ranges"]["ipv4"],
            map["ranges"]["ipv6"],
            map["bytes"]
        )?,
    }
    if let Value::Object(_) = &status["waiting"] {
        let waiting = &status["waiting"];
        let share = match waiting["churn"].as_f64() {
            Some(churn) => format!("{:.1} %", churn * 100.0),
            None => "too many".to_owned(),
        };
        writeln!(
            out,
            "map {} waits for `meridian latency accept`: it would move {share} of the clients",
            waiting["build"]
        )?;
    }
    match &status["samples"] {
        Value::Null => writeln!(out, "no maps are built here")?,
        samples => writeln!(
            out,
            "samples of {} networks, the newest of {}; {} pairs of regions; refused: {}; dropped: {}",
            samples["networks"],
            cell(&samples["newest"]),
            samples["pairs"],
            match &*cell(&samples["refused"]) {
                "" => "none",
                refused => refused,
            },
            status["dropped"]
        )?,
    }
    if let Value::Object(_) = &status["last_build"] {
        built(out, &status["last_build"])?;
    }
    for failure in ["refused_map", "failure"] {
        if let Value::String(_) = &status[failure] {
            writeln!(out, "failure: {}", cell(&status[failure]))?;
        }
    }
    Ok(())
}

/// `meridian latency build`
pub(super) fn built(out: &mut impl Write, built: &Value) -> Result<()> {
    let percent = |share: &Value| share.as_f64().map_or(0.0, |share| share * 100.0);
    let moved = match &built["churn"] {
        Value::Null => "the first".to_owned(),
        churn => format!("{:.1} % of the clients move", percent(&churn["most"])),
    };
    writeln!(
        out,
        "build {}: {} networks known, {} with rows of their own; {moved}; {} numbers are held back; \
         {} ms",
        built["build"], built["networks"], built["own_rows"], built["held"], built["took_ms"]
    )?;
    match &built["in_use"] {
        Value::Bool(false) => writeln!(out, "it waits for `meridian latency accept`"),
        _ => Ok(()),
    }
}

/// A table with its columns in this order.
fn ordered(out: &mut impl Write, columns: &[&str], rows: &[Value]) -> Result<()> {
    if rows.is_empty() {
        return table(out, rows);
    }
    let widths: Vec<usize> = columns
        .iter()
        .map(|column| {
            let cells = rows.iter().map(|row| cell(&row[column]).chars().count());
            cells.chain([column.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let mut line = |texts: Vec<String>| {
        let padded = texts.iter().zip(&widths);
        let padded = padded.map(|(text, width)| format!("{text:width$}"));
        writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    line(columns.iter().map(|column| (*column).to_owned()).collect())?;
    rows.iter()
        .try_for_each(|row| line(columns.iter().map(|column| cell(&row[column])).collect()))
}
