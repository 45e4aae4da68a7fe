//! What scenario files cannot say of aliases to host names elsewhere: what is told of them, which of
//! them a World needs, and that health is the same however it came about.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use meridian_answer::{
    Ask, CheckState, EgressRights, Explanation, ExternalFacts, ExternalHeld, ExternalRecord,
    ExternalRecords, ExternalState, ExternalTarget, ExternalTargets, Lost, Moment, Need,
    NeedCounts, ResourceChecks, ViewId, World, ZoneChange, explain,
};
use meridian_dns::{Name, RecordType};
use meridian_model::{AccountId, Generation, ProbeRights};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::scenario::{Alias, Known, Policy, Set, Target, Zone, parse};
use crate::zones::{self, KEY};

const ZONE: &str = "
zone z.test
z.test 900 SOA ns1.z.test. admin.z.test. 1 7200 900 1209600 86400
z.test ALIAS A cdn.example in=zexternal evaluate | failover=PRIMARY id=p
z.test 10 A 192.0.2.99 | failover=SECONDARY id=s
";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn told(world: &World, asked: &str, now_s: u64) -> Explanation {
    let ask = Ask {
        name: &name(asked),
        qtype: 1,
        view: ViewId(0),
        source: IpAddr::from([10, 1, 2, 3]),
        subnet: None,
        at: None,
        health: &[],
        moment: Moment { now_s, seed: 7 },
    };
    explain(world, &ask)
}

fn target(text: &str, state: ExternalState, facts: ExternalFacts) -> ExternalTarget {
    ExternalTarget {
        name: name(text),
        rtype: RecordType::A,
        state,
        facts,
    }
}

fn address(last: u8) -> ExternalRecords {
    ExternalRecords {
        ttl_s: 60,
        records: vec![ExternalRecord {
            data: vec![198, 51, 100, last],
            needs: ProbeRights::Public,
        }],
    }
}

#[test]
fn what_is_known_of_a_host_name_is_told_with_its_age_and_source() {
    let world = zones::world(&parse(ZONE).zones);
    let facts = ExternalFacts {
        resolved_at_s: Some(100),
        source: Some("192.0.2.53:53".into()),
        last_error: Some("timed out".into()),
    };
    let state = ExternalState::Answers {
        records: address(1),
        for_subnets: vec![("10.0.0.0/8".parse().unwrap(), address(2))],
    };
    let table = ExternalTargets::of(KEY, [target("CDN.example", state, facts)]);
    let told_of = |world: &World| {
        let told = told(world, "z.test", 130);
        let alias = told.steps[0].candidates[0].alias.clone().unwrap();
        (told, alias)
    };
    let (nothing, unknown) = told_of(&world);
    assert_eq!(unknown.external.unwrap().state, ExternalHeld::Unknown);
    assert_eq!(unknown.evaluated, Some(CheckState::Down));
    assert_eq!(nothing.records[0].data, "192.0.2.99");
    let (found, alias) = told_of(&world.with_external_targets(table));
    assert_eq!(alias.name, name("cdn.example"));
    assert_eq!(alias.zone.as_deref(), Some("ZEXTERNAL"));
    assert_eq!(alias.evaluated, Some(CheckState::Up));
    let external = alias.external.unwrap();
    let held = ExternalHeld::Answers {
        records: 1,
        ttl_s: 60,
        subnets: 1,
        withheld: 0,
    };
    assert_eq!(external.state, held);
    assert_eq!(external.age_s, Some(30));
    assert_eq!(external.source.as_deref(), Some("192.0.2.53:53"));
    assert_eq!(external.last_error.as_deref(), Some("timed out"));
    assert_eq!(found.records[0].data, "198.51.100.2");
    assert_eq!(found.steps[0].scope, 8);
}

#[test]
fn a_host_name_that_is_not_resolved_is_told_as_the_reason_of_a_failure() {
    let text = ZONE.replace(" evaluate | failover=PRIMARY id=p", "");
    let text = text.replace("z.test 10 A 192.0.2.99 | failover=SECONDARY id=s", "");
    let told = told(&zones::world(&parse(&text).zones), "z.test", 0);
    assert_eq!(
        (told.rcode, told.steps[0].lost),
        (2, Some(Lost::Unresolved))
    );
    let (code, text) = told.extended_error.unwrap();
    assert_eq!((code, text.contains("has not been resolved")), (14, true));
}

