//! A preview of a change: who would be answered otherwise, line by line.

use std::io::{Result, Write};

use serde_json::Value;

use super::cell;

/// The most that is on a line, as far as codes of countries go.
const WIDTH: usize = 96;

/// Prints what `change preview` says.
pub(super) fn preview(out: &mut impl Write, result: &Value) -> Result<()> {
    let questions = items(&result["questions"]);
    let mut same = 0;
    for question in questions {
        if items(&question["different"]).is_empty() {
            same += 1;
            continue;
        }
        let why = match question["why"].as_str() {
            Some("alias") => ", an alias that leads here",
            Some("cname") => ", a CNAME that leads here",
            Some("wildcard") => ", where a wildcard stands in",
            _ => "",
        };
        writeln!(
            out,
            "{} {}{why}",
            cell(&question["name"]),
            cell(&question["type"])
        )?;
        for different in items(&question["different"]) {
            clients(out, &different["clients"])?;
            answers(out, '-', &different["before"])?;
            answers(out, '+', &different["after"])?;
        }
        if question["complete"] == false {
            writeln!(out, "  there are more answers than were looked at")?;
        }
    }
    let looked_at = questions.len();
    match (looked_at, same) {
        (0, _) => writeln!(out, "nothing would change")?,
        (_, 0) => {}
        _ if same == looked_at => writeln!(out, "nobody would be answered otherwise")?,
        _ => writeln!(
            out,
            "the same as before: {same} of {looked_at} names and types"
        )?,
    }
    if result["left_out"] != 0 {
        writeln!(
            out,
            "not looked at: {} more names and types",
            result["left_out"]
        )?;
    }
    writeln!(out, "nothing was written")
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn clients(out: &mut impl Write, clients: &Value) -> Result<()> {
    if clients["everyone"] == true {
        return writeln!(out, "  everyone:");
    }
    let mut words: Vec<String> = Vec::new();
    match clients["all_countries_but"].as_array() {
        Some(but) if but.is_empty() => words.push("every country".to_owned()),
        Some(but) => {
            words.push("every country but".to_owned());
            words.extend(but.iter().map(cell));
        }
        None => words.extend(items(&clients["countries"]).iter().map(cell)),
    }
    if let Some(last) = words.last_mut() {
        last.push(';');
    }
    let parts = items(&clients["subdivisions"]).iter().map(cell);
    let locations = items(&clients["locations"]).iter().map(|each| {
        let (location, collection) = (cell(&each["location"]), cell(&each["collection"]));
        format!("location {location} of {collection}")
    });
    let vpcs = items(&clients["vpcs"]).iter().map(cell);
    let unknown = clients["unknown"] == true;
    let unknown = unknown.then(|| "those who are nowhere known".to_owned());
    let others = parts.chain(locations).chain(vpcs).chain(unknown);
    words.extend(others.map(|word| format!("{word};")));
    let mut line = String::from(" ");
    for word in &words {
        if line.len() + word.len() > WIDTH {
            writeln!(out, "{line}")?;
            line = String::from("   ");
        }
        line.push(' ');
        line.push_str(word);
    }
    let line = line.trim_end_matches(';');
    writeln!(out, "{line}:")
}

fn answers(out: &mut impl Write, sign: char, answers: &Value) -> Result<()> {
    for answer in items(answers) {
        let share = match answer["share"].as_f64().unwrap_or(1.0) * 100.0 {
            share if share >= 99.99995 => String::new(),
            share => format!("{} %  ", rounded(share)),
        };
        let records = items(&answer["records"]);
        let of = match answer["of_sets"].as_u64() {
            Some(sets) => format!("8 of {sets} sets: "),
            None => String::new(),
        };
        let said = match (records, answer["rcode"].as_str()) {
            ([], Some("NOERROR")) => "no such records".to_owned(),
            ([], _) => cell(&answer["rcode"]),
            (records, _) => {
                let texts = records.iter().map(|record| {
                    let fields = ["ttl", "type", "data"].map(|field| cell(&record[field]));
                    fields.join(" ")
                });
                texts.collect::<Vec<_>>().join(", ")
            }
        };
        writeln!(out, "    {sign} {share}{of}{said}")?;
    }
    Ok(())
}

/// With two places where it has any.
fn rounded(share: f64) -> String {
    let text = format!("{share:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
