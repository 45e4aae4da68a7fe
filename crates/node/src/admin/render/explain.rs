//! An explanation as a tree: what was asked, where it led, what was chosen, what is answered.

use std::io::{Result, Write};

use serde_json::Value;

use super::cell;

/// A line and what hangs below it.
struct Branch {
    line: String,
    below: Vec<Self>,
}

/// Prints what `explain` says.
pub(super) fn explanation(out: &mut impl Write, told: &Value) -> Result<()> {
    let mut below = vec![leaf(format!("client: {}", client(&told["client"])))];
    below.push(leaf(format!("asked at: {}", cell(&told["asked_at"]))));
    below.extend(supposed(&told["supposed"]));
    below.push(zones(told));
    let mut links: Vec<Branch> = items(&told["links"]).map(link).collect();
    if let Some(last) = links.last_mut()
        && type_is_missing(told)
    {
        last.line
            .push_str(&format!(", none of type {}", cell(&told["type"])));
    }
    below.append(&mut links);
    below.push(answer(&told["answer"]));
    let root = Branch {
        line: format!("{} {}", cell(&told["name"]), cell(&told["type"])),
        below,
    };
    writeln!(out, "{}", root.line)?;
    branches(out, &root.below, "")
}

fn branches(out: &mut impl Write, below: &[Branch], indent: &str) -> Result<()> {
    for (place, branch) in below.iter().enumerate() {
        let (corner, rest) = if place + 1 == below.len() {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        writeln!(out, "{indent}{corner}{}", branch.line)?;
        branches(out, &branch.below, &format!("{indent}{rest}"))?;
    }
    Ok(())
}

fn leaf(line: String) -> Branch {
    Branch {
        line,
        below: Vec::new(),
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
}

fn client(client: &Value) -> String {
    let known_by = match client["known_by"].as_str() {
        Some("client-subnet") => "the query's client subnet".to_owned(),
        Some("region") => format!("in region {}", cell(&client["region"])),
        _ => "who sends the query".to_owned(),
    };
    let place = ["subdivision", "country", "continent"].map(|field| client[field].as_str());
    let place: Vec<&str> = place.into_iter().flatten().collect();
    let place = match (place.as_slice(), client["latitude"].as_f64()) {
        ([], None) => "in no known place".to_owned(),
        (place, latitude) => {
            let longitude = client["longitude"].as_f64();
            let point = latitude.zip(longitude);
            let point = point.map(|(lat, long)| format!(" near {lat:.2}, {long:.2}"));
            format!("{}{}", place.join(", "), point.unwrap_or_default())
        }
    };
    let address = cell(&client["address"]);
    format!("{address}/{} ({known_by}), {place}", client["length"])
}

fn supposed(supposed: &Value) -> Option<Branch> {
    let health = supposed["health"].as_object().into_iter().flatten();
    let mut all: Vec<String> = health
        .map(|(id, state)| {
            format!(
                "health check {} is {}",
                cell(&id.as_str().into()),
                cell(state)
            )
        })
        .collect();
    if let Some(region) = supposed["region"].as_str() {
        all.push(format!("the client is in {}", cell(&region.into())));
    }
    (!all.is_empty()).then(|| leaf(format!("supposed: {}", all.join("; "))))
}

fn zone(zone: &Value) -> String {
    let (name, id) = (cell(&zone["name"]), cell(&zone["id"]));
    format!("{name} ({}, {id})", cell(&zone["visibility"]))
}

fn zones(told: &Value) -> Branch {
    let all = items(&told["zones"]);
    let below = all.map(|each| leaf(format!("{}: {}", zone(each), cell(&each["why"]))));
    let line = match &told["zone"] {
        Value::Null => "zone: none".to_owned(),
        answers => format!("zone: {}", zone(answers)),
    };
    Branch {
        line,
        below: below.collect(),
    }
}

fn link(link: &Value) -> Branch {
    let (name, at) = (cell(&link["name"]), cell(&link["at"]));
    let line = match link["placement"].as_str() {
        Some("exact") => format!("{name} has sets of its own"),
        Some("empty") => format!("{name} has no sets, only names below it"),
        Some("wildcard") => format!("{name} is answered by {at}"),
        Some("delegated") => format!("{name} is delegated at {at}"),
        _ => format!("{name} does not exist"),
    };
    Branch {
        line,
        below: items(&link["choices"]).map(choice).collect(),
    }
}

/// Whether the last name on the way has sets, but none that could be answered or chosen from.
fn type_is_missing(told: &Value) -> bool {
    let answer = &told["answer"];
    let Some(last) = items(&told["links"]).last() else {
        return false;
    };
    let has_sets = matches!(last["placement"].as_str(), Some("exact" | "wildcard"));
    let nothing_chosen = items(&last["choices"]).next().is_none();
    let answered = items(&answer["records"])
        .any(|record| record["section"] == "answer" && record["name"] == last["name"]);
    has_sets && nothing_chosen && !answered && answer["rcode"] == "NOERROR"
}

fn choice(choice: &Value) -> Branch {
    let by_client = matches!(choice["policy"].as_str(), Some("geolocation" | "cidr"));
    let who = match choice["mode"].as_str() {
        Some("last-resort") if by_client => {
            "none is healthy, so the last resort is among those that fit the client"
        }
        Some("last-resort") => "none is healthy, so all count as healthy",
        Some("last-resort-for-client") => {
            "none that fits the client is healthy, so the last resort is among those"
        }
        _ => "among the healthy",
    };
    let line = format!(
        "{} {} by {}: {who}; holds for /{} around the client",
        cell(&choice["name"]),
        cell(&choice["type"]),
        cell(&choice["policy"]),
        choice["scope"],
    );
    let mut below: Vec<Branch> = latency_map(&choice["latency_map"]).into_iter().collect();
    below.extend(items(&choice["candidates"]).map(candidate));
    if let Some(lost) = choice["lost"].as_str() {
        below.push(leaf(format!("leads nowhere: {lost}")));
    }
    Branch { line, below }
}

/// What a latency map says of the client, if a choice went by one.
fn latency_map(map: &Value) -> Option<Branch> {
    let build = map["build"].as_u64()?;
    let parts = [&map["network"], &map["country"]];
    let mut said: Vec<String> = parts
        .into_iter()
        .filter(|part| !part.is_null())
        .map(cell)
        .collect();
    said.push(format!("{} samples", map["samples"]));
    said.push(format!("confidence {} %", map["confidence_percent"]));
    said.push(format!("newest {} h ago", map["age_hours"]));
    Some(leaf(format!("latency map {build}: {}", said.join(", "))))
}

fn latency(candidate: &Value) -> Option<String> {
    let ms = candidate["latency_ms"].as_f64()?;
    let shown = if ms < 10.0 {
        format!("{ms:.1}")
    } else {
        format!("{ms:.0}")
    };
    Some(match candidate["latency_from"].as_str() {
        Some("distance") => format!("{shown} ms by distance"),
        Some("model") => format!("{shown} ms by the model"),
        Some(from) => format!("{shown} ms {from}"),
        None => format!("{shown} ms"),
    })
}

fn candidate(candidate: &Value) -> Branch {
    let mut said: Vec<String> = Vec::new();
    for field in [
        "weight", "role", "region", "place", "near", "bias", "location",
    ] {
        if !candidate[field].is_null() {
            said.push(format!("{field} {}", cell(&candidate[field])));
        }
    }
    for (field, what) in [("distance_km", "km"), ("biased_km", "km with the bias")] {
        if let Some(km) = candidate[field].as_f64() {
            said.push(format!("{km:.0} {what}"));
        }
    }
    said.extend(latency(candidate));
    said.push(match candidate["health_check"]["id"].as_str() {
        Some(id) => {
            let state = cell(&candidate["health_check"]["state"]);
            match candidate["health_check"]["why"].as_str() {
                Some(why) => format!("check {} {state}: {}", cell(&id.into()), cell(&why.into())),
                None => format!("check {} {state}", cell(&id.into())),
            }
        }
        None => "no check".to_owned(),
    });
    if let Some(name) = candidate["alias"]["name"].as_str() {
        let target = match candidate["alias"]["target_health"].as_str() {
            Some(state) => format!(", which is {state}"),
            None => String::new(),
        };
        let elsewhere = elsewhere(&candidate["alias"]["external"]);
        said.push(format!(
            "alias to {}{elsewhere}{target}",
            cell(&name.into())
        ));
    }
    let chosen = candidate["outcome"] == "chosen";
    let outcome = match candidate["why"].as_str() {
        Some(why) => format!("{}: {why}", cell(&candidate["outcome"])),
        None => cell(&candidate["outcome"]),
    };
    let identifier = match &candidate["identifier"] {
        Value::Null => "the only set".to_owned(),
        identifier => cell(identifier),
    };
    let mark = if chosen { "*" } else { " " };
    leaf(format!(
        "{mark} {identifier} ({}): {outcome}",
        said.join(", ")
    ))
}

/// What is known of the host name elsewhere that an alias points to.
fn elsewhere(external: &Value) -> String {
    let state = match external["state"].as_str() {
        None => return String::new(),
        Some("answers") => {
            let mut text = match &external["records"] {
                records if *records == 1 => format!("1 record for {} s", external["ttl_s"]),
                records => format!("{records} records for {} s", external["ttl_s"]),
            };
            if external["withheld"].as_u64().is_some_and(|more| more > 0) {
                text.push_str(&format!(
                    ", {} withheld: the account has no right to their addresses",
                    external["withheld"]
                ));
            }
            text
        }
        Some("withheld") => format!(
            "withheld: the account has no right to its addresses; the operator can give it that with \
             `meridian account set NAME --probes {}`",
            cell(&external["needs"])
        ),
        Some("nothing") => "no records".to_owned(),
        Some("no-such-name") => "no such name".to_owned(),
        Some(_) => "not resolved".to_owned(),
    };
    let mut said = vec![state];
    if let Some(age) = external["age_s"].as_u64() {
        said.push(match external["source"].as_str() {
            Some(source) => format!("resolved {age} s ago by {}", cell(&source.into())),
            None => format!("resolved {age} s ago"),
        });
    }
    if !external["last_error"].is_null() {
        said.push(format!("since then {}", cell(&external["last_error"])));
    }
    if let Some(id) = external["resource_check"]["id"].as_str() {
        let state = cell(&external["resource_check"]["state"]);
        said.push(format!("its check {} {state}", cell(&id.into())));
    }
    format!(" elsewhere ({})", said.join("; "))
}

fn answer(answer: &Value) -> Branch {
    let mut line = format!("answer: {}", cell(&answer["rcode"]));
    if let Some(code) = answer["extended_error"]["code"].as_u64() {
        let text = cell(&answer["extended_error"]["text"]);
        line.push_str(&format!(", extended error {code}: {text}"));
    }
    line.push_str(&format!("; scope /{}", answer["scope"]));
    let records = items(&answer["records"]).map(|record| {
        let text = ["name", "ttl", "type", "data"].map(|field| cell(&record[field]));
        let section = match record["section"].as_str() {
            Some("answer") => String::new(),
            _ => format!(" ({})", cell(&record["section"])),
        };
        leaf(format!("{}{section}", text.join(" ")))
    });
    Branch {
        line,
        below: records.collect(),
    }
}