#[test]
fn what_an_account_has_no_right_to_is_withheld_until_it_has() {
    let world = zones::world(&parse(ZONE).zones);
    let needs = |last, needs| ExternalRecord {
        data: vec![10, 0, 0, last],
        needs,
    };
    let records = ExternalRecords {
        ttl_s: 60,
        records: vec![
            needs(1, ProbeRights::Private),
            needs(2, ProbeRights::Everything),
        ],
    };
    let state = ExternalState::Answers {
        records,
        for_subnets: Vec::new(),
    };
    let table = [target("cdn.example", state, ExternalFacts::default())];
    let world = world.with_external_targets(ExternalTargets::of(KEY, table));
    let account = AccountId::new("111111111111").unwrap();
    let entitled = |world: &World, rights: Option<ProbeRights>| {
        let rights = rights.map(|rights| (account.clone(), rights));
        let rights: EgressRights = rights.into_iter().collect();
        world.clone().with_egress_rights(Arc::new(rights))
    };
    let told_of = |world: &World| {
        let told = told(world, "z.test", 0);
        let alias = told.steps[0].candidates[0].alias.clone().unwrap();
        let mut data: Vec<String> = told.records.iter().map(|it| it.data.clone()).collect();
        data.sort_unstable();
        (
            data,
            alias.evaluated.unwrap(),
            alias.external.unwrap().state,
        )
    };
    let answers = |records, withheld| ExternalHeld::Answers {
        records,
        ttl_s: 60,
        subnets: 0,
        withheld,
    };
    let withheld = ExternalHeld::Withheld(ProbeRights::Private);
    let (all, some) = (["10.0.0.1", "10.0.0.2"], ["10.0.0.1"]);
    // The next one is the other half of the pair.
    let other = (vec!["192.0.2.99".to_owned()], CheckState::Down, withheld);
    let mut known = world;
    for (rights, data, held) in [
        (Some(ProbeRights::Everything), &all[..], answers(2, 0)),
        (Some(ProbeRights::Private), &some[..], answers(1, 1)),
        (None, &[][..], withheld),
        (Some(ProbeRights::Private), &some[..], answers(1, 1)),
        (Some(ProbeRights::Public), &[][..], withheld),
        (Some(ProbeRights::Everything), &all[..], answers(2, 0)),
    ] {
        known = entitled(&known, rights);
        let right = match data {
            [] => other.clone(),
            data => {
                let data = data.iter().map(|it| (*it).to_owned()).collect();
                (data, CheckState::Up, held)
            }
        };
        assert_eq!(told_of(&known), right, "{rights:?}");
    }
    // Other accounts' rights are none of the zone's business.
    let other = AccountId::new("222222222222").unwrap();
    let rights = EgressRights::from([(other, ProbeRights::Everything)]);
    let known = known.with_egress_rights(Arc::new(rights));
    assert_eq!(told_of(&known).2, withheld);
}

#[test]
fn resources_are_those_of_the_aliases_own_account() {
    let world = zones::world(&parse(ZONE).zones);
    let state = ExternalState::Answers {
        records: address(1),
        for_subnets: Vec::new(),
    };
    let table = [target("cdn.example", state, ExternalFacts::default())];
    let world = world.with_external_targets(ExternalTargets::of(KEY, table));
    let world = zones::with_down(world, &["hc-r".to_owned()]);
    let with = |account: &str| {
        let account = AccountId::new(account).unwrap();
        let cdn = name("cdn.example");
        let checks = ResourceChecks::of([(&account, &cdn, "hc-r")]);
        world.clone().with_resource_checks(checks)
    };
    let own = with("111111111111");
    let told_own = told(&own, "z.test", 0);
    assert_eq!(told_own.records[0].data, "192.0.2.99");
    let seen = told_own.steps[0].candidates[0].alias.clone().unwrap();
    let check = seen.external.unwrap().resource_check;
    assert_eq!(check, Some(("hc-r".to_owned(), CheckState::Down)));
    let others = told(&with("222222222222"), "z.test", 0);
    assert_eq!(others.records[0].data, "198.51.100.1");
    // A resource that goes takes its check along.
    let gone = own.with_resource_checks(ResourceChecks::default());
    assert_eq!(told(&gone, "z.test", 0).records[0].data, "198.51.100.1");
}

