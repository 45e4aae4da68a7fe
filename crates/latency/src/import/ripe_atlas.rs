//! Results of pings by probes of RIPE Atlas, as its API gives them.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;

use super::fields::{client, network, shown, us_of};
use super::ndjson::{Time, not_json};
use super::{Reading, Wrong};
use crate::sample::{Kind, Sample};

#[derive(Deserialize)]
struct Ping {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The public address of the probe; `src_addr` is often that of a private network.
    from: Option<String>,
    dst_addr: Option<String>,
    dst_name: Option<String>,
    min: Option<f64>,
    rcvd: Option<u32>,
    /// One for each packet: `{"rtt": 1.5}`, `{"x": "*"}` or `{"error": "…"}`. Of other kinds of
    /// measurements it is something else.
    result: Option<Value>,
    timestamp: Option<Time>,
    prb_id: Option<u64>,
}

impl Ping {
    /// The least round trip, and how many there were; none where no packet came back.
    fn answered(&self) -> Option<(f64, u32)> {
        // Atlas sums up, with a minimum of -1 where nothing came back; excerpts may not.
        let packets = self.result.as_ref().and_then(Value::as_array);
        let round_trip = |packet: &Value| packet.get("rtt")?.as_f64().filter(|ms| *ms > 0.0);
        let round_trips = || packets.into_iter().flatten().filter_map(round_trip);
        let least = self.min.or_else(|| round_trips().min_by(f64::total_cmp));
        let count = match (self.rcvd, packets) {
            (Some(count), _) => count,
            (None, Some(_)) => u32::try_from(round_trips().count()).ok()?,
            // Where a minimum is all that is told, it is of one.
            (None, None) => 1,
        };
        Some((least.filter(|ms| *ms > 0.0)?, count)).filter(|(_, count)| *count > 0)
    }
}

/// A result; none where no packet came back.
pub(super) fn read(text: &str, reading: &Reading) -> Result<Option<Sample>, Wrong> {
    let ping: Ping = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    if ping.kind.as_deref().is_some_and(|kind| kind != "ping") {
        return Err(Wrong::NotPing);
    }
    let Some((min, count)) = ping.answered() else {
        return Ok(None);
    };
    let from = ping.from.ok_or(Wrong::Missing("from"))?;
    let names = [ping.dst_addr, ping.dst_name];
    let region = names
        .iter()
        .flatten()
        .find_map(|name| reading.tables.region_of_target(name));
    let unknown = || match names.iter().flatten().next() {
        Some(name) => Wrong::UnknownTarget(shown(name)),
        None => Wrong::Missing("dst_addr"),
    };
    let who = ping.prb_id.map(|probe| client(("probe", probe), reading));
    let at = ping.timestamp.ok_or(Wrong::Missing("timestamp"))?;
    Ok(Some(Sample {
        at_s: at.seconds(reading)?,
        network: network(&from)?,
        region: region.ok_or_else(unknown)?.into(),
        rtt_us: us_of(min).ok_or_else(|| Wrong::Number {
            field: "min",
            text: min.to_string(),
        })?,
        count,
        weight: Kind::Atlas.weight(),
        kind: Kind::Atlas,
        client: Some(who.unwrap_or_else(|| client(from.parse::<IpAddr>().ok(), reading))),
    }))
}
