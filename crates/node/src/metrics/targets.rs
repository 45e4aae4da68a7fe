//! What metrics tell of external alias targets.

use crate::targets::Targets;

use super::text::{Kind, Page};

/// Writes all of it.
pub(super) fn write(page: &mut Page, targets: &Targets) {
    let counts = targets.counts();
    let mut family = page.family(
        "meridian_alias_targets",
        Kind::Gauge,
        "External alias targets by what is known of them.",
    );
    for (state, count) in [
        ("answers", counts.answers - counts.held),
        ("held", counts.held),
        ("no-data", counts.no_data),
        ("no-such-name", counts.no_such_name),
        ("unknown", counts.unknown),
        ("left-out", counts.left_out),
    ] {
        family.sample(&[("state", state)], count);
    }
    page.family(
        "meridian_alias_targets_oldest_seconds",
        Kind::Gauge,
        "How long ago the oldest answer was heard that is held.",
    )
    .sample(&[], counts.oldest_s);
    page.family(
        "meridian_alias_targets_table_seconds",
        Kind::Gauge,
        "How long it took to make the table of targets that answers go by.",
    )
    .sample(&[], targets.table_took().as_secs_f64());
    let lookups = targets.lookups();
    let mut family = page.family(
        "meridian_alias_target_lookups_total",
        Kind::Counter,
        "How often resolvers were asked for an external alias target, by what came of it.",
    );
    for (outcome, count) in lookups.outcomes() {
        family.sample(&[("outcome", outcome)], count);
    }
    let mut family = page.family(
        "meridian_alias_target_failures_total",
        Kind::Counter,
        "How often no resolver could say what an external alias target is, by why.",
    );
    for (reason, count) in lookups.failures() {
        family.sample(&[("reason", reason)], count);
    }
}