#[test]
fn a_world_says_which_host_names_it_needs_and_whether_they_are_others() {
    let text = format!(
        "{ZONE}
www.z.test ALIAS AAAA CDN.example in=z2fdtndataqyw2
two.z.test ALIAS A two.example in=zexternal
plain.z.test 60 A 192.0.2.1
own.z.test ALIAS A plain.z.test

zone other.test
other.test 900 SOA ns1.other.test. admin.other.test. 1 7200 900 1209600 86400
www.other.test 60 A 192.0.2.1
"
    );
    let scenario = parse(&text);
    let world = zones::world(&scenario.zones);
    let needed = world.external_targets().clone();
    let cdn = |rtype| (name("cdn.example"), rtype);
    let both = HashSet::from([cdn(RecordType::A), cdn(RecordType::Aaaa)]);
    let mut all = both.clone();
    all.insert((name("two.example"), RecordType::A));
    assert_eq!(needed.targets(), all);
    let change = |world: &World, zone: usize, text: &str| {
        let meta = zones::meta(&scenario.zones[zone], zone);
        let image = world.zone(&meta.apex, meta.generation).unwrap();
        let owner = name(text);
        let image = image.with_names(KEY, 2, [(&owner, &[][..])]).unwrap();
        world.changed(&[ZoneChange::Put(Arc::new(image))])
    };
    // Another zone is none of its business.
    let same = change(&world, 1, "www.other.test");
    assert!(same.external_targets().is_same(&needed));
    let fewer = change(&same, 0, "two.z.test");
    assert!(!fewer.external_targets().is_same(&needed));
    assert_eq!(fewer.external_targets().targets(), both);
    // A zone that is named from elsewhere takes its targets along.
    let image = fewer.zone(&name("z.test"), Generation(0)).unwrap().clone();
    let gone = fewer.changed(&[ZoneChange::Remove(Arc::new(image))]);
    assert_eq!(gone.external_targets().targets(), HashSet::new());
}

/// Some of twelve aliases of a zone, each to one of four host names elsewhere, or to a name of its own.
fn aliases(apex: &str, lead: [Option<u8>; 12]) -> Zone {
    let aliases = lead.into_iter().enumerate().filter_map(|(place, to)| {
        let (rtype, owner) = match place % 2 {
            0 => (RecordType::A, place),
            _ => (RecordType::Aaaa, place - 1),
        };
        let (zone, target) = match to? {
            4 => (apex, format!("plain.{apex}")),
            to => ("zexternal", format!("t{to}.example")),
        };
        let alias = Alias {
            zone: name(zone),
            name: name(&target),
            evaluate: place % 3 == 0,
        };
        Some(Set {
            name: name(&format!("n{owner}.{apex}")),
            rtype,
            ttl: 0,
            values: Vec::new(),
            alias: Some(alias),
            policy: Policy::default(),
        })
    });
    Zone {
        apex: name(apex),
        views: vec![0],
        vpcs: None,
        rights: ProbeRights::Public,
        sets: aliases.collect(),
    }
}

