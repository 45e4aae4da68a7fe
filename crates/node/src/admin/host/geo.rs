//! `meridian geo`.

use std::net::IpAddr;
use std::time::SystemTime;

use anyhow::Result;
use meridian_atlas::{Network, Source};
use serde_json::{Value, json};

use super::Host;

/// A look-up by the code that answers queries, in the atlas that they are answered by.
pub(super) fn look_up(host: &Host, address: IpAddr) -> Result<Value> {
    let now = host.geo.now();
    let found = now.atlas.look_up(address);
    let place = found.place;
    let text = |part: Option<&dyn ToString>| part.map(ToString::to_string);
    let scope = found.scope;
    let operator = now.atlas.operator(address);
    Ok(json!({
        "address": address,
        "network": Network::new(address, scope.record).map(|network| network.to_string()),
        "continent": text(place.continent.as_ref().map(|continent| continent as _)),
        "country": text(place.country.as_ref().map(|country| country as _)),
        "subdivision": text(place.subdivision.as_ref().map(|subdivision| subdivision as _)),
        "point": place.point.map(|point| json!({
            "latitude": degrees(point.latitude()),
            "longitude": degrees(point.longitude()),
            "of_country": place.is_country_wide(),
        })),
        "asn": operator.and_then(|operator| operator.asn),
        "operator": operator.and_then(|operator| operator.name.as_deref()),
        "source": found.source.map(|source| source.name.clone()),
        "scopes": {
            "record": scope.record,
            "subdivision": scope.subdivision,
            "country": scope.country,
            "continent": scope.continent,
        },
    }))
}

pub(super) fn status(host: &Host) -> Result<Value> {
    let now = host.geo.now();
    let size = now.atlas.size();
    let source = |source: &Source| {
        json!({
            "name": source.name,
            "kind": source.kind,
            "made": source.made.map(time),
            "notice": source.notice,
        })
    };
    let since_1970 = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok();
    let loaded = now.made.and_then(|(at, _)| since_1970(at));
    Ok(json!({
        "sources": now.atlas.sources().iter().map(source).collect::<Vec<_>>(),
        "failure": now.failure,
        "loaded": loaded.map(|at| time(at.as_secs())),
        "took_ms": now.made.map(|(_, took)| took.as_millis()),
        "ranges": { "ipv4": size.v4, "ipv6": size.v6 },
        "places": size.places,
        "bytes": size.bytes,
    }))
}

/// A time for people and programs.
fn time(seconds: u64) -> String {
    let second = i64::try_from(seconds).ok();
    let second = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    second.unwrap_or_default().to_string()
}

/// A coordinate as it was written down: in fewer digits than a float of twice the width shows.
fn degrees(degrees: f32) -> Value {
    degrees
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}
