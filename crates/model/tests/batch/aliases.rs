//! Aliases in a batch: what they may point to, how they end, and when other zones are looked at.

use std::collections::BTreeSet;

use meridian_dns::RecordType::{self, A, Aaaa, Cname, Https, Txt};
use meridian_model::{
    Action::{Create, Delete, Upsert},
    Draft, DraftChange, Effect, NewZone, Quota, SetData, ZoneId, keeps_to_zone, plan_batch,
    plan_create_zone,
};

use crate::memory::{account, facts};
use crate::{Bench, change, create, simple, weighted};

#[test]
fn an_alias_needs_its_target_after_the_batch() {
    let bench = Bench::new();
    let id = bench.zone.id.clone();
    assert_eq!(
        bench.messages(&[create(bench.alias("a.z.test", "t.z.test"))]),
        [format!(
            "Tried to create an alias that targets t.z.test., type A in zone {id}, but that \
                  target was not found"
        )]
    );
    assert_eq!(
        bench.messages(&[create(bench.alias("a.z.test", "t.else.test"))]),
        [
            format!(
                "Tried to create an alias that targets t.else.test., type A in zone {id}, but \
                     the alias target name does not lie within the target zone"
            ),
            format!(
                "Tried to create an alias that targets t.else.test., type A in zone {id}, but \
                     that target was not found"
            ),
        ]
    );
    let both = [
        create(bench.alias("a.z.test", "t.z.test")),
        simple(Create, "t.z.test", A, "192.0.2.1"),
    ];
    bench.plan(&both).unwrap();
}

/// An alias of this type to a host name in an external zone.
fn external(bench: &Bench, (name, rtype): (&str, RecordType), zone: &str, target: &str) -> Draft {
    let mut set = bench.alias(name, target);
    set.rtype = rtype;
    set.alias_target.as_mut().unwrap().hosted_zone_id = ZoneId::new(zone).unwrap();
    set
}

