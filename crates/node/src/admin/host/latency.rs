//! `meridian latency`.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use meridian_atlas::{LatencyMap, Network, Origin, RegionIndex};
use meridian_latency::{Churn, Refused, Score, Truth, spread};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::command::{Answer, Command};
use super::Host;
use super::transfer::{Connection, MAX_PORTION};
use crate::latency::wire::Portion;
use crate::latency::{self, Built, Fate, Lot, Taken, Workshop, whole};

/// Clients whose truth is known, of one file.
const MAX_TRUTH: usize = 2_000_000;

/// Does what is done with one answer.
pub(super) fn carry_out(host: &Host, command: Command) -> Result<Value> {
    match command {
        Command::LatencyStatus => Ok(status(host)),
        Command::LatencyShow { address } => show(host, address),
        Command::LatencyMap { regions } => who_goes_where(host, &regions),
        Command::LatencyBuild => match workshop(host)?.build()? {
            Some((built, fate)) => Ok(outcome(&built, fate)),
            None => bail!("there is nothing to build from: import samples first"),
        },
        Command::LatencyAccept => Ok(json!({ "accepted": workshop(host)?.accept()? })),
        other => bail!("{other:?} is not about latencies"),
    }
}

fn workshop(host: &Host) -> Result<&Arc<Workshop>> {
    let workshop = host.workshop.as_ref();
    workshop.context("this node builds no latency maps (latency.build = false)")
}

fn map(host: &Host) -> Result<Arc<LatencyMap>> {
    let map = host.latency.map();
    map.context("there is no latency map yet: regions are as fast as they are near")
}

/// Takes samples that follow on the connection. It is given up when the server has `ended`; what
/// was taken before is kept.
pub(super) fn stream(
    host: &Host,
    command: &Command,
    connection: &mut Connection,
    ended: &watch::Receiver<()>,
) -> Result<Value> {
    let workshop = workshop(host)?;
    if let Command::LatencyScore { .. } = command {
        map(host)?;
    }
    let ready = latency::reading::ready(&host.latency.regions());
    connection.write(&Answer::Progress(ready))?;
    let mut taken = Taken::default();
    let mut truth = Truths::default();
    let mut lines = connection.lines()?;
    let mut line = Vec::new();
    // Ends with the client's last portion, or with the client.
    loop {
        line.clear();
        if ended.has_changed().unwrap_or(true) {
            bail!("the server ends or is being replaced: what came before is kept");
        }
        let mut portion = lines.by_ref().take(MAX_PORTION);
        let read = portion.read_until(b'\n', &mut line);
        if read.context("the client is silent")? == 0 {
            bail!("the client is gone: what came before is kept");
        }
        let rows = match serde_json::from_slice(&line)? {
            Portion::Records(rows) => rows,
            Portion::End => break,
        };
        let mut lot = Lot::default();
        for row in rows {
            if !row.put_to(&mut lot) {
                bail!("a row is none that this version of the command line sends");
            }
        }
        match command {
            Command::LatencyScore { .. } => truth.take(lot)?,
            _ => taken.add(workshop.take(&lot)),
        }
        connection.write(&Answer::Progress(Value::Null))?;
    }
    match command {
        Command::LatencyScore { offered } => score(workshop, &truth.finish(), *offered),
        _ => {
            workshop.keep()?;
            Ok(taken_shown(&taken))
        }
    }
}

/// What is true of clients, put together by their networks.
#[derive(Default)]
struct Truths(BTreeMap<IpAddr, BTreeMap<Box<str>, f32>>);

impl Truths {
    fn take(&mut self, lot: Lot) -> Result<()> {
        for sample in lot.samples {
            let address = sample.network.address();
            if self.0.len() >= MAX_TRUTH && !self.0.contains_key(&address) {
                bail!("the truth is told of more than {MAX_TRUTH} networks");
            }
            #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
            let ms = sample.rtt_us as f32 / 1000.0;
            let known = self.0.entry(address).or_default();
            known
                .entry(sample.region)
                .and_modify(|least| *least = least.min(ms))
                .or_insert(ms);
        }
        Ok(())
    }

    fn finish(self) -> Vec<Truth> {
        let truth = |(address, regions): (IpAddr, BTreeMap<Box<str>, f32>)| Truth {
            address,
            regions: regions.into_iter().collect(),
        };
        self.0.into_iter().map(truth).collect()
    }
}

fn taken_shown(taken: &Taken) -> Value {
    let refused = taken.refused.iter();
    let refused = refused.map(|(why, count)| (why.as_str().to_owned(), json!(count)));
    json!({
        "samples": taken.samples,
        "pairs": taken.pairs,
        "refused": taken.refused.values().sum::<u64>(),
        "impossible": taken.refused.get(&Refused::FasterThanLight).unwrap_or(&0),
        "refused_for": Value::Object(refused.collect()),
    })
}

fn score(workshop: &Workshop, truth: &[Truth], offered: usize) -> Result<Value> {
    let scores = workshop
        .score(truth, offered)
        .context("there is no latency map")?;
    let shown = |score: &Score| {
        json!({
            "choices": score.choices,
            "right": score.right,
            "mean_ms": score.mean_ms,
            "p50_ms": score.p50_ms,
            "p90_ms": score.p90_ms,
            "p95_ms": score.p95_ms,
            "p99_ms": score.p99_ms,
            "max_ms": score.max_ms,
        })
    };
    Ok(json!({
        "clients": truth.len(),
        "offered": offered,
        "map": shown(&scores.map),
        "distance": shown(&scores.distance),
    }))
}

fn time(seconds: u64) -> String {
    let second = i64::try_from(seconds).ok();
    let second = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
    second.unwrap_or_default().to_string()
}

