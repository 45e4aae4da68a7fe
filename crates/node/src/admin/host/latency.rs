//! `meridian latency`.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use meridian_atlas::{LatencyMap, Network, Origin, RegionIndex};
use meridian_latency::{Churn, Ground, Refused, Score, Truth, possible, spread};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::command::{Answer, Command};
use super::Host;
use super::transfer::{Connection, MAX_PORTION};
use crate::latency::wire::Portion;
use crate::latency::{
    self, Beginning, Built, Digest, Fate, Importing, Lot, Taken, Workshop, whole,
};

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
    // Whoever only answers can ask what a map is worth, too.
    let into = match command {
        Command::LatencyScore { offered } => {
            map(host)?;
            Taking::Truth(Truths::default(), *offered)
        }
        Command::LatencyImport { digest, again } => {
            match import(host, digest.as_deref(), *again)? {
                Beginning::Begins(importing) => Taking::Samples(importing),
                Beginning::WasMade { at_s } => return imported_before(host, connection, at_s),
            }
        }
        other => bail!("{other:?} takes no samples"),
    };
    stream_into(host, into, connection, ended)
}

fn import<'a>(host: &'a Host, digest: Option<&str>, again: bool) -> Result<Beginning<'a>> {
    let known = |text| Digest::parse(text).context("the file's digest is none");
    workshop(host)?.import(digest.map(known).transpose()?, again)
}

/// Says that nothing has to follow.
fn imported_before(host: &Host, connection: &mut Connection, at_s: u64) -> Result<Value> {
    let mut ready = latency::reading::ready(&host.latency.regions());
    ready["imported"] = time(at_s).into();
    let mut result = taken_shown(&Taken::default());
    result["imported_before"] = ready["imported"].clone();
    connection.write(&Answer::Progress(ready))?;
    Ok(result)
}

/// What becomes of samples that follow on a connection.
enum Taking<'a> {
    Samples(Importing<'a>),
    /// What a map is held against, with so many regions on offer.
    Truth(Truths, usize),
}

fn stream_into(
    host: &Host,
    mut into: Taking<'_>,
    connection: &mut Connection,
    ended: &watch::Receiver<()>,
) -> Result<Value> {
    let ready = latency::reading::ready(&host.latency.regions());
    connection.write(&Answer::Progress(ready))?;
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
        match &mut into {
            Taking::Samples(importing) => importing.take(&lot),
            Taking::Truth(truth, _) => truth.take(lot, host)?,
        }
        connection.write(&Answer::Progress(Value::Null))?;
    }
    match into {
        Taking::Samples(importing) => Ok(taken_shown(&importing.finish()?)),
        Taking::Truth(truth, offered) => score(host, truth, offered),
    }
}

/// What is true of clients, put together by their networks.
#[derive(Default)]
struct Truths {
    known: BTreeMap<IpAddr, BTreeMap<Box<str>, f32>>,
    refused: BTreeMap<Refused, u64>,
}

impl Truths {
    /// What cannot be true is none.
    fn take(&mut self, lot: Lot, host: &Host) -> Result<()> {
        let (atlas, regions) = (host.geo.atlas(), host.latency.regions());
        let ground = Ground {
            atlas: &atlas,
            regions: &regions,
            now_s: latency::now_s(),
        };
        for sample in lot.samples {
            if let Err(why) = possible(&sample, &ground) {
                *self.refused.entry(why).or_default() += 1;
                continue;
            }
            let address = sample.network.address();
            if self.known.len() >= MAX_TRUTH && !self.known.contains_key(&address) {
                bail!("the truth is told of more than {MAX_TRUTH} networks");
            }
            #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
            let ms = sample.rtt_us as f32 / 1000.0;
            let known = self.known.entry(address).or_default();
            known
                .entry(sample.region)
                .and_modify(|least| *least = least.min(ms))
                .or_insert(ms);
        }
        Ok(())
    }

    fn finish(self) -> (Vec<Truth>, BTreeMap<Refused, u64>) {
        let truth = |(address, regions): (IpAddr, BTreeMap<Box<str>, f32>)| Truth {
            address,
            regions: regions.into_iter().collect(),
        };
        (self.known.into_iter().map(truth).collect(), self.refused)
    }
}

fn taken_shown(taken: &Taken) -> Value {
    json!({
        "samples": taken.samples,
        "pairs": taken.pairs,
        "refused": taken.refused.values().sum::<u64>(),
        "impossible": taken.refused.get(&Refused::FasterThanLight).unwrap_or(&0),
        "refused_for": refused_shown(&taken.refused),
    })
}

fn refused_shown(refused: &BTreeMap<Refused, u64>) -> Value {
    let refused = refused.iter();
    let shown = refused.map(|(why, count)| (why.as_str().to_owned(), json!(count)));
    Value::Object(shown.collect())
}

fn score(host: &Host, truth: Truths, offered: usize) -> Result<Value> {
    let (truth, refused) = truth.finish();
    let map = map(host)?;
    let ground = Ground {
        atlas: &host.geo.atlas(),
        regions: &host.latency.regions(),
        now_s: latency::now_s(),
    };
    let scores = meridian_latency::score(&map, &ground, &truth, offered);
    // As exactly as round trips are told.
    let ms = |ms: f32| (f64::from(ms) * 1000.0).round() / 1000.0;
    let shown = |score: &Score| {
        json!({
            "choices": score.choices,
            "right": score.right,
            "mean_ms": ms(score.mean_ms),
            "p50_ms": ms(score.p50_ms),
            "p90_ms": ms(score.p90_ms),
            "p95_ms": ms(score.p95_ms),
            "p99_ms": ms(score.p99_ms),
            "max_ms": ms(score.max_ms),
        })
    };
    Ok(json!({
        "clients": truth.len(),
        "refused": refused.values().sum::<u64>(),
        "refused_for": refused_shown(&refused),
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
