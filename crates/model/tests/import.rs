//! Importing a zone name by name: the rules of a batch, refusals set by set.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not seen as tests by the lint"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::RecordType;
use meridian_model::{
    Draft, DraftAlias, Effect, FollowedAliases, ImportLimits, ImportedName, NewZone, PlannedName,
    State, Zone, ZoneId, check_imported_apex, plan_create_zone, plan_imported_alias,
    plan_imported_name,
};

fn start() -> (Memory, Zone) {
    let mut memory = Memory::with_pool(4);
    let new = NewZone {
        delegation_set: None,
        vpc: None,
        name: "z.test".to_owned(),
        caller_reference: "r".to_owned(),
        comment: None,
    };
    let made = plan_create_zone(&memory, &mut facts(1), &account("1", false), new).unwrap();
    memory.apply(made.1);
    (memory, made.0)
}

fn import(memory: &Memory, zone: &Zone, drafts: Vec<Draft>) -> PlannedName {
    let imported = ImportedName {
        before: Vec::new(),
        drafts,
    };
    let limits = ImportLimits::of(memory, zone).unwrap();
    plan_imported_name(memory, zone, &limits, imported).unwrap()
}

fn a(value: &str) -> Draft {
    Draft::simple("n.z.test", RecordType::A, 60, &[value])
}

fn weighted(identifier: &str, ttl: u32) -> Draft {
    Draft {
        set_identifier: Some(identifier.to_owned()),
        weight: Some(1),
        ttl: Some(ttl),
        ..a("192.0.2.1")
    }
}

/// Places and first reasons.
fn refused(planned: &PlannedName) -> Vec<(usize, &str)> {
    let refused = planned.refused.iter();
    refused
        .map(|(place, reasons)| (*place, reasons[0].as_str()))
        .collect()
}

#[test]
fn each_set_is_refused_by_itself_for_what_a_batch_says() {
    let (memory, zone) = start();
    let cname = Draft::simple("n.z.test", RecordType::Cname, 60, &["x.z.test"]);
    let mut unknown = weighted("c", 60);
    unknown.health_check_id = Some("unknown".to_owned());
    let drafts = vec![
        weighted("a", 60),
        cname,
        weighted("b", 61),
        a("192.0.2.1"),
        unknown,
        weighted("d", 60),
        weighted("d", 60),
        Draft::simple("n.z.test", RecordType::Mx, 60, &["nonsense"]),
        Draft::simple("n.other.test", RecordType::A, 60, &["192.0.2.1"]),
    ];
    let planned = import(&memory, &zone, drafts);
    let found = refused(&planned);
    let expected = [
        (
            1,
            "as it conflicts with other records with the same DNS name",
        ),
        (2, "weighted sets must contain the same TTL"),
        (3, "cannot be created as other RRSets exist"),
        (4, "A health check with id unknown does not exist."),
        (6, "invalid set of changes"),
        (7, "Invalid Resource Record: FATAL problem: "),
        (8, "is not permitted in zone z.test."),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((place, reason), (at, text)) in found.iter().zip(expected) {
        assert!(*place == at && reason.contains(text), "{place}: {reason}");
    }
    let kept: Vec<_> = planned
        .sets
        .iter()
        .map(|set| &set.key.set_identifier)
        .collect();
    assert_eq!(kept, [&Some("a".to_owned()), &Some("d".to_owned())]);
}

#[test]
fn a_refused_set_leaves_what_was_there() {
    let (memory, zone) = start();
    let before = import(&memory, &zone, vec![a("192.0.2.1")]).sets;
    let over = |value| ImportedName {
        before: before.clone(),
        drafts: vec![a(value)],
    };
    let limits = ImportLimits::of(&memory, &zone).unwrap();
    let planned = plan_imported_name(&memory, &zone, &limits, over("nonsense")).unwrap();
    assert_eq!((planned.sets, planned.refused.len()), (before.clone(), 1));
    let planned = plan_imported_name(&memory, &zone, &limits, over("192.0.2.2")).unwrap();
    assert_eq!((planned.sets.len(), planned.refused.len()), (1, 0));
    assert_ne!(planned.sets, before);
}

#[test]
fn aliases_are_followed_once_all_is_written() {
    let (mut memory, zone) = start();
    let alias = |name: &str, target: &str| Draft {
        ttl: None,
        records: None,
        alias_target: Some(DraftAlias {
            hosted_zone_id: ZoneId::new(zone.id.as_str()).unwrap(),
            dns_name: target.to_owned(),
            evaluate_target_health: false,
        }),
        ..Draft::simple(name, RecordType::A, 0, &[])
    };
    let drafts = [
        alias("a.z.test", "n.z.test"),
        alias("b.z.test", "nothing.z.test"),
        alias("c.z.test", "d.z.test"),
        alias("d.z.test", "c.z.test"),
        a("192.0.2.1"),
    ];
    let mut keys = Vec::new();
    for draft in drafts {
        let planned = import(&memory, &zone, vec![draft]);
        assert_eq!(planned.refused, []);
        let generation = zone.generation;
        keys.extend(planned.sets.iter().map(|set| set.key.clone()));
        let effects = planned.sets.into_iter();
        memory.apply(
            effects
                .map(|set| Effect::PutSet { generation, set })
                .collect(),
        );
    }
    let mut followed = FollowedAliases::of(&keys);
    let reasons: Vec<String> = keys
        .iter()
        .map(|key| {
            plan_imported_alias(&memory, &zone, key, &mut followed)
                .unwrap()
                .concat()
        })
        .collect();
    assert_eq!(reasons[0], "");
    assert!(
        reasons[1].ends_with("but that target was not found"),
        "{reasons:?}"
    );
    assert!(reasons[2].contains("that makes a loop"), "{reasons:?}");
    assert_eq!(reasons[4], "");
}

#[test]
fn an_apex_needs_its_soa_and_ns() {
    let (memory, zone) = start();
    let sets = memory.sets_at(zone.generation, &zone.name).unwrap();
    assert!(check_imported_apex(&memory, &zone, sets.clone()).is_empty());
    assert_eq!(
        check_imported_apex(&memory, &zone, sets[..1].to_vec()).len(),
        1
    );
    assert_eq!(check_imported_apex(&memory, &zone, Vec::new()).len(), 2);
}
