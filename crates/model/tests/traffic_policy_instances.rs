//! What traffic policy instances come to: the record sets of each kind of document, how one tree is
//! put in place of another, and every refusal.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::Name;
use meridian_dns::RecordType::{self, A};
use meridian_model::{
    Action, BatchRefusal, Draft, DraftAlias, DraftChange, EXTERNAL, Effect, FailoverRole,
    InstanceRefusal, NewInstance, NewZone, PlanError, Protection, ProtectionKey, Quota, RecordSet,
    Routing, SetData, State, TrafficPolicy, TrafficPolicyId, TrafficPolicyInstance, Zone,
    ZoneNotEmpty, plan_batch, plan_create_instance, plan_create_zone, plan_delete_instance,
    plan_delete_zone, plan_update_instance,
};

/// Europe, or elsewhere one of two by weight; Europe fails over to that.
const NESTED: &str = r#"{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "A", "StartRule": "where",
    "Endpoints": {
        "eu": {"Type": "value", "Value": "192.0.2.1"},
        "one": {"Type": "value", "Value": "192.0.2.2"},
        "two": {"Type": "elastic-load-balancer", "Value": "LB.example.net"}
    },
    "Rules": {
        "spread": {"RuleType": "weighted", "Items": [
            {"EndpointReference": "one", "Weight": "1"},
            {"EndpointReference": "two", "Weight": "3", "EvaluateTargetHealth": "true"}]},
        "where": {"RuleType": "geo", "Locations": [
            {"RuleReference": "europe", "Continent": "EU", "EvaluateTargetHealth": "true"},
            {"RuleReference": "spread", "IsDefault": "true"}]},
        "europe": {"RuleType": "failover",
            "Primary": {"EndpointReference": "eu", "HealthCheck": "known"},
            "Secondary": {"RuleReference": "spread"}},
        "idle": {"RuleType": "multivalue", "Items": [{"EndpointReference": "one"}]}
    }}"#;

fn endpoint(rtype: &str, kind: &str, value: &str) -> String {
    format!(
        r#"{{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "{rtype}", "StartEndpoint": "e",
            "Endpoints": {{"e": {{"Type": "{kind}", "Value": "{value}"}}}}}}"#
    )
}

struct Bench {
    state: Memory,
    zone: Zone,
}

impl Bench {
    fn new() -> Self {
        Self::named("z.test")
    }

    fn named(name: &str) -> Self {
        let mut state = Memory::with_pool(4);
        let new = NewZone {
            name: name.to_owned(),
            caller_reference: "r".to_owned(),
            comment: None,
            delegation_set: None,
            vpc: None,
        };
        let owner = account("111111111111", true);
        let (zone, effects) = plan_create_zone(&state, &mut facts(1), &owner, new).unwrap();
        state.apply(effects);
        Self { state, zone }
    }

    fn policy(&self, version: u32, document: &str) -> TrafficPolicy {
        let mut types = RecordType::ALL.into_iter();
        let says = |rtype: &RecordType| document.contains(&format!("\"RecordType\": \"{rtype}\""));
        TrafficPolicy {
            id: TrafficPolicyId::new("a").unwrap(),
            account: self.zone.account.clone(),
            version,
            name: "spread".to_owned(),
            rtype: types.find(says).unwrap(),
            document: document.to_owned(),
            comment: None,
            deleted: false,
        }
    }

    fn create(&self, seed: u8, name: &str, document: &str) -> Result<Vec<Effect>, InstanceRefusal> {
        let new = NewInstance {
            name: name.to_owned(),
            ttl: 60,
        };
        let policy = self.policy(1, document);
        known(plan_create_instance(
            &self.state,
            &mut facts(seed),
            &self.zone,
            &policy,
            &new,
        ))
    }

    fn made(&mut self, seed: u8, name: &str, document: &str) -> TrafficPolicyInstance {
        let effects = self.create(seed, name, document).unwrap();
        self.state.apply(effects.clone());
        put(&effects)
    }

    fn update(
        &self,
        instance: &TrafficPolicyInstance,
        document: &str,
        ttl: u32,
    ) -> Result<Vec<Effect>, InstanceRefusal> {
        let policy = self.policy(2, document);
        let to = (instance, ttl);
        known(plan_update_instance(
            &self.state,
            &mut facts(99),
            &self.zone,
            &policy,
            to,
        ))
    }