fn outcome(built: &Built, fate: Fate) -> Value {
    let mut shown = built_shown(built);
    shown["in_use"] = (fate == Fate::InUse).into();
    shown
}

fn built_shown(built: &Built) -> Value {
    let report = &built.report;
    let churn = |churn: &Churn| {
        json!({
            "ipv4": churn.v4,
            "ipv6": churn.v6,
            "clients": churn.clients,
            "most": churn.most(),
        })
    };
    json!({
        "build": built.build,
        "made": time(built.made_s),
        "took_ms": built.took.as_millis(),
        "networks": report.keys,
        "own_rows": report.published,
        "places": report.places,
        "held": report.held,
        "churn": report.churn.as_ref().map(churn),
        "coverage": {
            "ipv4": report.coverage.v4,
            "ipv6": report.coverage.v6,
            "measured": report.coverage.measured,
        },
        "regret": report.held_out.as_ref().map(|score| json!({
            "choices": score.choices,
            "right": score.right,
            "mean_ms": score.mean_ms,
            "p95_ms": score.p95_ms,
            "p99_ms": score.p99_ms,
        })),
    })
}

fn status(host: &Host) -> Value {
    let now = host.latency.now();
    let map = now.map.as_ref().map(|map| {
        let size = map.size();
        json!({
            "build": map.build(),
            "made": time(map.made_s()),
            "age_s": latency::now_s().saturating_sub(map.made_s()),
            "regions": map.regions().len(),
            "ranges": { "ipv4": size.v4, "ipv6": size.v6 },
            "rows": size.rows,
            "bytes": size.bytes,
        })
    });
    let stock = host.workshop.as_ref().map(|workshop| {
        let stock = workshop.stock();
        let taken = stock.taken.iter();
        let taken = taken.map(|(kind, count)| (kind.as_str().to_owned(), json!(count)));
        let refused = stock.tally.refused.iter().filter(|(_, count)| *count > 0);
        let refused = refused.map(|(why, count)| (why.as_str().to_owned(), json!(count)));
        json!({
            "networks": stock.size.keys,
            "max_networks": stock.rules.max_keys,
            "bytes": stock.size.bytes,
            "newest": stock.newest_s.map(time),
            "pairs": stock.pairs,
            "taken": Value::Object(taken.collect()),
            "folded": stock.tally.folded,
            "held_out": stock.tally.held_out,
            "shifts": stock.tally.shifts,
            "evicted": stock.tally.evicted,
            "refused": Value::Object(refused.collect()),
        })
    });
    json!({
        "builds": host.workshop.is_some(),
        "map": map,
        "waiting": now.waiting.map(|waiting| json!({
            "build": waiting.build,
            "churn": waiting.churn,
        })),
        "last_build": now.built.as_ref().map(built_shown),
        "samples": stock,
        "dropped": host.latency.sink().dropped(),
        "refused_map": now.refused,
        "failure": now.failure,
    })
}

fn show(host: &Host, address: IpAddr) -> Result<Value> {
    let map = map(host)?;
    let Some(found) = map.look_up(address) else {
        return Ok(json!({
            "address": address,
            "network": null,
            "build": map.build(),
            "regions": [],
        }));
    };
    let places = (0..=u8::MAX).map(RegionIndex).zip(map.regions());
    let mut regions: Vec<(f32, Value)> = places
        .filter_map(|(index, region)| {
            let ms = found.ms(index)?;
            let shown = json!({
                "region": region.name,
                "ms": tenths(ms),
                "from": origin(found.origin(index)),
            });
            Some((ms, shown))
        })
        .collect();
    regions.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let scope = found.scope();
    let network = |len| Network::new(address, len).map(|network| network.to_string());
    Ok(json!({
        "address": address,
        "network": network(scope.record),
        "same_order": network(scope.order),
        "country": found.country().map(|country| country.to_string()),
        "samples": found.samples(),
        "confidence_percent": found.confidence(),
        "age_h": age_h(&map, found.age_h(), found.samples()),
        "build": map.build(),
        "made": time(map.made_s()),
        "regions": regions.into_iter().map(|(_, shown)| shown).collect::<Value>(),
    }))
}

/// How old the newest sample is by now; none where there is none.
fn age_h(map: &LatencyMap, then: u16, samples: u32) -> Option<u64> {
    let since_s = latency::now_s().saturating_sub(map.made_s());
    (samples > 0).then(|| u64::from(then) + since_s / 3600)
}

/// Milliseconds to a tenth: the scale of maps is no finer.
fn tenths(ms: f32) -> f64 {
    (f64::from(ms) * 10.0).round() / 10.0
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Measured => "measured",
        Origin::Inherited => "inherited",
        Origin::Model => "model",
    }
}

fn who_goes_where(host: &Host, regions: &[String]) -> Result<Value> {
    let map = map(host)?;
    let all = map.regions().iter().map(|region| &*region.name);
    let regions: Vec<&str> = match regions {
        [] => all.collect(),
        some => some.iter().map(String::as_str).collect(),
    };
    if let Some(unknown) = regions.iter().find(|name| map.region(name).is_none()) {
        bail!("the latency map has no region '{unknown}'");
    }
    let flows = spread(&map, &regions);
    let shown = flows.iter().map(|flow| {
        json!({
            "country": flow.country.map(|country| country.to_string()),
            "region": flow.region,
            "ipv4_24s": whole(flow.networks.v4),
            "ipv6_48s": whole(flow.networks.v6),
            "ms": tenths(flow.ms),
        })
    });
    Ok(json!({ "build": map.build(), "flows": shown.collect::<Value>() }))
}
