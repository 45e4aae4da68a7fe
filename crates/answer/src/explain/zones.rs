//! The zones that a name lies in, and why one of them answers. Which one that is comes from
//! `lookup`; here is only what is said of the others.

use std::cmp::Reverse;

use super::{Ask, ZoneConsidered, ZoneOutcome, ZoneSeen};
use crate::{World, ZoneImage};

/// Every zone that the name lies in. Looks at all zones.
pub(super) fn considered(
    world: &World,
    ask: &Ask<'_>,
    answers: Option<&ZoneImage>,
) -> Vec<ZoneConsidered> {
    let private = world.private.as_ref();
    let seen = private.and_then(|private| private.seen_by(ask.source));
    let is_seen = |zone: &ZoneImage| {
        let meta = &zone.meta;
        seen.is_some_and(|seen| seen.image(zone.hash, &meta.apex, meta.generation).is_some())
    };
    let name = ask.name.to_lowercase();
    let holding = world.zones().filter(|zone| name.is_within(&zone.meta.apex));
    let mut zones: Vec<&ZoneImage> = holding.map(|zone| &**zone).collect();
    zones.sort_by_key(|zone| {
        let meta = &zone.meta;
        (Reverse(zone.apex_labels), meta.created_at, meta.generation)
    });
    let outcome = |zone: &ZoneImage| {
        let Some(answers) = answers else {
            return match (zone.vpcs(), zone.is_visible(ask.view.0)) {
                (Some(_), _) if !is_seen(zone) => ZoneOutcome::NotInVpc,
                (None, false) => ZoneOutcome::NotInView,
                _ => ZoneOutcome::NotAsked,
            };
        };
        if answers.meta.generation == zone.meta.generation {
            return ZoneOutcome::Answers;
        }
        match (zone.vpcs(), answers.vpcs()) {
            (Some(_), _) if !is_seen(zone) => return ZoneOutcome::NotInVpc,
            (None, _) if !zone.is_visible(ask.view.0) => return ZoneOutcome::NotInView,
            (None, Some(_)) => return ZoneOutcome::BehindPrivate,
            _ => {}
        }
        match zone.apex_labels.cmp(&answers.apex_labels) {
            std::cmp::Ordering::Less => ZoneOutcome::Shorter,
            std::cmp::Ordering::Equal => ZoneOutcome::Younger,
            std::cmp::Ordering::Greater => ZoneOutcome::Parents,
        }
    };
    let considered = zones.into_iter().map(|zone| ZoneConsidered {
        zone: ZoneSeen::of(zone),
        outcome: outcome(zone),
    });
    considered.collect()
}
