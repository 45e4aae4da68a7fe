//! Imports of zones by operators: what they stay away from, what a merge keeps and what makes it
//! fail, aliases, and what is left.

use meridian_control::{
    AdminError, ChangeProtections, ExistingSets, ImportOutcome, ImportRequest, ImportRoom,
    ImportTarget, Imported, ImportedApex, ImportedSet, InvalidSets, RefusedSet,
};
use meridian_dns::RecordType;
use meridian_log::InstancesOf;
use meridian_model::{
    Draft, DraftAlias, ProtectionDraft, RecordSet, State, TrafficPolicyInstance, ZoneId,
};

use crate::bench::{Bench, batch, caller, records};

fn request(id: &str, existing: ExistingSets) -> ImportRequest {
    ImportRequest {
        target: ImportTarget::Zone(id.to_owned()),
        account: None,
        existing,
        apex: ImportedApex::Keep,
        invalid: InvalidSets::Refuse,
        room: ImportRoom::Quota,
        outcome: ImportOutcome::Publish,
    }
}

fn protection(id: &str) -> ChangeProtections {
    ChangeProtections {
        hosted_zone_id: id.to_owned(),
        protections: vec![ProtectionDraft {
            name: "a.site.test".to_owned(),
            rtype: RecordType::A,
            comment: None,
        }],
    }
}

#[test]
fn a_zone_with_protections_is_not_imported_to() {
    let bench = Bench::new();
    let (control, me) = (&bench.control, caller(&bench.operator));
    let id = bench.zone(&me, "site.test");
    control.create_protections(&me, &protection(&id)).unwrap();
    for existing in [ExistingSets::Replace, ExistingSets::Merge] {
        let refused = control.begin_import(request(&id, existing)).unwrap_err();
        assert!(matches!(refused, AdminError::Import(_)), "{refused}");
        assert!(refused.to_string().contains("1 protections"), "{refused}");
    }
    control.delete_protections(&me, &protection(&id)).unwrap();
    let mut import = control
        .begin_import(request(&id, ExistingSets::Replace))
        .unwrap();
    let draft = Draft::simple("a.site.test", RecordType::A, 60, &["192.0.2.1"]);
    assert_eq!(
        import.name(vec![ImportedSet { place: 1, draft }]).unwrap(),
        []
    );
    // Somebody protects a set while it is read.
    control.create_protections(&me, &protection(&id)).unwrap();
    let refused = import.finish().unwrap_err();
    assert!(refused.to_string().contains("protections"), "{refused}");
    assert_eq!(control.hosted_zone(&me, &id).unwrap().record_set_count, 2);
}

fn a(name: &str, value: &str) -> Draft {
    Draft::simple(name, RecordType::A, 60, &[value])
}

fn alias(name: &str, zone: &str, target: &str) -> Draft {
    Draft {
        ttl: None,
        records: None,
        alias_target: Some(DraftAlias {
            hosted_zone_id: ZoneId::new(zone).unwrap(),
            dns_name: target.to_owned(),
            evaluate_target_health: false,
        }),
        ..Draft::simple(name, RecordType::A, 0, &[])
    }
}

type Done = Result<(Imported, Vec<RefusedSet>), AdminError>;

/// Imports sets whose names are in order and differ.
fn import(bench: &Bench, request: ImportRequest, drafts: Vec<Draft>) -> Done {
    let mut import = bench.control.begin_import(request)?;
    let mut refused = Vec::new();
    for (place, draft) in (1..).zip(drafts) {
        refused.extend(import.name(vec![ImportedSet { place, draft }])?);
    }
    let (imported, late) = import.finish()?;
    refused.extend(late);
    Ok((imported, refused))
}

fn names(bench: &Bench, id: &str) -> Vec<String> {
    let me = caller(&bench.operator);
    let page = bench.control.list_record_sets(&me, &records(id)).unwrap();
    let names = page.sets.iter().map(|set| set.key.name.to_string());
    names.map(|name| name.replace(".site.test.", "")).collect()
}

fn said(done: Done) -> String {
    done.unwrap_err().to_string()
}

/// Nothing is left of what was given up.
fn collected(bench: &Bench) -> usize {
    while bench.control.collect_generations().unwrap() {}
    bench.control.unseen_generations().unwrap().len()
}

#[test]
fn a_merge_keeps_what_lies_before_between_and_after() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    for name in ["b", "d", "f"] {
        let change = batch(&id, &format!("{name}.site.test"), "192.0.2.1");
        bench.control.change_record_sets(&me, &change).unwrap();
    }
    let drafts = vec![
        a("site.test", "192.0.2.2"),
        a("c.site.test", "192.0.2.2"),
        a("d.site.test", "192.0.2.2"),
        a("e.site.test", "192.0.2.2"),
    ];
    let (imported, refused) = import(&bench, request(&id, ExistingSets::Merge), drafts).unwrap();
    assert_eq!((imported.sets, refused), (8, vec![]));
    assert_eq!(
        names(&bench, &id),
        [
            "site.test.",
            "site.test.",
            "site.test.",
            "b",
            "c",
            "d",
            "e",
            "f"
        ]
    );
    assert_eq!(collected(&bench), 1, "what the zone was before");
}