fn lead() -> impl Strategy<Value = [Option<u8>; 12]> {
    prop::array::uniform12(prop_oneof![Just(None), (0..5u8).prop_map(Some)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn host_names_that_are_counted_are_those_that_all_zones_need(
        steps in vec((vec((0..5usize, prop_oneof![4 => lead().prop_map(Some), 1 => Just(None)]), 1..4),
            any::<bool>()), 1..16),
    ) {
        // Two share a shelf.
        let places = [0, 1, 256, 257, 1000];
        let apex = |which: usize| format!("z{which}.test");
        let mut world = zones::world(&[]);
        let (mut counts, mut followed) = (NeedCounts::default(), HashSet::<Need>::new());
        for (changes, is_looked_at) in steps {
            for (which, lead) in changes {
                let zone = aliases(&apex(which), lead.unwrap_or_default());
                let meta = zones::meta(&zone, places[which]);
                let image = zones::image(meta, &zones::rows(&zone.sets));
                let account = AccountId::new(["111111111111", "222222222222"][which % 2]).unwrap();
                let image = Arc::new(image.with_account(&account));
                let was = world.external_targets().clone();
                world = world.changed(&[match lead {
                    Some(_) => ZoneChange::Put(image),
                    None => ZoneChange::Remove(image),
                }]);
                let is = world.external_targets();
                prop_assert!(!was.is_same(is) || was.targets() == is.targets());
            }
            let needed = world.external_targets();
            // Several changes may come between two looks.
            if is_looked_at {
                let changes = counts.follow(needed);
                for target in changes.gone {
                    prop_assert!(followed.remove(&target));
                }
                for target in changes.new {
                    prop_assert!(followed.insert(target));
                }
                prop_assert!(counts.is_of(needed));
                let each = |needs: &HashSet<Need>| -> HashSet<_> {
                    needs.iter().map(|(target, _)| target.clone()).collect()
                };
                prop_assert_eq!(&followed, &counts.needs().cloned().collect::<HashSet<_>>());
                prop_assert_eq!(each(&followed), needed.targets());
            }
        }
    }
}

/// What happens to a World, one after the other.
#[derive(Debug, Clone)]
enum Event {
    /// Of one of the host names this is known from now on.
    Known(usize, Known),
    /// These of two checks are down.
    Down([bool; 2]),
    /// The resource has its check or has not.
    Resource(bool),
    /// This zone is made anew.
    Zone(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let known = prop_oneof![
        Just(Known::Records(60, vec!["198.51.100.1".to_owned()], None)),
        Just(Known::Nothing),
        Just(Known::Gone),
        Just(Known::Unknown),
    ];
    prop_oneof![
        4 => (0..3usize, known).prop_map(|(which, known)| Event::Known(which, known)),
        1 => any::<[bool; 2]>().prop_map(Event::Down),
        1 => any::<bool>().prop_map(Event::Resource),
        1 => (0..2usize).prop_map(Event::Zone),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn health_is_the_same_however_it_came_about(events in vec(event(), 1..24)) {
        let scenario = parse(include_str!("../scenarios/external/health.txt"));
        let account = AccountId::new("111111111111").unwrap();
        let checked = name("checked.example");
        let names = ["first.example", "second.example", "checked.example"].map(name);
        let (mut targets, mut down, mut is_resource): (Vec<Target>, Vec<String>, bool) =
            (Vec::new(), Vec::new(), false);
        let mut world = zones::world(&scenario.zones);
        let resources = |is: bool| {
            let check = (&account, &checked, "hc-r");
            ResourceChecks::of(is.then_some(check))
        };
        for event in events {
            match event {
                Event::Known(which, known) => {
                    targets.retain(|target| target.name != names[which]);
                    let (name, rtype) = (names[which].clone(), RecordType::A);
                    targets.push(Target { name, rtype, known });
                    world = zones::with_targets(world, &targets);
                }
                Event::Down(which) => {
                    let ids = ["hc-r", "hc-own"].into_iter().zip(which);
                    let ids = ids.filter(|(_, is_down)| *is_down);
                    down = ids.map(|(id, _)| id.to_owned()).collect();
                    world = zones::with_down(world, &down);
                }
                Event::Resource(is) => {
                    is_resource = is;
                    world = world.with_resource_checks(resources(is));
                }
                Event::Zone(which) => {
                    let meta = zones::meta(&scenario.zones[which], which);
                    let image = world.zone(&meta.apex, meta.generation).unwrap().clone();
                    world = world.changed(&[ZoneChange::Put(Arc::new(image))]);
                }
            }
            let fresh = zones::world(&scenario.zones).with_resource_checks(resources(is_resource));
            let fresh = zones::with_down(zones::with_targets(fresh, &targets), &down);
            for asked in ["fail", "stay", "own", "check", "top"].map(|it| format!("{it}.fail.test")) {
                prop_assert_eq!(told(&world, &asked, 0), told(&fresh, &asked, 0));
            }
            prop_assert_eq!(told(&world, "far.test", 0), told(&fresh, "far.test", 0));
        }
    }
}
