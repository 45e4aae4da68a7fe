//! What metrics tell of latency maps and of the samples that they are built from.

use std::sync::Arc;

use crate::latency::{Latency, Now, Workshop, now_s};

use super::text::{Kind, Page};

/// Writes all of it; of builds only where maps are built here.
pub(super) fn write(page: &mut Page, latency: &Latency) {
    let now = latency.now();
    map(page, &now);
    build(page, &now);
    if let Some(workshop) = latency.workshop() {
        samples(page, &workshop);
    }
    page.family(
        "meridian_latency_samples_dropped_total",
        Kind::Counter,
        "Samples that there was no room for.",
    )
    .sample(&[], latency.sink().dropped());
}

fn map(page: &mut Page, now: &Now) {
    let mut family = page.family(
        "meridian_latency_map_loads_total",
        Kind::Counter,
        "Latency maps by whether they were taken.",
    );
    family.sample(&[("outcome", "taken")], now.taken);
    family.sample(&[("outcome", "refused")], now.refusals);
    page.family(
        "meridian_latency_map_waits",
        Kind::Gauge,
        "Whether a latency map waits to be accepted.",
    )
    .sample(&[], u8::from(now.waiting.is_some()));
    let Some(map) = &now.map else {
        return;
    };
    let size = map.size();
    let age_s = now_s().saturating_sub(map.made_s());
    let mut gauge = |name, help, value: u64| {
        page.family(name, Kind::Gauge, help).sample(&[], value);
    };
    gauge(
        "meridian_latency_map_build",
        "The number of the latency map in use.",
        map.build(),
    );
    gauge(
        "meridian_latency_map_age_seconds",
        "How long ago the latency map in use was made.",
        age_s,
    );
    gauge(
        "meridian_latency_map_bytes",
        "Memory of the latency map in use.",
        size.bytes as u64,
    );
    let mut family = page.family(
        "meridian_latency_map_ranges",
        Kind::Gauge,
        "Ranges of addresses of the latency map in use.",
    );
    family.sample(&[("family", "ipv4")], size.v4);
    family.sample(&[("family", "ipv6")], size.v6);
}

fn build(page: &mut Page, now: &Now) {
    let Some(built) = &now.built else {
        return;
    };
    let report = &built.report;
    page.family(
        "meridian_latency_build_seconds",
        Kind::Gauge,
        "How long the last build took.",
    )
    .sample(&[], built.took.as_secs_f64());
    let mut family = page.family(
        "meridian_latency_coverage_ratio",
        Kind::Gauge,
        "Shares of the last build: of addresses that have a row, and of samples whose fastest region \
         was measured.",
    );
    family.sample(&[("of", "ipv4")], report.coverage.v4);
    family.sample(&[("of", "ipv6")], report.coverage.v6);
    family.sample(&[("of", "measured")], report.coverage.measured);
    let mut family = page.family(
        "meridian_latency_churn_ratio",
        Kind::Gauge,
        "Shares that the last build moves elsewhere.",
    );
    if let Some(churn) = &report.churn {
        family.sample(&[("of", "ipv4")], churn.v4);
        family.sample(&[("of", "ipv6")], churn.v6);
        family.sample(&[("of", "clients")], churn.clients);
    }
    let mut family = page.family(
        "meridian_latency_regret_seconds",
        Kind::Gauge,
        "What clients lose beside the fastest region, by samples that the last build was not made of.",
    );
    if let Some(score) = &report.held_out {
        for (quantile, ms) in [
            ("0.5", score.p50_ms),
            ("0.9", score.p90_ms),
            ("0.95", score.p95_ms),
            ("0.99", score.p99_ms),
        ] {
            family.sample(&[("quantile", quantile)], f64::from(ms) / 1000.0);
        }
    }
    let mut family = page.family(
        "meridian_latency_right_ratio",
        Kind::Gauge,
        "The share of those samples whose fastest region is the map's.",
    );
    if let Some(score) = &report.held_out {
        family.sample(&[], score.right);
    }
}

fn samples(page: &mut Page, workshop: &Arc<Workshop>) {
    let stock = workshop.stock();
    page.family(
        "meridian_latency_networks",
        Kind::Gauge,
        "Networks that samples are kept of.",
    )
    .sample(&[], stock.size.keys);
    page.family(
        "meridian_latency_samples_bytes",
        Kind::Gauge,
        "Memory of what samples came to.",
    )
    .sample(&[], stock.size.bytes);
    let mut family = page.family(
        "meridian_latency_samples_total",
        Kind::Counter,
        "Samples that were taken, by who measured them.",
    );
    for (kind, count) in &stock.taken {
        family.sample(&[("kind", kind.as_str())], count);
    }
    let mut family = page.family(
        "meridian_latency_samples_refused_total",
        Kind::Counter,
        "Samples that were not taken, and why.",
    );
    for (why, count) in stock.tally.refused.iter() {
        family.sample(&[("reason", why.as_str())], count);
    }
}