#[test]
fn a_change_meanwhile_fails_a_merge_and_is_replaced_otherwise() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    for (existing, kept) in [(ExistingSets::Merge, true), (ExistingSets::Replace, false)] {
        let begun = bench.control.begin_import(request(&id, existing));
        let mut import = begun.unwrap();
        let draft = a("b.site.test", "192.0.2.2");
        import.name(vec![ImportedSet { place: 1, draft }]).unwrap();
        let name = format!("c{kept}.site.test");
        let change = batch(&id, &name, "192.0.2.1");
        bench.control.change_record_sets(&me, &change).unwrap();
        match import.finish() {
            Ok(_) => assert!(!kept),
            Err(error) => assert!(kept && error.to_string().contains("was changed while")),
        }
        let there = names(&bench, &id).contains(&format!("c{kept}"));
        assert_eq!(there, kept);
    }
}

#[test]
fn of_two_imports_the_slower_one_fails() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let slow = bench
        .control
        .begin_import(request(&id, ExistingSets::Replace));
    import(&bench, request(&id, ExistingSets::Replace), vec![]).unwrap();
    let error = slow.unwrap().finish().unwrap_err().to_string();
    assert!(error.contains("imported to meanwhile"), "{error}");
    assert_eq!(collected(&bench), 1);
}

#[test]
fn aliases_without_a_target_go_and_take_those_to_them_along() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let drafts = || {
        vec![
            alias("a.site.test", &id, "b.site.test"),
            alias("b.site.test", &id, "nothing.site.test"),
            alias("c.site.test", &id, "d.site.test"),
            a("d.site.test", "192.0.2.1"),
        ]
    };
    let refusing = request(&id, ExistingSets::Replace);
    let (imported, refused) = import(&bench, refusing.clone(), drafts()).unwrap();
    assert_eq!((imported.change, refused.len()), (None, 1));
    assert_eq!(names(&bench, &id), ["site.test.", "site.test."]);
    assert_eq!(collected(&bench), 0);
    let skipping = ImportRequest {
        invalid: InvalidSets::Skip,
        ..refusing
    };
    let (imported, refused) = import(&bench, skipping, drafts()).unwrap();
    assert!(imported.change.is_some());
    let places: Vec<u64> = refused.iter().map(|refused| refused.place).collect();
    assert_eq!((places, imported.sets), (vec![2, 1], 4));
    assert_eq!(names(&bench, &id), ["site.test.", "site.test.", "c", "d"]);
}

#[test]
fn what_is_taken_for_the_apex_must_be_whole() {
    let bench = Bench::new();
    let taking = ImportRequest {
        target: ImportTarget::New {
            name: "new.test".to_owned(),
            comment: None,
            tags: vec![],
            caller_reference: None,
            delegation_set: None,
        },
        apex: ImportedApex::Take,
        ..request("", ExistingSets::Refuse)
    };
    let ns = Draft::simple("new.test", RecordType::Ns, 60, &["ns.test"]);
    let error = said(import(&bench, taking, vec![ns]));
    assert_eq!(error, "A HostedZone must contain exactly one SOA record.");
    assert_eq!(bench.control.zones(&Default::default()).unwrap().len(), 1);
    assert_eq!(collected(&bench), 0);
}

#[test]
fn names_out_of_order_are_a_fault_of_the_client() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let drafts = vec![a("b.site.test", "192.0.2.1"), a("a.site.test", "192.0.2.1")];
    let error = said(import(&bench, request(&id, ExistingSets::Replace), drafts));
    assert!(error.contains("out of order"), "{error}");
}

#[test]
fn a_merge_that_takes_the_apex_needs_only_what_changes() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let merging = ImportRequest {
        apex: ImportedApex::Take,
        ..request(&id, ExistingSets::Merge)
    };
    let ns = Draft::simple("site.test", RecordType::Ns, 60, &["ns.test"]);
    let (imported, _) = import(&bench, merging.clone(), vec![ns]).unwrap();
    assert_eq!((imported.sets, imported.passed_over), (2, 0));
    let (imported, _) = import(&bench, merging, vec![a("b.site.test", "192.0.2.1")]).unwrap();
    assert_eq!(imported.sets, 3);
}

/// What a list of the zone says of an instance.
fn root(instance: &TrafficPolicyInstance) -> Draft {
    Draft {
        ttl: None,
        records: None,
        traffic_policy_instance_id: Some(instance.id.to_string()),
        ..Draft::simple(&instance.name.to_string(), instance.rtype, 0, &[])
    }
}

