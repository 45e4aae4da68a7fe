//! Record sets for people: a line each.

use std::io::{Result, Write};

use serde_json::Value;

use super::{cell, columns};

/// What was written or taken away, and the change that did it.
pub(super) fn changed(out: &mut impl Write, what: &str, told: &Value) -> Result<()> {
    if let Value::Array(sets) = &told["sets"] {
        listed(out, sets)?;
    }
    writeln!(out, "{what} by change {}", cell(&told["change"]))
}

/// The sets of a zone.
pub(super) fn listed(out: &mut impl Write, sets: &[Value]) -> Result<()> {
    if sets.is_empty() {
        return writeln!(out, "none");
    }
    let head = [
        "name",
        "type",
        "ttl",
        "policy",
        "identifier",
        "check",
        "answers",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(sets.iter().map(row));
    columns(out, &lines)
}

fn row(set: &Value) -> Vec<String> {
    vec![
        cell(&set["Name"]),
        cell(&set["Type"]),
        cell(&set["TTL"]),
        policy(set),
        cell(&set["SetIdentifier"]),
        cell(&set["HealthCheckId"]),
        answers(set),
    ]
}

fn answers(set: &Value) -> String {
    if let Value::String(instance) = &set["TrafficPolicyInstanceId"] {
        return format!("traffic policy instance {instance}");
    }
    match &set["AliasTarget"] {
        Value::Null => {
            let records = set["ResourceRecords"].as_array().into_iter().flatten();
            let values: Vec<String> = records.map(|record| cell(&record["Value"])).collect();
            values.join(" ")
        }
        alias => format!(
            "alias to {} in {}{}",
            cell(&alias["DNSName"]),
            cell(&alias["HostedZoneId"]),
            match &alias["EvaluateTargetHealth"] {
                Value::Bool(true) => ", with its health",
                _ => "",
            }
        ),
    }
}

fn policy(set: &Value) -> String {
    let named = [
        ("Weight", "weight"),
        ("Region", "latency"),
        ("GeoLocation", "geolocation"),
        ("Failover", "failover"),
        ("CidrRoutingConfig", "cidr"),
        ("GeoProximityLocation", "geoproximity"),
    ];
    let found = named.iter().find(|(field, _)| !set[*field].is_null());
    match found {
        Some((field, word)) => format!("{word} {}", cell(&set[*field])),
        None if set["MultiValueAnswer"] == true => "multivalue".to_owned(),
        None => "-".to_owned(),
    }
}