#[test]
fn an_alias_points_to_any_host_name_elsewhere() {
    let bench = Bench::new();
    for zone in ["ZEXTERNAL", "Z2FDTNDATAQYW2", "Z35SXDOTRQ7X7K"] {
        for rtype in [A, Aaaa, Https] {
            for owner in ["z.test", "*.z.test"] {
                let set = external(&bench, (owner, rtype), zone, "d1.CDN.example");
                bench.plan(&[create(set)]).unwrap();
            }
        }
    }
    // Not even a name of this zone has to exist: it is for resolvers to find.
    let set = external(&bench, ("a.z.test", A), "ZEXTERNAL", "nowhere.z.test");
    let effects = bench.plan(&[create(set)]).unwrap();
    let [Effect::PutSet { set, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(matches!(&set.data, SetData::Alias(target) if target.zone.as_str() == "ZEXTERNAL"));
}

#[test]
fn external_aliases_are_addresses_and_never_their_own_targets() {
    let bench = Bench::new();
    let tried = |name: &str, rtype, zone| {
        format!("Tried to create an alias that targets {name}, type {rtype} in zone {zone}, but")
    };
    for rtype in [Txt, Cname, RecordType::Mx] {
        let set = external(&bench, ("a.z.test", rtype), "ZEXTERNAL", "t.else.test");
        assert_eq!(
            bench.messages(&[create(set)]),
            [tried("t.else.test.", rtype, "ZEXTERNAL") + " that target was not found"]
        );
    }
    let set = external(&bench, ("a.z.test", A), "ZEXTERNAL", "A.z.test");
    assert_eq!(
        bench.messages(&[create(set)]),
        [tried("a.z.test.", A, "ZEXTERNAL") + " that makes a loop: a.z.test. -> a.z.test."]
    );
    let mut set = external(&bench, ("a.z.test", A), "Z2FDTNDATAQYW2", "d1.cdn.test");
    set.alias_target.as_mut().unwrap().evaluate_target_health = true;
    assert_eq!(
        bench.messages(&[create(set)]),
        [tried("d1.cdn.test.", A, "Z2FDTNDATAQYW2")
            + " the health of CloudFront distributions cannot be evaluated"]
    );
    // An id that nobody knows is nobody's zone.
    let set = external(&bench, ("a.z.test", A), "Z2FDTNDATAQYW3", "d1.cdn.test");
    assert!(bench.messages(&[create(set)])[0].ends_with("that target was not found"));
}

#[test]
fn an_account_has_so_many_aliases_to_elsewhere_and_may_swap_them() {
    let elsewhere = |bench: &Bench, name: &str| {
        let set = external(bench, (name, A), "ZEXTERNAL", "t.else.test");
        change(Upsert, set)
    };
    let mut bench = Bench::new();
    bench.state.apply(vec![Effect::PutQuota {
        account: bench.zone.account.clone(),
        quota: Quota::ExternalAliasesByOwner,
        limit: 2,
    }]);
    let two = ["a.z.test", "b.z.test"].map(|name| elsewhere(&bench, name));
    let bench = bench.with(&two);
    assert_eq!(
        bench.messages(&[elsewhere(&bench, "c.z.test")]),
        [
            "Exceeded limit MAX_EXTERNAL_ALIASES_BY_OWNER for account: 111111111111: there can be \
             no more than 2 aliases that target names outside of its hosted zones"
        ]
    );
    // Those that are there may be written again, others take their place, and own aliases do not
    // count.
    bench.plan(&two).unwrap();
    let removed = change(Delete, two[0].set.clone());
    bench
        .plan(&[removed, elsewhere(&bench, "c.z.test")])
        .unwrap();
    bench
        .plan(&[create(bench.alias("c.z.test", "b.z.test"))])
        .unwrap();
}

#[test]
fn an_alias_to_elsewhere_ends_a_chain() {
    let bench = Bench::new();
    let leaf = external(&bench, ("n0.z.test", A), "ZEXTERNAL", "t.else.test");
    let mut chain = vec![create(leaf)];
    for i in 1..16 {
        let target = format!("n{}.z.test", i - 1);
        chain.push(create(bench.alias(&format!("n{i}.z.test"), &target)));
    }
    bench.plan(&chain).unwrap();
    chain.push(create(bench.alias("n16.z.test", "n15.z.test")));
    assert!(bench.messages(&chain)[0].ends_with("a chain of more than 16 aliases"));
}

#[test]
fn private_zones_have_no_aliases_to_cloudfront() {
    let mut bench = Bench::new();
    bench.zone.private = true;
    let set = external(&bench, ("a.z.test", A), "Z2FDTNDATAQYW2", "d1.cdn.test");
    assert!(bench.messages(&[create(set)])[0].contains("the private hosted zone z.test."));
    let set = external(&bench, ("a.z.test", A), "ZEXTERNAL", "d1.cdn.test");
    bench.plan(&[create(set)]).unwrap();
}

#[test]
fn alias_loops_are_named() {
    let bench = Bench::new();
    let id = bench.zone.id.clone();
    let messages = bench.messages(&[
        create(bench.alias("a.z.test", "b.z.test")),
        create(bench.alias("b.z.test", "a.z.test")),
    ]);
    assert_eq!(
        messages[0],
        format!(
            "Tried to create an alias that targets b.z.test., type A in zone {id}, but that \
                 makes a loop: a.z.test. -> b.z.test. -> a.z.test."
        )
    );
    let mut chain = vec![simple(Create, "n0.z.test", A, "192.0.2.1")];
    for i in 1..=17 {
        chain.push(create(
            bench.alias(&format!("n{i}.z.test"), &format!("n{}.z.test", i - 1)),
        ));
    }
    bench.plan(&chain[..17]).unwrap();
    assert!(bench.messages(&chain)[0].ends_with("a chain of more than 16 aliases"));
}

#[test]
fn a_batch_of_aliases_to_one_wide_tree_does_not_walk_it_again_and_again() {
    let mut bench = Bench::new().with(&[simple(Create, "l0.z.test", A, "192.0.2.1")]);
    for level in 1..=8 {
        let target = format!("l{}.z.test", level - 1);
        let member = |i: u8| {
            let mut set = bench.alias(&format!("l{level}.z.test"), &target);
            (set.set_identifier, set.weight) = (Some(i.to_string()), Some(1));
            create(set)
        };
        // Eight levels of 50 are 50⁸ ways, but only eight places.
        let level: Vec<DraftChange> = (0..50).map(member).collect();
        bench = bench.with(&level);
    }
    let aliases: Vec<DraftChange> = (0..1000)
        .map(|i| create(bench.alias(&format!("a{i}.z.test"), "l8.z.test")))
        .collect();
    assert_eq!(bench.plan(&aliases).unwrap().len(), 1000);
}

#[test]
fn a_batch_that_writes_no_alias_asks_for_nothing_of_other_zones() {
    let mut bench = Bench::new();
    let new = NewZone {
        name: "other.test".to_owned(),
        caller_reference: "other".to_owned(),
        comment: None,
        delegation_set: None,
        vpc: None,
    };
    let owner = account("111111111111", true);
    let (other, effects) = plan_create_zone(&bench.state, &mut facts(2), &owner, new).unwrap();
    bench.state.apply(effects);
    let target = simple(Create, "www.other.test", A, "192.0.2.1");
    let effects = plan_batch(&bench.state, &other, &[target]).unwrap();
    bench.state.apply(effects);
    let mut abroad = bench.alias("abroad.z.test", "www.other.test");
    abroad.alias_target.as_mut().unwrap().hosted_zone_id = other.id;
    let bench = bench.with(&[
        create(abroad.clone()),
        simple(Create, "www.z.test", A, "192.0.2.1"),
        change(Create, weighted("many.z.test", "a", 1)),
    ]);

    let mut renamed = abroad.clone();
    renamed.name = "new.z.test".to_owned();
    let drafts = [
        abroad,
        renamed,
        // By itself, this alias stays at home; what it leads to does not.
        bench.alias("new.z.test", "abroad.z.test"),
        bench.alias("new.z.test", "www.z.test"),
        Draft::simple("abroad.z.test", A, 60, &["192.0.2.1"]),
        Draft::simple("www.z.test", A, 60, &["192.0.2.1"]),
        Draft::simple("new.z.test", Cname, 60, &["www.other.test"]),
        Draft::simple("www.other.test", A, 60, &["192.0.2.1"]),
        weighted("many.z.test", "a", 1),
        weighted("many.z.test", "b", 1),
    ];
    let actions = [Create, Upsert, Delete];
    let changes: Vec<DraftChange> = drafts
        .iter()
        .flat_map(|draft| actions.map(|action| change(action, draft.clone())))
        .collect();
    let own = BTreeSet::from([bench.zone.generation]);
    let (mut kept, mut strayed) = (0, 0);
    for one in &changes {
        for two in &changes {
            let batch = [one.clone(), two.clone()];
            bench.state.asked.borrow_mut().clear();
            let _ = bench.plan(&batch);
            let asked = bench.state.asked.borrow();
            let keeps = asked.is_subset(&own);
            assert!(
                keeps || !keeps_to_zone(&batch),
                "{batch:?} asked for {asked:?}"
            );
            kept += usize::from(keeps_to_zone(&batch));
            strayed += usize::from(!keeps);
        }
    }
    assert!(
        kept > 400 && strayed > 100,
        "{kept} kept, {strayed} strayed"
    );
}
