//! The fields of the CSV in an object on each line, or in an array of such.

use serde::Deserialize;

use super::fields::{network, seconds, shown, time, us_of};
use super::{Reading, Wrong};
use crate::sample::{Kind, Sample};

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Row {
    prefix: String,
    region: Box<str>,
    rtt_ms: f64,
    count: Option<u32>,
    ts: Option<Time>,
}

/// As programs or people write it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Time {
    Number(f64),
    Text(String),
}

impl Time {
    pub(super) fn seconds(&self, reading: &Reading) -> Result<u64, Wrong> {
        match self {
            Self::Number(number) => seconds(*number).ok_or_else(|| Wrong::Time(number.to_string())),
            Self::Text(text) => time(Some(text), reading),
        }
    }
}

/// What is wrong with an object.
pub(super) fn not_json(error: &serde_json::Error) -> Wrong {
    // Where in the row it is, is told by column alone: the row is a line of its own.
    Wrong::NotJson(shown(&error.to_string()))
}

pub(super) fn read(text: &str, reading: &Reading) -> Result<Sample, Wrong> {
    let row: Row = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    let number = |field: &'static str, text: String| Wrong::Number { field, text };
    Ok(Sample {
        at_s: row.ts.map_or(Ok(reading.now_s), |ts| ts.seconds(reading))?,
        network: network(&row.prefix)?,
        region: row.region,
        rtt_us: us_of(row.rtt_ms).ok_or_else(|| number("rtt_ms", row.rtt_ms.to_string()))?,
        count: match row.count {
            Some(0) => return Err(number("count", "0".to_owned())),
            other => other.unwrap_or(1),
        },
        weight: Kind::Import.weight(),
        kind: Kind::Import,
        client: None,
    })
}
