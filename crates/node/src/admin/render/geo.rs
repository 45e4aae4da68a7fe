//! What is known of an address, and by whom.

use std::io::{Result, Write};

use serde_json::Value;

use super::{cell, table};

/// `meridian geo lookup`
pub(super) fn found(out: &mut impl Write, found: &Value) -> Result<()> {
    let mut line = |name: &str, text: String| writeln!(out, "{name:13}{text}");
    line("address", cell(&found["address"]))?;
    line("continent", cell(&found["continent"]))?;
    line("country", cell(&found["country"]))?;
    line("subdivision", cell(&found["subdivision"]))?;
    let point = &found["point"];
    let whose = match &point["of_country"] {
        Value::Bool(true) => ", the middle of its country's people",
        _ => "",
    };
    match point {
        Value::Null => line("point", "-".to_owned())?,
        point => line(
            "point",
            format!("{}, {}{whose}", point["latitude"], point["longitude"]),
        )?,
    }
    let asn = match &found["asn"] {
        Value::Null => String::new(),
        asn => format!(" AS{asn}"),
    };
    line("operator", format!("{}{asn}", cell(&found["operator"])))?;
    line("source", cell(&found["source"]))?;
    line("network", cell(&found["network"]))?;
    let scopes = &found["scopes"];
    let scope = |name: &str| format!("{name} /{}", scopes[name]);
    let scopes = ["record", "subdivision", "country", "continent"].map(scope);
    line("the same in", scopes.join(", "))
}

/// `meridian geo status`
pub(super) fn status(out: &mut impl Write, status: &Value) -> Result<()> {
    let sources = status["sources"].as_array().map_or(&[][..], Vec::as_slice);
    let shown = |source: &Value| {
        let mut source = source.clone();
        if let Some(fields) = source.as_object_mut() {
            fields.remove("notice");
        }
        source
    };
    table(out, &sources.iter().map(shown).collect::<Vec<_>>())?;
    for source in sources {
        if let Value::String(_) = &source["notice"] {
            writeln!(
                out,
                "{}: {}",
                cell(&source["name"]),
                cell(&source["notice"])
            )?;
        }
    }
    let ranges = &status["ranges"];
    writeln!(
        out,
        "{} ranges of IPv4 and {} of IPv6 at {} places, {} bytes; read {} in {} ms",
        ranges["ipv4"],
        ranges["ipv6"],
        status["places"],
        status["bytes"],
        cell(&status["loaded"]),
        status["took_ms"]
    )?;
    match &status["failure"] {
        Value::Null => Ok(()),
        failure => writeln!(out, "failure: {}", cell(failure)),
    }
}
