//! Two maps side by side, for `meridian latency diff`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use meridian_atlas::LatencyMap;
use meridian_latency::{Networks, moves};
use serde_json::{Value, json};

/// Who goes elsewhere by the later map when these regions are on offer, all if there are none.
pub(crate) fn compared(old: &LatencyMap, new: &LatencyMap, regions: &[String]) -> Result<Value> {
    let both = [old, new].into_iter().flat_map(LatencyMap::regions);
    let known: BTreeSet<&str> = both.map(|region| &*region.name).collect();
    if let Some(unknown) = regions.iter().find(|name| !known.contains(name.as_str())) {
        bail!("neither latency map has a region '{unknown}'");
    }
    let offered: Vec<&str> = match regions {
        [] => known.into_iter().collect(),
        some => some.iter().map(String::as_str).collect(),
    };
    let told = moves(old, new, &offered);
    let shown = told.moves.iter().map(|it| {
        json!({
            "country": it.country.map(|country| country.to_string()),
            "from": it.from,
            "to": it.to,
            "ipv4_24s": whole(it.networks.v4),
            "ipv6_48s": whole(it.networks.v6),
            "gain_ms": (f64::from(it.gain_ms) * 10.0).round() / 10.0,
        })
    });
    // Networks of one family are not to vanish among the many more of the other.
    let family = |of: fn(Networks) -> f64| {
        let known = of(told.known);
        if known > 0.0 {
            of(told.moved) / known
        } else {
            0.0
        }
    };
    let (v4, v6) = (family(|it| it.v4), family(|it| it.v6));
    Ok(json!({
        "old": old.build(),
        "new": new.build(),
        "moves": shown.collect::<Value>(),
        "moved_ipv4": v4,
        "moved_ipv6": v6,
        "moved_share": v4.max(v6),
    }))
}

/// A number of networks, to people: the next whole one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, and less than there are addresses of 48 bits"
)]
pub(crate) fn whole(count: f64) -> u64 {
    count.round() as u64
}