    fn sets_at(&self, name: &Name) -> Vec<RecordSet> {
        self.state.sets_at(self.zone.generation, name).unwrap()
    }

    fn batch(&self, action: Action, set: Draft) -> BatchRefusal {
        let changes = [DraftChange { action, set }];
        match plan_batch(&self.state, &self.zone, &changes) {
            Err(PlanError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }
}

fn known<T, R>(planned: Result<T, PlanError<R, std::convert::Infallible>>) -> Result<T, R> {
    planned.map_err(|error| match error {
        PlanError::Refused(refusal) => refusal,
        PlanError::State(never) => match never {},
    })
}

fn put(effects: &[Effect]) -> TrafficPolicyInstance {
    let put = effects.iter().find_map(|effect| match effect {
        Effect::PutTrafficPolicyInstance(instance) => Some(instance.clone()),
        _ => None,
    });
    put.unwrap()
}

fn sets(effects: &[Effect]) -> Vec<&RecordSet> {
    let sets = effects.iter().filter_map(|effect| match effect {
        Effect::PutSet { set, .. } => Some(set),
        _ => None,
    });
    sets.collect()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn invalid(refused: Result<Vec<Effect>, InstanceRefusal>) -> String {
    match refused {
        Err(InstanceRefusal::Invalid(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_document_is_a_root_and_a_name_for_each_rule_that_is_used() {
    let mut bench = Bench::new();
    let instance = bench.made(7, "WWW.z.test", NESTED);
    assert_eq!(
        (instance.name.to_string(), instance.names),
        ("www.z.test.".to_owned(), 3)
    );
    let tree = |number: u32| name(&format!("_tp-{}-{number}.z.test", instance.id));
    let targets = |name: &Name| -> Vec<(Routing, String, Option<bool>)> {
        let sets = bench.sets_at(name);
        let data = sets.into_iter().map(|set| match set.data {
            SetData::Records { ttl, values } => {
                assert_eq!(ttl, 60);
                (set.routing, values.join(" "), None)
            }
            SetData::Alias(target) => {
                let to = format!("{} {}", target.zone, target.name);
                (set.routing, to, Some(target.evaluate_target_health))
            }
        });
        data.collect()
    };
    let at = |number| format!("{} {}", bench.zone.id, tree(number));
    let root = targets(&instance.name);
    assert_eq!(root, [(Routing::Simple, at(0), Some(true))]);
    // The first rule is the start, then come those behind it, whatever order they are written in.
    let start = targets(&tree(0));
    let (rules, elsewhere): (Vec<_>, Vec<_>) =
        start.iter().map(|(_, to, how)| (to.clone(), *how)).unzip();
    assert_eq!(elsewhere, [Some(true), Some(false)]);
    assert!(
        rules.contains(&at(1)) && rules.contains(&at(2)),
        "{rules:?}"
    );
    let (spread, europe) = if rules[0] == at(1) { (2, 1) } else { (1, 2) };
    assert_eq!(
        targets(&tree(europe)),
        [
            (
                Routing::Failover(FailoverRole::Primary),
                "192.0.2.1".to_owned(),
                None
            ),
            (
                Routing::Failover(FailoverRole::Secondary),
                at(spread),
                Some(false)
            ),
        ]
    );
    assert_eq!(
        targets(&tree(spread)),
        [
            (Routing::Weighted(1), "192.0.2.2".to_owned(), None),
            (
                Routing::Weighted(3),
                format!("{EXTERNAL} lb.example.net."),
                Some(true)
            ),
        ]
    );
    assert_eq!(bench.sets_at(&tree(3)), []);
    let checked = &bench.sets_at(&tree(europe))[0];
    assert_eq!(checked.health_check_id.as_deref(), Some("known"));
    // Of all these the zone shows one.
    assert_eq!(bench.state.set_count(bench.zone.generation).unwrap(), 3);
    let all = (0..3).flat_map(|number| bench.sets_at(&tree(number)));
    assert!(
        all.into_iter()
            .all(|set| set.is_hidden() && !bench.sets_at(&instance.name)[0].is_hidden())
    );
}

#[test]
fn an_endpoint_alone_is_the_root() {
    let bench = Bench::new();
    for (rtype, kind, value) in [
        ("A", "value", "192.0.2.7"),
        ("TXT", "value", "\\\"a\\\""),
        ("MX", "value", "10 mx.example."),
    ] {
        let effects = bench
            .create(1, "z.test", &endpoint(rtype, kind, value))
            .unwrap();
        let [set] = sets(&effects)[..] else {
            panic!("{effects:?}");
        };
        assert!(matches!(&set.data, SetData::Records { ttl: 60, values } if values.len() == 1));
        assert_eq!(
            (put(&effects).names, set.key.set_identifier.as_ref()),
            (0, None)
        );
    }
    let host = bench
        .create(
            1,
            "z.test",
            &endpoint("AAAA", "cloudfront", "d1.cloudfront.net"),
        )
        .unwrap();
    let SetData::Alias(target) = &sets(&host)[0].data else {
        panic!("{host:?}");
    };
    assert_eq!(target.zone.as_str(), EXTERNAL);
    assert!(!target.evaluate_target_health);
}

#[test]
fn an_update_is_one_change_of_what_is_different() {
    let mut bench = Bench::new();
    let instance = bench.made(7, "www.z.test", NESTED);
    // Nothing but the instance and the change, which says when it is served.
    let same = bench.update(&instance, NESTED, 60).unwrap();
    assert_eq!(same.len(), 2);
    assert_ne!(put(&same).change, instance.change);
    assert_eq!(put(&same).version, 2);

    let other = bench.update(&instance, NESTED, 30).unwrap();
    let ttls: Vec<_> = sets(&other).iter().map(|set| &set.data).collect();
    assert_eq!(ttls.len(), 2, "{ttls:?}");

    let lone = endpoint("A", "value", "192.0.2.9");
    let effects = bench.update(&instance, &lone, 5).unwrap();
    let gone = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::DeleteSet { .. }));
    assert_eq!((gone.count(), sets(&effects).len()), (6, 1));
    bench.state.apply(effects.clone());
    let instance = put(&effects);
    assert_eq!((instance.names, instance.ttl, instance.version), (0, 5, 2));

    // And back, and away: what is left is what was there before.
    let effects = bench.update(&instance, NESTED, 60).unwrap();
    bench.state.apply(effects.clone());
    let instance = put(&effects);
    let effects = known(plan_delete_instance(
        &bench.state,
        &mut facts(98),
        &bench.zone,
        &instance,
    ));
    bench.state.apply(effects.unwrap());
    let untouched = Bench::new();
    assert!(bench.sets_at(&instance.name).is_empty());
    let reserved = |number: u32| name(&format!("_tp-{}-{number}.z.test", instance.id));
    assert!((0..4).all(|number| bench.sets_at(&reserved(number)).is_empty()));
    assert_eq!(
        bench.sets_at(&bench.zone.name),
        untouched.sets_at(&untouched.zone.name)
    );
    assert_eq!(
        bench
            .state
            .traffic_policy_instance_count(&bench.zone.account)
            .unwrap(),
        0
    );
}

#[test]
fn what_an_instance_made_is_changed_with_it_alone() {
    let mut bench = Bench::new();
    let instance = bench.made(7, "www.z.test", NESTED);
    let hidden = format!("_tp-{}-0.z.test", instance.id);
    for owner in ["www.z.test", hidden.as_str()] {
        for action in [Action::Create, Action::Upsert, Action::Delete] {
            let refusal = bench.batch(action, Draft::simple(owner, A, 60, &["192.0.2.66"]));
            let BatchRefusal::InvalidChangeBatch(texts) = refusal else {
                panic!("{refusal:?}");
            };
            let text = format!("belongs to the traffic policy instance {}", instance.id);
            assert!(texts[0].contains(&text), "{texts:?}");
        }
    }
    // Another member of a group, too.
    let mut weighted = Draft::simple(&hidden, A, 60, &["192.0.2.66"]);
    (weighted.set_identifier, weighted.weight) = (Some("x".to_owned()), Some(9));
    let refusal = bench.batch(Action::Create, weighted);
    assert!(
        matches!(refusal, BatchRefusal::InvalidChangeBatch(_)),
        "{refusal:?}"
    );
    // As it is listed.
    let listed = Draft::from(&bench.sets_at(&instance.name)[0]);
    assert_eq!(
        (listed.ttl, &listed.records, &listed.alias_target),
        (None, &None, &None)
    );
    assert!(matches!(
        bench.batch(Action::Delete, listed),
        BatchRefusal::InvalidInput(_)
    ));
    // Other types at the name are nobody's, and aliases may lead to it.
    let mut alias = Draft::simple("z.test", A, 0, &[]);
    (alias.ttl, alias.records) = (None, None);
    alias.alias_target = Some(DraftAlias {
        hosted_zone_id: bench.zone.id.clone(),
        dns_name: "www.z.test".to_owned(),
        evaluate_target_health: true,
    });
    let text = Draft::simple("www.z.test", RecordType::Txt, 60, &["\"x\""]);
    let changes = [alias, text].map(|set| DraftChange {
        action: Action::Create,
        set,
    });
    plan_batch(&bench.state, &bench.zone, &changes).unwrap();
    let not_empty = plan_delete_zone(&bench.state, &bench.zone);
    assert_eq!(not_empty, Err(PlanError::Refused(ZoneNotEmpty::RecordSets)));
}

#[test]
fn names_and_types_are_taken_once() {
    let mut bench = Bench::new();
    let a = endpoint("A", "value", "192.0.2.1");
    let instance = bench.made(1, "www.z.test", &a);
    assert_eq!(
        bench.create(2, "Www.Z.test.", NESTED),
        Err(InstanceRefusal::AlreadyExists(instance.id.clone()))
    );
    bench.made(2, "www.z.test", &endpoint("AAAA", "value", "2001:db8::1"));
    let conflicting = InstanceRefusal::ConflictingTypes(A, RecordType::Aaaa);
    let aaaa = endpoint("AAAA", "value", "2001:db8::2");
    assert_eq!(bench.update(&instance, &aaaa, 60), Err(conflicting));
    let cname = endpoint("CNAME", "value", "a.example");
    let text = invalid(bench.create(3, "www.z.test", &cname));
    assert!(text.contains("conflicts with other records"), "{text}");
    let text = invalid(bench.create(3, "z.test", &cname));
    assert!(text.contains("not permitted at apex"), "{text}");
    bench.state.apply(vec![Effect::PutQuota {
        account: bench.zone.account.clone(),
        quota: Quota::TrafficPolicyInstancesByOwner,
        limit: 2,
    }]);
    assert_eq!(
        bench.create(4, "x.z.test", &a),
        Err(InstanceRefusal::TooMany)
    );
}

#[test]
fn what_a_zone_does_not_take_is_refused_with_its_reasons() {
    let mut bench = Bench::new();
    let a = endpoint("A", "value", "192.0.2.1");
    let own = Draft::simple("own.z.test", A, 60, &["192.0.2.1"]);
    let changes = [DraftChange {
        action: Action::Create,
        set: own,
    }];
    let effects = plan_batch(&bench.state, &bench.zone, &changes).unwrap();
    bench.state.apply(effects);
    let rule = |item: &str| {
        format!(
            r#"{{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "A", "StartRule": "r",
                "Endpoints": {{"e": {{"Type": "value", "Value": "192.0.2.1"}}}},
                "Rules": {{"r": {{"RuleType": "latency", "Regions": [{{"EndpointReference": "e", {item}}}]}}}}}}"#
        )
    };
    let check = r#""Region": "eu-west-1", "HealthCheck": "none""#;
    for (owner, document, text) in [
        ("own.z.test", a.clone(), "but it already exists"),
        ("www.y.test", a.clone(), "is not permitted in zone z.test."),
        ("", a.clone(), "DomainNameEmpty"),
        (
            "x.z.test",
            rule(check),
            "A health check with id none does not exist.",
        ),
        (
            "x.z.test",
            rule(r#""Region": "moon-1""#),
            "Unknown region moon-1",
        ),
    ] {
        let said = invalid(bench.create(9, owner, &document));
        assert!(said.contains(text), "{said}");
    }
    bench.state.apply(vec![Effect::PutProtection(Protection {
        key: ProtectionKey {
            zone: bench.zone.id.clone(),
            name: name("safe.z.test"),
            rtype: A,
        },
        comment: Some("not this one".to_owned()),
    })]);
    let said = invalid(bench.create(9, "safe.z.test", &a));
    assert!(said.contains("not this one"), "{said}");
    // With 46 bytes before it the name of a rule would be too long.
    let label = "x".repeat(63);
    let long = Bench::named(&format!("{label}.{label}.{label}.{}", "x".repeat(20)));
    let said = invalid(long.create(1, &long.zone.name.to_string(), NESTED));
    assert!(said.contains("too long for traffic policies"), "{said}");
    long.create(1, &long.zone.name.to_string(), &a).unwrap();
}

#[test]
fn rules_with_too_many_items_are_refused_before_anything_else() {
    let bench = Bench::new();
    let weighted = |items: usize, check: &str| {
        let item = format!(r#"{{"EndpointReference":"e","Weight":1{check}}}"#);
        format!(
            r#"{{"RuleType": "weighted", "Items": [{}]}}"#,
            vec![item; items].join(",")
        )
    };
    let document = |rules: &str| {
        format!(
            r#"{{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "A", "StartRule": "r",
                "Endpoints": {{"e": {{"Type": "value", "Value": "192.0.2.1"}}}},
                "Rules": {{{rules}}}}}"#
        )
    };
    let check = r#", "HealthCheck": "none""#;
    let large = weighted(101, check);
    assert_eq!(
        invalid(bench.create(1, "www.z.test", &document(&format!(r#""r": {large}"#)))),
        "The rule r has 101 items, but there can be no more than 100 weighted sets with the same \
         name and type."
    );
    // Nothing leads to it.
    let idle = format!(r#""r": {}, "idle": {large}"#, weighted(100, ""));
    bench.create(1, "www.z.test", &document(&idle)).unwrap();
    let plain = weighted(101, "");
    let many: Vec<String> = (0..22).map(|n| format!(r#""r{n}": {plain}"#)).collect();
    let to: Vec<String> = (0..22)
        .map(|n| format!(r#"{{"RuleReference": "r{n}", "Weight": 1}}"#))
        .collect();
    let start = format!(
        r#""r": {{"RuleType": "weighted", "Items": [{}]}}, {}"#,
        to.join(","),
        many.join(",")
    );
    let said = invalid(bench.create(1, "www.z.test", &document(&start)));
    assert_eq!(said.split("; ").count(), 21, "{said}");
    assert!(said.ends_with("; and 2 more"), "{said}");
}

#[test]
fn the_largest_trees_are_refused() {
    let bench = Bench::new();
    let text = "x".repeat(250);
    let items: Vec<String> = (0..2500)
        .map(|_| r#"{"EndpointReference":"e"}"#.to_owned())
        .collect();
    let rules: Vec<String> = items
        .chunks(50)
        .enumerate()
        .map(|(n, items)| {
            format!(r#""r{n}":{{"RuleType":"weighted","Items":[{}]}}"#, {
                let weighted: Vec<String> = items
                    .iter()
                    .map(|_| r#"{"EndpointReference":"e","Weight":1}"#.to_owned())
                    .collect();
                weighted.join(",")
            })
        })
        .collect();
    let all: Vec<String> = (0..rules.len())
        .map(|n| format!(r#"{{"RuleReference":"r{n}","Weight":1}}"#))
        .collect();
    let document = format!(
        r#"{{"AWSPolicyFormatVersion":"2015-10-01","RecordType": "TXT","StartRule":"start",
            "Endpoints":{{"e":{{"Type":"value","Value":"\"{text}\""}}}},
            "Rules":{{"start":{{"RuleType":"weighted","Items":[{}]}},{}}}}}"#,
        all.join(","),
        rules.join(",")
    );
    let said = invalid(bench.create(1, "www.z.test", &document));
    assert!(
        said.contains("comes to 2551 resource record sets"),
        "{said}"
    );
}
