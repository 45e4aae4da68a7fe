//! Results of pings by probes of RIPE Atlas, as its API gives them.

use std::net::IpAddr;

use serde::Deserialize;

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
    timestamp: Option<Time>,
    prb_id: Option<u64>,
}

/// A result; none where no packet came back.
pub(super) fn read(text: &str, reading: &Reading) -> Result<Option<Sample>, Wrong> {
    let ping: Ping = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    if ping.kind.as_deref().is_some_and(|kind| kind != "ping") {
        return Err(Wrong::NotPing);
    }
    // Atlas tells a minimum of -1 then.
    let (Some(min), Some(count)) = (ping.min.filter(|ms| *ms > 0.0), ping.rcvd) else {
        return Ok(None);
    };
    if count == 0 {
        return Ok(None);
    }
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
