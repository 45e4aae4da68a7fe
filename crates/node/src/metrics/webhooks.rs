//! What metrics tell of webhooks.

use std::sync::Arc;

use crate::webhooks::Hook;

use super::text::{Kind, Page};

/// Writes all of it.
pub(super) fn write(page: &mut Page, hooks: &[Arc<Hook>]) {
    let fared = hooks.iter().map(|hook| (hook.name.as_str(), hook.fared()));
    let fared: Vec<_> = fared.collect();
    let mut family = page.family(
        "meridian_webhook_flips_total",
        Kind::Counter,
        "Flips of health checks by what became of telling a webhook.",
    );
    for (name, fared) in &fared {
        for (outcome, count) in [("sent", fared.sent), ("dropped", fared.dropped)] {
            family.sample(&[("webhook", name), ("outcome", outcome)], count);
        }
    }
    let mut family = page.family(
        "meridian_webhook_retries_total",
        Kind::Counter,
        "How often something was told a webhook once more.",
    );
    for (name, fared) in &fared {
        family.sample(&[("webhook", name)], fared.retried);
    }
    let mut family = page.family(
        "meridian_webhook_waiting",
        Kind::Gauge,
        "Flips that wait to be told a webhook, beside those that are being told.",
    );
    for (name, fared) in &fared {
        family.sample(&[("webhook", name)], fared.waiting);
    }
}