/// All that an instance made, hidden or not, as it is in the zone now.
fn tree(bench: &Bench, instance: &TrafficPolicyInstance) -> Vec<RecordSet> {
    // Waits until the tables are as the journal.
    let me = caller(&bench.operator);
    let zone = instance.zone.as_str();
    bench.control.hosted_zone(&me, zone).unwrap();
    let snapshot = bench.tables.read().unwrap();
    let zone = snapshot.zone(&instance.zone).unwrap().unwrap();
    let mut sets = Vec::new();
    snapshot
        .each_set(zone.generation, |set| {
            sets.push(set);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    sets.retain(|set| set.traffic_policy_instance_id.as_deref() == Some(instance.id.as_str()));
    sets
}

#[test]
fn a_zone_with_a_traffic_policy_instance_cannot_be_imported_again() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let change = batch(&id, "b.site.test", "192.0.2.1");
    bench.control.change_record_sets(&me, &change).unwrap();
    let instance = bench.instance(&me, &id, "m.site.test");
    let before = tree(&bench, &instance);
    assert_eq!(before.len(), 3, "the root, and one rule's two sets");
    for existing in [ExistingSets::Replace, ExistingSets::Merge] {
        let drafts = vec![
            a("c.site.test", "192.0.2.2"),
            root(&instance),
            alias("z.site.test", &id, "m.site.test"),
        ];
        let (imported, refused) = import(&bench, request(&id, existing), drafts).unwrap();
        assert_eq!((imported.instances, refused), (1, vec![]));
        assert!(imported.change.is_some());
        assert_eq!(tree(&bench, &instance), before, "{existing:?}");
        let there = ["site.test.", "site.test.", "c", "m", "z"];
        assert_eq!(names(&bench, &id), there, "{existing:?}");
        assert_eq!(imported.sets, 5);
        let zone = bench.control.hosted_zone(&me, &id).unwrap();
        assert_eq!(zone.record_set_count, 5, "{existing:?}");
    }
    // It is as deletable as before.
    let control = &bench.control;
    let alone = import(&bench, request(&id, ExistingSets::Replace), vec![]).unwrap();
    assert_eq!(alone.0.sets, 3);
    control
        .delete_traffic_policy_instance(&me, instance.id.as_str())
        .unwrap();
    assert_eq!(tree(&bench, &instance), []);
    let snapshot = bench.tables.read().unwrap();
    let of = InstancesOf::Zone(&instance.zone);
    assert_eq!(snapshot.traffic_policy_instances(of, None, 9).unwrap(), []);
    assert_eq!(names(&bench, &id), ["site.test.", "site.test."]);
}

#[test]
fn many_own_sets_lie_between_what_instances_made() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let instances = ["a.site.test", "z.site.test"].map(|name| bench.instance(&me, &id, name));
    let before = instances.each_ref().map(|instance| tree(&bench, instance));
    // More than are read at a time.
    let many = (0..2500).map(|n| a(&format!("n{n:04}.site.test"), "192.0.2.1"));
    import(&bench, request(&id, ExistingSets::Merge), many.collect()).unwrap();
    let (imported, _) = import(&bench, request(&id, ExistingSets::Replace), vec![]).unwrap();
    assert_eq!((imported.sets, imported.instances), (4, 2));
    let after = instances.each_ref().map(|instance| tree(&bench, instance));
    assert_eq!(after, before);
}

#[test]
fn what_an_import_says_of_traffic_policy_instances_must_be_so() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let instance = bench.instance(&me, &id, "m.site.test");
    let gone = TrafficPolicyInstance {
        id: meridian_model::TrafficPolicyInstanceId::new("00000000-0000-4000-8000-000000000000")
            .unwrap(),
        ..instance.clone()
    };
    let elsewhere = Draft {
        name: "n.site.test".to_owned(),
        ..root(&instance)
    };
    let own = a("m.site.test", "192.0.2.3");
    let cname = Draft::simple("m.site.test", RecordType::Cname, 60, &["b.test"]);
    for (draft, why) in [
        (root(&gone), "an import makes none"),
        (elsewhere, "is at m.site.test., type A"),
        (own, "is changed and deleted with it alone"),
        (cname, "conflicts with other records"),
    ] {
        let done = import(&bench, request(&id, ExistingSets::Replace), vec![draft]).unwrap();
        let [refused] = done.1.as_slice() else {
            panic!("{done:?}");
        };
        assert_eq!((refused.place, done.0.change), (1, None));
        assert!(refused.reasons.join(" ").contains(why), "{refused:?}");
    }
    assert_eq!(tree(&bench, &instance).len(), 3);
}

#[test]
fn an_instance_that_changes_meanwhile_fails_an_import() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let instance = bench.instance(&me, &id, "m.site.test");
    let begun = bench
        .control
        .begin_import(request(&id, ExistingSets::Replace));
    let other = bench.instance(&me, &id, "o.site.test");
    let error = begun.unwrap().finish().unwrap_err().to_string();
    assert!(error.contains("meanwhile: nothing is written"), "{error}");
    for one in [&instance, &other] {
        assert_eq!(tree(&bench, one).len(), 3, "{}", one.name);
    }
    assert_eq!(collected(&bench), 0);
}
