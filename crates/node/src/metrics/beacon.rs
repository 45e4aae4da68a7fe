//! What the beacon has measured, and what it has refused.

use super::text::{Kind, Page};
use crate::beacon::BeaconCounts;

/// All of it.
pub(super) fn write(page: &mut Page, counts: &BeaconCounts) {
    let mut taken = page.family(
        "meridian_beacon_requests_total",
        Kind::Counter,
        "Scripts and images that the beacon has answered with, and reports and agents' posts it took.",
    );
    for (what, count) in counts.taken() {
        taken.sample(&[("what", what)], count);
    }
    let mut refused = page.family(
        "meridian_beacon_refused_total",
        Kind::Counter,
        "What the beacon did not take or answer, by reason.",
    );
    for (reason, count) in counts.refusals() {
        refused.sample(&[("reason", reason)], count);
    }
    page.family(
        "meridian_beacon_dropped_total",
        Kind::Counter,
        "Samples that there was no room for.",
    )
    .sample(&[], counts.dropped_so_far());
    let times = counts.times();
    let mut samples = page.family(
        "meridian_beacon_samples_total",
        Kind::Counter,
        "Round trips that were measured, by who measured them and the region at the other end.",
    );
    for (kind, region, times) in &times {
        samples.sample(&[("kind", *kind), ("region", region)], times.count);
    }
    let mut sums = page.family(
        "meridian_beacon_round_trip_seconds_total",
        Kind::Counter,
        "How long those round trips took together.",
    );
    for (kind, region, times) in &times {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a sum of 2^53 microseconds is far away"
        )]
        let seconds = times.sum_us as f64 / 1e6;
        sums.sample(&[("kind", *kind), ("region", region)], seconds);
    }
}
