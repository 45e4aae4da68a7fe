//! What a batch does to a zone, and every message it can be refused with. What it says of aliases is in
//! `aliases.rs`.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod aliases;
#[path = "../memory/mod.rs"]
mod memory;

use memory::{Memory, account, facts};
use meridian_dns::RecordType::{self, A, Aaaa, Cname, Ns, Soa, Txt};
use meridian_model::{
    AccountId,
    Action::{self, Create, Delete, Upsert},
    BatchRefusal, CidrBlocks, CidrCollection, CidrCollectionId, CidrLocation, Coordinates, Draft,
    DraftAlias, DraftChange, Effect, FailoverRole, GeoproximityLocation, GeoproximityPlace,
    NewZone, PlanError, Quota, Region, State, Zone, plan_batch, plan_create_zone, plan_delete_zone,
};

struct Bench {
    state: Memory,
    zone: Zone,
}

impl Bench {
    fn new() -> Self {
        let mut state = Memory::with_pool(4);
        let new = NewZone {
            name: "Z.test".to_owned(),
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

    fn plan(&self, changes: &[DraftChange]) -> Result<Vec<Effect>, BatchRefusal> {
        plan_batch(&self.state, &self.zone, changes).map_err(|error| match error {
            PlanError::Refused(refusal) => refusal,
            PlanError::State(never) => match never {},
        })
    }

    fn with(mut self, changes: &[DraftChange]) -> Self {
        let effects = self.plan(changes).unwrap();
        self.state.apply(effects);
        self
    }

    fn messages(&self, changes: &[DraftChange]) -> Vec<String> {
        match self.plan(changes) {
            Err(BatchRefusal::InvalidChangeBatch(messages)) => messages,
            other => panic!("{other:?}"),
        }
    }

    fn alias(&self, name: &str, target: &str) -> Draft {
        let mut set = Draft::simple(name, A, 60, &[]);
        (set.ttl, set.records) = (None, None);
        set.alias_target = Some(DraftAlias {
            hosted_zone_id: self.zone.id.clone(),
            dns_name: target.to_owned(),
            evaluate_target_health: false,
        });
        set
    }
}

fn change(action: Action, set: Draft) -> DraftChange {
    DraftChange { action, set }
}

fn simple(action: Action, name: &str, rtype: RecordType, value: &str) -> DraftChange {
    change(action, Draft::simple(name, rtype, 60, &[value]))
}

fn weighted(name: &str, id: &str, weight: u8) -> Draft {
    let mut set = Draft::simple(name, A, 60, &["192.0.2.1"]);
    set.set_identifier = Some(id.to_owned());
    set.weight = Some(weight);
    set
}

fn create(set: Draft) -> DraftChange {
    change(Create, set)
}

#[test]
fn a_set_is_created_once_and_deleted_only_as_it_is() {
    let bench = Bench::new().with(&[simple(Create, "WWW.z.test", A, "192.0.2.1")]);
    assert_eq!(
        bench.messages(&[simple(Create, "www.z.test.", A, "192.0.2.9")]),
        [
            "Tried to create resource record set [name='www.z.test.', type='A'] but it already exists"
        ]
    );
    assert_eq!(
        bench.messages(&[simple(Delete, "x.z.test", A, "192.0.2.1")]),
        ["Tried to delete resource record set [name='x.z.test.', type='A'] but it was not found"]
    );
    assert_eq!(
        bench.messages(&[simple(Delete, "www.z.test", A, "192.0.2.2")]),
        [
            "Tried to delete resource record set [name='www.z.test.', type='A'] but the values \
          provided do not match the current values"
        ]
    );
    let bench = bench.with(&[simple(Delete, "www.z.test", A, "192.0.2.1")]);
    assert_eq!(bench.state.set_count(bench.zone.generation), Ok(2));
}

#[test]
fn values_of_a_delete_compare_by_meaning_in_any_order() {
    let two = |a, b| Draft::simple("t.z.test", Txt, 60, &[a, b]);
    let bench = Bench::new().with(&[create(two("\"a\" \"b\"", "\"c\""))]);
    bench
        .plan(&[change(Delete, two("\"c\"", "\"a\"\"b\""))])
        .unwrap();
    assert_eq!(
        bench
            .messages(&[change(Delete, two("\"c\"", "\"ab\""))])
            .len(),
        1
    );
}

#[test]
fn a_set_may_be_deleted_and_remade_but_not_touched_twice_otherwise() {
    let bench = Bench::new().with(&[simple(Create, "a.z.test", A, "192.0.2.1")]);
    let remade = [
        simple(Delete, "a.z.test", A, "192.0.2.1"),
        simple(Create, "a.z.test", Cname, "b.test"),
    ];
    assert_eq!(bench.plan(&remade).unwrap().len(), 2);
    let again = [
        simple(Delete, "a.z.test", A, "192.0.2.1"),
        simple(Create, "a.z.test", A, "192.0.2.2"),
    ];
    assert_eq!(bench.plan(&again).unwrap().len(), 1);
    let twice = [
        simple(Upsert, "a.z.test", A, "192.0.2.1"),
        simple(Upsert, "a.z.test", A, "192.0.2.2"),
    ];
    assert_eq!(
        bench.messages(&twice),
        ["The request contains an invalid set of changes for a resource record set 'A a.z.test.'"]
    );
}

#[test]
fn writing_what_is_there_has_no_effect() {
    let bench = Bench::new().with(&[simple(Create, "a.z.test", A, "192.0.2.1")]);
    assert_eq!(
        bench
            .plan(&[simple(Upsert, "a.z.test", A, "192.0.2.1")])
            .unwrap(),
        []
    );
}

#[test]
fn a_cname_stands_alone_and_never_at_the_apex() {
    let bench = Bench::new().with(&[
        simple(Create, "c.z.test", Cname, "t.test"),
        simple(Create, "a.z.test", A, "192.0.2.1"),
    ]);
    assert_eq!(
        bench.messages(&[simple(Create, "z.test", Cname, "t.test")]),
        ["RRSet of type CNAME with DNS name z.test. is not permitted at apex in zone z.test."]
    );
    assert_eq!(
        bench.messages(&[simple(Create, "a.z.test", Cname, "t.test")]),
        [
            "RRSet of type CNAME with DNS name a.z.test. is not permitted as it conflicts with other \
          records with the same DNS name in zone z.test."
        ]
    );
    assert_eq!(
        bench.messages(&[simple(Create, "c.z.test", Txt, "\"x\"")]),
        [
            "RRSet of type TXT with DNS name c.z.test. is not permitted because a conflicting RRSet \
          of type CNAME with the same DNS name already exists in zone z.test."
        ]
    );
    let both = [
        simple(Create, "n.z.test", A, "192.0.2.1"),
        simple(Create, "n.z.test", Cname, "t.test"),
    ];
    assert_eq!(bench.messages(&both).len(), 1);
}

#[test]
fn names_lie_in_the_zone_by_label() {
    let bench = Bench::new();
    assert_eq!(
        bench.messages(&[
            simple(Create, "notz.test", A, "192.0.2.1"),
            simple(Create, "test", A, "192.0.2.1"),
        ]),
        [
            "RRSet with DNS name notz.test. is not permitted in zone z.test.",
            "RRSet with DNS name test. is not permitted in zone z.test."
        ]
    );
}

#[test]
fn one_policy_per_name_and_type() {
    let bench = Bench::new().with(&[
        simple(Create, "s.z.test", A, "192.0.2.1"),
        create(weighted("w.z.test", "one", 1)),
    ]);
    assert_eq!(
        bench.messages(&[create(weighted("s.z.test", "one", 1))]),
        [
            "RRSet with DNS name s.z.test., type A, SetIdentifier one cannot be created as a \
          non-weighted set exists with the same name and type."
        ]
    );
    assert_eq!(
        bench.messages(&[simple(Upsert, "w.z.test", A, "192.0.2.1")]),
        [
            "RRSet with DNS name w.z.test., type A cannot be created as other RRSets exist with the \
          same name and type."
        ]
    );
    assert_eq!(
        bench.messages(&[create(weighted("w.z.test", "one", 1))]),
        [
            "Tried to create resource record set [name='w.z.test.', type='A', set-identifier='one'] \
          but it already exists"
        ]
    );
    let mut slow = weighted("w.z.test", "two", 2);
    slow.ttl = Some(61);
    assert_eq!(
        bench.messages(&[create(slow)]),
        [
            "RRSet with DNS name w.z.test. and type A, SetIdentifier two cannot be created as \
          weighted sets must contain the same TTL."
        ]
    );
    bench
        .plan(&[create(weighted("w.z.test", "two", 2))])
        .unwrap();
    let mut other_type = weighted("w.z.test", "two", 2);
    (other_type.rtype, other_type.records) = (Aaaa, Some(vec!["2001:db8::1".to_owned()]));
    bench.plan(&[create(other_type)]).unwrap();
}

#[test]
fn members_of_a_group_differ_in_what_chooses_them() {
    let region = |id: &str| {
        let mut set = weighted("l.z.test", id, 0);
        (set.weight, set.region) = (None, Region::new("eu-west-1"));
        set
    };
    let role = |id: &str| {
        let mut set = weighted("f.z.test", id, 0);
        (set.weight, set.failover) = (None, Some(FailoverRole::Primary));
        set
    };
    let bench = Bench::new();
    assert!(bench.messages(&[create(region("a")), create(region("b"))])[0].contains("eu-west-1"));
    assert!(bench.messages(&[create(role("a")), create(role("b"))])[0].contains("a PRIMARY set"));
}

#[test]
fn the_apex_keeps_its_soa_and_ns() {
    let bench = Bench::new();
    let apex = bench
        .state
        .sets_at(bench.zone.generation, &bench.zone.name)
        .unwrap();
    let drop = |rtype| {
        let set = apex.iter().find(|set| set.key.rtype == rtype).unwrap();
        bench.messages(&[change(Delete, Draft::from(set))])
    };
    assert_eq!(
        drop(Soa),
        ["A HostedZone must contain exactly one SOA record."]
    );
    assert_eq!(
        drop(Ns),
        ["A HostedZone must contain at least one NS record for the zone itself."]
    );
    let soa = "ns.z.test. me.z.test. 7 7200 900 1209600 86400";
    bench.plan(&[simple(Upsert, "z.test", Soa, soa)]).unwrap();
    assert_eq!(
        bench.messages(&[simple(Create, "sub.z.test", Soa, soa)]),
        ["A HostedZone must contain exactly one SOA record."]
    );
}

#[test]
fn limits_of_a_request_count_an_upsert_twice() {
    let bench = Bench::new();
    let many = |action, n: usize| -> Vec<DraftChange> {
        (0..n)
            .map(|i| simple(action, &format!("h{i}.z.test"), A, "192.0.2.1"))
            .collect()
    };
    bench.plan(&many(Create, 1000)).unwrap();
    bench.plan(&many(Upsert, 500)).unwrap();
    let limit = ["Number of records limit of 1000 exceeded."];
    assert_eq!(bench.messages(&many(Create, 1001)), limit);
    assert_eq!(bench.messages(&many(Upsert, 501)), limit);
    let text = format!("\"{}\"", "x".repeat(198));
    let long = |n: usize| -> Vec<DraftChange> {
        (0..n)
            .map(|i| simple(Create, &format!("h{i}.z.test"), Txt, &text))
            .collect()
    };
    bench.plan(&long(160)).unwrap();
    assert_eq!(
        bench.messages(&long(161)),
        ["RDATA character limit of 32000 exceeded."]
    );
}

#[test]
fn values_are_counted_compared_and_read() {
    let bench = Bench::new();
    let values: Vec<String> = (0..401)
        .map(|i| format!("10.0.{}.{}", i / 256, i % 256))
        .collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    assert_eq!(
        bench.messages(&[create(Draft::simple("m.z.test", A, 60, &values))]),
        ["Cannot have more than 400 records in a RRSet."]
    );
    bench
        .plan(&[create(Draft::simple("m.z.test", A, 60, &values[..400]))])
        .unwrap();
    assert_eq!(
        bench.messages(&[
            create(Draft::simple(
                "d.z.test",
                A,
                60,
                &["192.0.2.1", "192.0.2.1"]
            )),
            simple(Create, "e.z.test", A, "192.0.2.300"),
            simple(Create, "f.z.test", Txt, "bare"),
        ]),
        [
            "Duplicate Resource Record: '192.0.2.1'",
            "Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a \
             valid IPv4 address) encountered with '192.0.2.300'",
            "Invalid Resource Record: FATAL problem: InvalidCharacterString (Value should be \
             enclosed in quotation marks) encountered with 'bare'",
        ]
    );
}

#[test]
fn a_thousand_sets_at_one_name_are_refused_in_no_time() {
    let bench = Bench::new();
    let sets = (0..1000).map(|i| create(weighted("w.z.test", &i.to_string(), 1)));
    let sets: Vec<DraftChange> = sets.collect();
    assert!(bench.messages(&sets)[0].contains("more than 100"));
}

#[test]
fn no_limit_lets_an_answer_be_chosen_among_more_than_a_thousand_sets() {
    let mut bench = Bench::new();
    for quota in [Quota::PolicySetsByName, Quota::ValuesByBatch] {
        let (account, limit) = (bench.zone.account.clone(), 5000);
        let effect = Effect::PutQuota {
            account,
            quota,
            limit,
        };
        bench.state.apply(vec![effect]);
    }
    let sets = (0..1001).map(|i| create(weighted("w.z.test", &i.to_string(), 1)));
    let sets: Vec<DraftChange> = sets.collect();
    assert!(bench.messages(&sets)[0].contains("more than 1000"));
    bench.plan(&sets[..1000]).unwrap();
}

#[test]
fn multivalue_sets_that_are_answered_together_fit_into_a_message() {
    let set = |id: usize, values: usize| {
        let values = (0..values).map(|n| format!("\"{n}{}\"", "x".repeat(200)));
        let mut set = weighted("m.z.test", &id.to_string(), 0);
        (set.rtype, set.weight, set.multi_value_answer) = (Txt, None, Some(true));
        set.records = Some(values.collect());
        create(set)
    };
    // Seven of these and a small one fit, and so do many small ones.
    let small: Vec<DraftChange> = (7..60).map(|id| set(id, 1)).collect();
    let large = (0..7).map(|id| set(id, 40));
    let bench = large.fold(Bench::new().with(&small), |bench, set| bench.with(&[set]));
    let refused = bench.messages(&[set(100, 40)]);
    assert_eq!(
        refused,
        [
            "RRSet with DNS name m.z.test., type TXT, SetIdentifier 100 cannot be created as 8 \
             multivalue sets together do not fit into one DNS message."
        ]
    );
}

#[test]
fn limits_on_sets_are_the_accounts() {
    let mut bench = Bench::new();
    let account = bench.zone.account.clone();
    let mut limit = |quota, limit| {
        let account = account.clone();
        bench.state.apply(vec![Effect::PutQuota {
            account,
            quota,
            limit,
        }]);
    };
    limit(Quota::ValuesByRecordSet, 2);
    limit(Quota::PolicySetsByName, 3);
    limit(Quota::GeoproximitySetsByName, 1);
    limit(Quota::ValuesByBatch, 4);
    limit(Quota::CharactersByBatch, 60);
    let values = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    assert_eq!(
        bench.messages(&[create(Draft::simple("m.z.test", A, 60, &values))]),
        ["Cannot have more than 2 records in a RRSet."]
    );
    bench
        .plan(&[create(Draft::simple("m.z.test", A, 60, &values[..2]))])
        .unwrap();
    let sets: Vec<DraftChange> = ["a", "b", "c", "d"]
        .map(|id| create(weighted("w.z.test", id, 1)))
        .into();
    bench.plan(&sets[..3]).unwrap();
    assert_eq!(
        bench.messages(&sets),
        [
            "RRSet with DNS name w.z.test., type A, SetIdentifier d cannot be created as there can \
             be no more than 3 weighted sets with the same name and type."
        ]
    );
    let near = |region: &str| {
        let mut set = weighted("g.z.test", region, 1);
        set.weight = None;
        set.geo_proximity_location = Some(GeoproximityLocation {
            place: GeoproximityPlace::Region(region.to_owned()),
            bias: None,
        });
        create(set)
    };
    let near = ["eu-west-1", "us-east-1"].map(near);
    bench.plan(&near[..1]).unwrap();
    assert!(bench.messages(&near)[0].contains("no more than 1 geoproximity sets"));
    let upsert = |set| DraftChange {
        action: Upsert,
        set,
    };
    let three =
        ["a", "b", "c"].map(|n| upsert(Draft::simple(&format!("{n}.z.test"), A, 60, &values[..1])));
    bench.plan(&three[..2]).unwrap();
    assert_eq!(
        bench.messages(&three),
        ["Number of records limit of 4 exceeded."]
    );
    let text = |len: usize| {
        [create(Draft::simple(
            "t.z.test",
            Txt,
            60,
            &[&format!("{:?}", "x".repeat(len - 2))],
        ))]
    };
    bench.plan(&text(60)).unwrap();
    assert_eq!(
        bench.messages(&text(61)),
        ["RDATA character limit of 60 exceeded."]
    );
}

#[test]
fn an_unknown_health_check_refuses_the_request() {
    let bench = Bench::new();
    let mut set = Draft::simple("h.z.test", A, 60, &["192.0.2.1"]);
    set.health_check_id = Some("unknown".to_owned());
    let refusal = bench.plan(&[create(set.clone())]).unwrap_err();
    assert_eq!(
        refusal,
        BatchRefusal::NoSuchHealthCheck("unknown".to_owned())
    );
    set.health_check_id = Some("known".to_owned());
    bench.plan(&[create(set)]).unwrap();
}

#[test]
fn a_full_zone_takes_no_more_sets_but_lets_them_be_swapped() {
    let mut bench = Bench::new().with(&[simple(Create, "a.z.test", A, "192.0.2.1")]);
    bench.state.apply(vec![Effect::PutQuota {
        account: bench.zone.account.clone(),
        quota: Quota::RecordSetsByZone,
        limit: 3,
    }]);
    assert_eq!(
        bench.messages(&[simple(Create, "b.z.test", A, "192.0.2.1")]),
        [format!(
            "Exceeded limit MAX_RRSETS_BY_ZONE for zone: {}",
            bench.zone.id
        )]
    );
    let swap = [
        simple(Delete, "a.z.test", A, "192.0.2.1"),
        simple(Create, "b.z.test", A, "192.0.2.1"),
    ];
    bench.plan(&swap).unwrap();
}

#[test]
fn all_errors_come_together_and_nothing_is_planned() {
    let bench = Bench::new();
    let messages = bench.messages(&[
        simple(Create, "ok.z.test", A, "192.0.2.1"),
        simple(Delete, "gone.z.test", A, "192.0.2.1"),
        simple(Create, "bad.z.test", A, "nonsense"),
    ]);
    assert_eq!(messages.len(), 2);
}

#[test]
fn an_empty_zone_can_be_deleted_and_its_reference_stays_used() {
    let bench = Bench::new().with(&[simple(Create, "a.z.test", A, "192.0.2.1")]);
    assert!(plan_delete_zone(&bench.state, &bench.zone).is_err());
    let mut bench = bench.with(&[simple(Delete, "a.z.test", A, "192.0.2.1")]);
    let effects = plan_delete_zone(&bench.state, &bench.zone).unwrap();
    bench.state.apply(effects);
    assert_eq!(bench.state.zone(&bench.zone.id), Ok(None));
    assert_eq!(bench.state.set_count(bench.zone.generation), Ok(0));
}

#[test]
fn a_cidr_location_must_exist_and_a_point_lie_on_the_globe() {
    let mut bench = Bench::new();
    let id = CidrCollectionId::new("0a").unwrap();
    let collection = CidrCollection {
        id: id.clone(),
        account: bench.zone.account.clone(),
        name: "offices".to_owned(),
        caller_reference: "r".to_owned(),
        version: 1,
    };
    let foreign = CidrCollection {
        id: CidrCollectionId::new("0b").unwrap(),
        account: AccountId::new("999999999999").unwrap(),
        ..collection.clone()
    };
    bench.state.apply(vec![
        Effect::PutCidrCollection(collection),
        Effect::PutCidrCollection(foreign),
        Effect::PutCidrBlocks(CidrBlocks {
            collection: id,
            location: CidrLocation::new("north").unwrap(),
            blocks: vec!["192.0.2.0/24".parse().unwrap()],
        }),
    ]);
    let cidr = |id: &str, location: &str| {
        let mut set = weighted("c.z.test", "a", 0);
        (set.weight, set.cidr_routing_config) = (None, Some((id.to_owned(), location.to_owned())));
        set
    };
    for missing in ["other", "0c", "0b"] {
        assert_eq!(
            bench.messages(&[create(cidr(missing, "*"))]),
            [format!(
                "A CIDR collection with id {missing} does not exist."
            )]
        );
    }
    assert_eq!(
        bench.messages(&[create(cidr("0a", "south"))]),
        ["A CIDR location with name south does not exist in the CIDR collection with id 0a."]
    );
    bench.plan(&[create(cidr("0a", "*"))]).unwrap();
    bench.plan(&[create(cidr("0a", "north"))]).unwrap();
    let point = |latitude: &str, longitude: &str| {
        let mut set = weighted("g.z.test", "a", 0);
        let (latitude, longitude) = (latitude.to_owned(), longitude.to_owned());
        let place = GeoproximityPlace::Coordinates(Coordinates {
            latitude,
            longitude,
        });
        set.weight = None;
        set.geo_proximity_location = Some(GeoproximityLocation { place, bias: None });
        bench.plan(&[create(set)])
    };
    point("-90", "+180.00").unwrap();
    for (latitude, longitude) in [("91", "0"), ("0", "-181")] {
        let refusal = point(latitude, longitude).unwrap_err();
        assert!(
            matches!(refusal, BatchRefusal::InvalidInput(_)),
            "{refusal:?}"
        );
    }
}
