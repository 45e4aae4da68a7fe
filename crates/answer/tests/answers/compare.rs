//! Random zones against the oracle, and images made in different ways against each other.

use std::sync::Arc;

use meridian_answer::{World, ZoneChange, ZoneImage};
use meridian_dns::Name;
use meridian_model::{ProbeRights, RecordSet};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::oracle::Oracle;
use crate::scenario::{Ask, Expected, Zone};
use crate::wire::normal;
use crate::zones::{KEY, Rows, image, meta, rows, world};
use crate::{random, wire};

/// All replies as bytes, asked in batches as long as they can be.
fn replies(world: &World, queries: &[(u8, Ask)]) -> Vec<Vec<u8>> {
    let mut replies = vec![Vec::new(); queries.len()];
    for view in 0..2 {
        let mine: Vec<usize> = (0..queries.len())
            .filter(|&i| queries[i].0 == view)
            .collect();
        for places in mine.chunks(meridian_answer::BATCH) {
            let asks: Vec<Ask> = places.iter().map(|&i| queries[i].1.clone()).collect();
            for (place, reply) in places.iter().zip(wire::answer_all(world, view, 7, &asks)) {
                replies[*place] = reply;
            }
        }
    }
    replies
}

/// The normal form without the case of owners, which pointers into the question take over.
fn folded(mut reply: Expected) -> Expected {
    for record in reply.sections.iter_mut().flatten() {
        record.owner.make_ascii_lowercase();
    }
    normal(reply)
}

/// The sets of both, name by name: what has to be given to turn one into the other.
fn changes(from: &Rows, to: &Rows) -> Vec<(Name, Vec<RecordSet>)> {
    let mut names: Vec<&Vec<u8>> = from.keys().chain(to.keys()).collect();
    names.sort();
    names.dedup();
    let different = names
        .into_iter()
        .filter(|name| from.get(*name) != to.get(*name));
    let change = |name| {
        let none = || (from[name].0.clone(), Vec::new());
        to.get(name).cloned().unwrap_or_else(none)
    };
    different.map(change).collect()
}

fn with_names(image: &ZoneImage, names: &[(Name, Vec<RecordSet>)]) -> ZoneImage {
    let names = names.iter().map(|(name, sets)| (name, sets.as_slice()));
    let last_changed = image.meta().last_changed;
    image.with_names(KEY, last_changed, names).unwrap()
}

/// A quarter of the cases that are usual, or that PROPTEST_CASES says: they are slow.
fn quarter() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases / 4,
        ..usual
    }
}

proptest! {
    #![proptest_config(quarter())]

    #[test]
    fn replies_are_what_the_oracle_says(zones in random::zones(), queries in random::queries()) {
        let (world, oracle) = (world(&zones), Oracle::new(&zones));
        for ((view, ask), bytes) in queries.iter().zip(replies(&world, &queries)) {
            let reply = folded(wire::read(ask, &bytes));
            let right: Vec<_> = oracle.replies(*view, ask).into_iter().map(folded).collect();
            prop_assert!(
                right.contains(&reply),
                "view {} {:?}\n{:#?}\nexpected {:#?}", view, ask, reply, right
            );
        }
    }

    #[test]
    fn images_changed_step_by_step_answer_as_if_built_whole(
        before in random::zones(),
        after in random::zones(),
        steps in vec(1..40usize, 20),
        queries in random::queries(),
    ) {
        let zone = |zones: &[Zone], place| {
            let apex = Name::root();
            let sets = rows(&Vec::from_iter(zones.iter().flat_map(|z| z.sets.iter().cloned())));
            let views = vec![0, 1];
            let rights = ProbeRights::Everything;
            let zone = Zone { apex, views, vpcs: None, rights, sets: Vec::new() };
            (meta(&zone, place), sets)
        };
        let ((meta, from), (_, to)) = (zone(&before, 0), zone(&after, 0));
        let mut image_now = image(meta.clone(), &from);
        let changes = changes(&from, &to);
        let mut left = changes.as_slice();
        for step in steps.into_iter().chain([usize::MAX]) {
            let (now, later) = left.split_at(step.min(left.len()));
            image_now = with_names(&image_now, now);
            left = later;
        }
        let whole = World::new(KEY, vec![Arc::new(image(meta, &to))]);
        let stepped = World::new(KEY, vec![Arc::new(image_now)]);
        prop_assert_eq!(replies(&stepped, &queries), replies(&whole, &queries));
        let (a, b) = (stepped.size(), whole.size());
        prop_assert_eq!((a.zones, a.names, a.sets), (b.zones, b.names, b.sets));
    }

    #[test]
    fn worlds_changed_step_by_step_answer_as_if_made_whole(
        zones in vec(random::zones(), 1..4),
        steps in vec(vec((0..8usize, 0..3u8), 0..6), 1..12),
        queries in random::queries(),
    ) {
        let zones: Vec<Zone> = zones.into_iter().flatten().collect();
        let images: Vec<Arc<ZoneImage>> = zones.iter().enumerate()
            .map(|(i, zone)| Arc::new(image(meta(zone, i), &rows(&zone.sets))))
            .collect();
        let mut now: Vec<Option<Arc<ZoneImage>>> = vec![None; images.len()];
        let mut world = World::new(KEY, Vec::new());
        for step in steps {
            let mut batch = Vec::new();
            let mut touched = Vec::new();
            for (place, kind) in step {
                let place = place % images.len();
                if touched.contains(&place) {
                    continue;
                }
                touched.push(place);
                let image = Arc::clone(&images[place]);
                now[place] = match kind {
                    0 => None,
                    1 => Some(Arc::clone(&image)),
                    _ => Some(Arc::new(image.with_views(2))),
                };
                batch.push(match &now[place] {
                    Some(image) => ZoneChange::Put(Arc::clone(image)),
                    None => ZoneChange::Remove(image),
                });
            }
            world = world.changed(&batch);
            let whole = World::new(KEY, now.iter().flatten().cloned().collect());
            prop_assert_eq!(replies(&world, &queries), replies(&whole, &queries));
            prop_assert_eq!(world.size(), whole.size());
        }
    }
}
