//! What zones were: every version is found again, over changes and over replacements, for as far
//! as it is kept.

use meridian_control::{
    AdminError, ChangeProtections, ExistingSets, ImportOutcome, ImportRequest, ImportRoom,
    ImportTarget, ImportedApex, ImportedSet, InvalidSets, RestoreOutcome,
};
use meridian_dns::RecordType;
use meridian_model::{Draft, ProtectionDraft, RecordSet, Seq};

use crate::bench::{Bench, batch, caller, records};

/// The sets of the zone, and the entry after which it has them.
fn version(bench: &Bench, id: &str) -> (Seq, Vec<RecordSet>) {
    let me = caller(&bench.operator);
    let page = bench.control.list_record_sets(&me, &records(id)).unwrap();
    (Seq(bench.entries()), page.sets)
}

fn replace(bench: &Bench, id: &str, names: &[&str], value: &str) {
    let request = ImportRequest {
        target: ImportTarget::Zone(id.to_owned()),
        account: None,
        existing: ExistingSets::Replace,
        apex: ImportedApex::Keep,
        invalid: InvalidSets::Refuse,
        room: ImportRoom::Quota,
        outcome: ImportOutcome::Publish,
    };
    let mut import = bench.control.begin_import(request).unwrap();
    for (place, name) in (1..).zip(names) {
        let draft = Draft::simple(name, RecordType::A, 60, &[value]);
        let refused = import.name(vec![ImportedSet { place, draft }]).unwrap();
        assert_eq!(refused, []);
    }
    import.finish().unwrap();
}

#[test]
fn every_version_is_found_again_over_changes_and_replacements() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let mut versions = vec![version(&bench, &id)];
    for turn in 0..24 {
        let value = format!("192.0.2.{turn}");
        match turn % 6 {
            3 => replace(&bench, &id, &["b.site.test", "c.site.test"], &value),
            5 => replace(&bench, &id, &["a.site.test"], &value),
            other => {
                let name = ["a", "b", "c", "d", "a"][other];
                let change = batch(&id, &format!("{name}.site.test"), &value);
                bench.control.change_record_sets(&me, &change).unwrap();
            }
        }
        versions.push(version(&bench, &id));
    }
    let control = &bench.control;
    for (from, before) in &versions {
        for (to, after) in &versions {
            let (_, found) = control.zone_difference(&id, *from, Some(*to)).unwrap();
            let gone = found.iter().filter_map(|one| one.before.clone());
            let come = found.iter().filter_map(|one| one.after.clone());
            let expected = |of: &[RecordSet], other: &[RecordSet]| {
                let only = of.iter().filter(|set| !other.contains(set));
                only.cloned().collect::<Vec<_>>()
            };
            assert_eq!(
                gone.collect::<Vec<_>>(),
                expected(before, after),
                "{from} {to}"
            );
            assert_eq!(
                come.collect::<Vec<_>>(),
                expected(after, before),
                "{from} {to}"
            );
        }
    }
    let (_, shown) = control.zone_history(&id, 99).unwrap();
    assert_eq!(shown.len(), versions.len());
    assert_eq!(shown.iter().filter(|one| one.replaced).count(), 8);
    for (seq, sets) in versions.iter().rev() {
        control
            .restore_zone(&id, *seq, RestoreOutcome::Publish)
            .unwrap();
        assert_eq!(version(&bench, &id).1, *sets, "{seq}");
    }
}

#[test]
fn history_ends_where_what_was_replaced_is_not_kept_any_more() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let mut versions = vec![version(&bench, &id)];
    for turn in 0..14 {
        replace(&bench, &id, &["a.site.test"], &format!("192.0.2.{turn}"));
        versions.push(version(&bench, &id));
    }
    let control = &bench.control;
    while control.collect_generations().unwrap() {}
    let reached = |seq| control.zone_difference(&id, seq, None);
    let kept = versions.iter().filter(|(seq, _)| reached(*seq).is_ok());
    assert_eq!(kept.count(), 11, "ten, and the one there is");
    let refused = reached(versions[0].0).unwrap_err();
    assert!(matches!(refused, AdminError::NoHistory(..)), "{refused}");
    let refused = control.restore_zone(&id, versions[1].0, RestoreOutcome::Publish);
    assert!(matches!(refused, Err(AdminError::NoHistory(..))));
    let (_, shown) = control.zone_history(&id, 99).unwrap();
    assert_eq!(shown.len(), 11);
    assert!(shown.iter().all(|one| one.replaced));
    assert!(shown[10].differences.is_empty(), "only who did it is known");
}

/// More names than a batch takes.
fn many() -> Vec<String> {
    (0..1200).map(|n| format!("n{n:04}.site.test")).collect()
}

#[test]
fn a_large_restore_is_refused_beside_a_traffic_policy_instance() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let many = many();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    replace(&bench, &id, &names, "192.0.2.1");
    let then = version(&bench, &id).0;
    let instance = bench.instance(&me, &id, "www.site.test");
    replace(&bench, &id, &["a.site.test"], "192.0.2.2");
    let control = &bench.control;
    for outcome in [RestoreOutcome::Check, RestoreOutcome::Publish] {
        let restored = control.restore_zone(&id, then, outcome).unwrap();
        assert_eq!(restored.differences.len(), 1201);
    }
    let zone = control.hosted_zone(&me, &id).unwrap();
    assert_eq!(zone.record_set_count, 1203, "those of then, and the root");
    let (_, differences) = control.zone_difference(&id, then, None).unwrap();
    assert_eq!(differences, []);
    // And the instance goes as it came.
    control
        .delete_traffic_policy_instance(&me, instance.id.as_str())
        .unwrap();
    let zone = control.hosted_zone(&me, &id).unwrap();
    assert_eq!(zone.record_set_count, 1202);
}

#[test]
fn a_restore_gives_way_to_instances_and_protections() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let many = many();
    let mut names: Vec<&str> = many.iter().map(String::as_str).collect();
    names.push("www.site.test");
    replace(&bench, &id, &names, "192.0.2.1");
    let then = version(&bench, &id).0;
    replace(&bench, &id, &["a.site.test"], "192.0.2.2");
    let instance = bench.instance(&me, &id, "www.site.test");
    let control = &bench.control;
    let now = control.hosted_zone(&me, &id).unwrap().record_set_count;
    let refused = || {
        let refused = control.restore_zone(&id, then, RestoreOutcome::Publish);
        let refused = refused.unwrap_err().to_string();
        let zone = control.hosted_zone(&me, &id).unwrap();
        assert_eq!(zone.record_set_count, now);
        refused
    };
    let text = refused();
    assert!(
        text.contains("is changed and deleted with it alone"),
        "{text}"
    );
    assert!(text.contains(instance.id.as_str()), "{text}");
    let protection = ProtectionDraft {
        name: "a.site.test".to_owned(),
        rtype: RecordType::A,
        comment: None,
    };
    let protections = ChangeProtections {
        hosted_zone_id: id.clone(),
        protections: vec![protection],
    };
    control.create_protections(&me, &protections).unwrap();
    let text = refused();
    assert!(text.contains("1 protections of record sets"), "{text}");
}
