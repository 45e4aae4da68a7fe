//! Generations written unseen: bounded entries, publishing, and what is left of those given up.

use std::sync::atomic::Ordering;

use meridian_control::Fault;
use meridian_dns::{Name, RecordType};
use meridian_model::{Generation, RecordSet, State, plan_publish_generation};

use crate::bench::{Bench, caller};

/// Sets of a generation that is being written.
fn drafted(n: usize) -> RecordSet {
    let name = Name::parse(&format!("n{n}.site.test")).unwrap();
    RecordSet::simple(name, RecordType::A, 60, vec!["192.0.2.1".to_owned()])
}

fn all_sets(bench: &Bench) -> usize {
    let state = bench.tables.read().unwrap();
    let mut count = 0;
    for generation in 0..9 {
        let sets = state.sets_from(Generation(generation), None, usize::MAX);
        count += sets.unwrap().len();
    }
    count
}

#[test]
fn a_generation_given_up_leaves_nothing_and_a_published_one_is_the_zone() {
    let bench = Bench::new();
    let (control, me) = (&bench.control, caller(&bench.operator));
    let id = bench.zone(&me, "site.test");
    let zone = control.hosted_zone(&me, &id).unwrap().zone;
    let before = all_sets(&bench);
    let mut draft = control
        .begin_generation("test", &zone.account, &zone.id)
        .unwrap();
    let entries = bench.entries();
    for n in 0..9_000 {
        draft.put(drafted(n)).unwrap();
    }
    // Entries are bounded, and far fewer than sets.
    let written = bench.entries() - entries;
    assert!((2..20).contains(&written), "{written}");
    draft.flush().unwrap();
    assert!(
        !control.collect_generations().unwrap(),
        "somebody writes it"
    );
    assert_eq!(control.hosted_zone(&me, &id).unwrap().record_set_count, 2);
    drop(draft);
    let mut steps = 0;
    while control.collect_generations().unwrap() {
        steps += 1;
        assert!(steps < 9, "collecting does not end");
    }
    control.accounts().unwrap();
    assert_eq!((all_sets(&bench), steps), (before, 2));

    let mut draft = control
        .begin_generation("test", &zone.account, &zone.id)
        .unwrap();
    draft.put(drafted(1)).unwrap();
    let generation = draft.generation();
    let published = draft.publish(|snapshot, facts| {
        let zone = snapshot
            .zone(&zone.id)
            .map_err(|error| Fault::Storage(error.to_string()))?;
        let effects = plan_publish_generation(&zone.unwrap(), generation, facts.now);
        Ok::<_, Fault>((effects, ()))
    });
    published.unwrap();
    assert_eq!(control.hosted_zone(&me, &id).unwrap().record_set_count, 1);
    assert!(
        !control.collect_generations().unwrap(),
        "history needs the old one"
    );
    bench
        .now
        .fetch_add(91 * 24 * 60 * 60 * 1000, Ordering::Relaxed);
    while control.collect_generations().unwrap() {}
    control.accounts().unwrap();
    assert_eq!(all_sets(&bench), before - 2 + 1);
}
