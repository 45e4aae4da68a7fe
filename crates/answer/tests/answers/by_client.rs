//! Policies that look at who asks: that their choice is the same for all whom a scope speaks for, and what
//! is told of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use meridian_answer::{
    Ask, Candidate, CandidateOutcome, CheckState, ChoiceMode, ClientKnownBy, Explanation, Fate,
    LatencySource, Moment, Parameter, ViewId, World, ZoneImage, explain,
};
use meridian_atlas::Origin;
use meridian_dns::Name;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::routing::{APEX, told, values};
use crate::scenario::parse;
use crate::zones::{self, KEY};

const FAST: &str = "
fast.example.test 60 A 192.0.2.1 | region=us-east-1 id=1 check=h1
fast.example.test 60 A 192.0.2.2 | region=us-west-2 id=2 check=h2
fast.example.test 60 A 192.0.2.3 | region=eu-central-1 id=3 check=h3
fast.example.test 60 A 192.0.2.4 | region=sa-east-1 id=4 check=h4
same.example.test 60 A 192.0.2.1 | at=10,10 id=1
same.example.test 60 A 192.0.2.2 | at=10,10 bias=0 id=2
";

/// What each of these networks is answered, by its first byte.
fn by_network(world: &World, name: &str) -> Vec<String> {
    let name = Name::parse(name).unwrap();
    let ask = |first: u8| Ask {
        name: &name,
        qtype: 1,
        view: ViewId(0),
        source: IpAddr::from([127, 0, 0, 1]),
        subnet: Some((IpAddr::from([first, 0, 0, 0]), 8)),
        at: None,
        health: &[],
        moment: Moment {
            now_s: 0,
            seed: first.into(),
        },
    };
    let told = (1..=200).map(|first| explain(world, &ask(first)));
    told.map(|told| values(&told).join(" ")).collect()
}

/// A world with two hundred networks of which nothing is known but that they are apart.
fn unknown_networks(key: meridian_answer::HashKey) -> World {
    let places = (1..=200).map(|n| match n % 2 {
        0 => format!("place {n}.0.0.0/8 country=DE\n"),
        _ => format!("place {n}.0.0.0/8 country=FR\n"),
    });
    let text = format!("{}{APEX}{FAST}", places.collect::<String>());
    let scenario = parse(&text);
    let zone = &scenario.zones[0];
    let rows = zones::rows(&zone.sets);
    let names = rows.values().map(|(name, sets)| (name, sets.as_slice()));
    let meta = zones::meta(zone, 0);
    let image = ZoneImage::build(key, meta, names, meridian_answer::Broken::Refuse).unwrap();
    let atlas = zones::atlas(&scenario.places);
    World::new(key, vec![Arc::new(image)]).with_atlas(Arc::new(atlas))
}

#[test]
fn who_cannot_be_placed_is_answered_the_same_always_and_everywhere() {
    let (one, two) = (
        unknown_networks(KEY),
        unknown_networks(meridian_answer::HashKey([5, 6])),
    );
    for name in ["fast.example.test", "same.example.test"] {
        let answers = by_network(&one, name);
        assert_eq!(answers, by_network(&one, name));
        assert_eq!(
            answers,
            by_network(&two, name),
            "another server says the same"
        );
        let mut different = answers.clone();
        different.sort();
        different.dedup();
        assert_eq!(
            different.len(),
            if name.starts_with("fast") { 4 } else { 2 }
        );
    }
}

#[test]
fn when_one_goes_only_its_own_clients_move() {
    let world = unknown_networks(KEY);
    let before = by_network(&world, "fast.example.test");
    let down = zones::with_down(world, &["h2".to_owned()]);
    let after = by_network(&down, "fast.example.test");
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(after, "192.0.2.2");
        assert!(before == after || before == "192.0.2.2", "{before} {after}");
    }
}

#[test]
fn distances_and_the_client_are_told_and_a_region_can_be_supposed() {
    let scenario = parse(&format!(
        "place 10.0.0.0/8 country=DE at=50,8\n{APEX}{FAST}"
    ));
    let world = zones::world_of(&scenario);
    let name = Name::parse("fast.example.test").unwrap();
    let ask = Ask {
        name: &name,
        qtype: 1,
        view: ViewId(0),
        source: IpAddr::from([10, 1, 2, 3]),
        subnet: None,
        at: None,
        health: &[],
        moment: Moment { now_s: 0, seed: 0 },
    };
    let here = explain(&world, &ask);
    assert_eq!(values(&here), ["192.0.2.3"]);
    assert_eq!((here.client.address, here.client.bits), (ask.source, 32));
    assert_eq!(here.client.known_by, ClientKnownBy::Source);
    assert_eq!(here.client.place.country.unwrap().as_str(), "DE");
    let [virginia, oregon, frankfurt, _] = &here.steps[0].candidates[..] else {
        panic!("{here:#?}");
    };
    assert_eq!(
        virginia.parameter,
        Parameter::Region("us-east-1".to_owned())
    );
    assert_eq!(virginia.outcome, CandidateOutcome::Passed(Fate::Outdone));
    let km = |candidate: &Candidate| candidate.distance_km.unwrap();
    assert!(km(frankfurt) < 100.0 && km(virginia) > 6_000.0 && km(oregon) > km(virginia));
    // The sender tells no subnet, so no scope is told; but the choice has one.
    assert_eq!((here.scope, here.steps[0].scope > 0), (0, true));
    let there = explain(
        &world,
        &Ask {
            at: Some("us-west-1"),
            ..ask
        },
    );
    assert_eq!(values(&there), ["192.0.2.2"]);
    let known_by = ClientKnownBy::Region("us-west-1".to_owned());
    assert_eq!(there.client.known_by, known_by);
    assert_eq!(there.client.place.country.unwrap().as_str(), "US");
}

/// The reasons of a choice for a client in 10.0.0.0/8, and who could be chosen.
fn reasons(world: &World, name: &str, down: &[&str]) -> (ChoiceMode, Vec<CandidateOutcome>) {
    let health: Vec<_> = down.iter().map(|id| (*id, CheckState::Down)).collect();
    let ask = Ask {
        name: &Name::parse(name).unwrap(),
        qtype: 1,
        view: ViewId(0),
        source: IpAddr::from([10, 1, 2, 3]),
        subnet: None,
        at: None,
        health: &health,
        moment: Moment { now_s: 0, seed: 0 },
    };
    let told = explain(world, &ask);
    let candidates = told.steps[0].candidates.iter();
    (told.steps[0].mode, candidates.map(|c| c.outcome).collect())
}

#[test]
fn the_last_resort_of_those_that_fit_is_told_as_that() {
    let scenario = parse(&format!(
        "place 10.0.0.0/8 country=DE at=50,8\ncollection c here 10.0.0.0/8\n\
         collection c there 192.0.2.0/24\n{APEX}
geo.example.test 60 A 192.0.2.1 | country=DE id=1 check=h1
geo.example.test 60 A 192.0.2.2 | continent=EU id=2 check=h2
geo.example.test 60 A 192.0.2.3 | country=US id=3 check=h3
net.example.test 60 A 192.0.2.1 | collection=c location=here id=1 check=h1
net.example.test 60 A 192.0.2.2 | collection=c location=* id=2 check=h2
net.example.test 60 A 192.0.2.3 | collection=c location=there id=3 check=h3
"
    ));
    let world = zones::world_of(&scenario);
    use CandidateOutcome::{Chosen, Passed, Unhealthy};
    let [less, not] = [Fate::LessSpecific, Fate::NotMatched].map(Passed);
    for name in ["geo.example.test", "net.example.test"] {
        let told = |down: &[&str]| reasons(&world, name, down);
        let all = vec![Chosen, less, not];
        assert_eq!(told(&[]), (ChoiceMode::Healthy, all.clone()));
        assert_eq!(
            told(&["h1"]),
            (ChoiceMode::Healthy, vec![Unhealthy, Chosen, not])
        );
        let among = ChoiceMode::LastResortForClient;
        assert_eq!(told(&["h1", "h2"]), (among, all.clone()));
        assert_eq!(told(&["h1", "h2", "h3"]), (ChoiceMode::LastResort, all));
    }
}

#[test]
fn why_a_region_is_passed_over_is_told() {
    let scenario = parse(&format!(
        "place 10.0.0.0/8 country=CN at=22,114\n{APEX}
china.example.test 60 A 192.0.2.1 | region=ap-east-1 id=1
china.example.test 60 A 192.0.2.2 | region=cn-north-1 id=2
near.example.test 60 A 192.0.2.1 | at=10,10 id=1
near.example.test 60 A 192.0.2.2 | at=22,114 id=2
near.example.test 60 A 192.0.2.3 | at=22,114 id=3
"
    ));
    use CandidateOutcome::{Chosen, Passed};
    let world = zones::world_of(&scenario);
    let (_, china) = reasons(&world, "china.example.test", &[]);
    assert_eq!(china, [Passed(Fate::NotBeijing), Chosen]);
    let (_, mut near) = reasons(&world, "near.example.test", &[]);
    assert_eq!(near.remove(0), Passed(Fate::Outdone));
    assert!(near.contains(&Chosen) && near.contains(&Passed(Fate::AsNear)));
    let nowhere = told(&world, "near.example.test", 0, &[]);
    let candidates = nowhere.steps[0].candidates.iter();
    let unknown = candidates.filter(|c| c.outcome == Passed(Fate::NobodyKnows));
    assert_eq!(unknown.count(), 2);
}

/// Everything that can be answered, as which groups and which sets were chosen.
type Decision = Vec<(Name, Vec<bool>)>;

fn decision(told: &Explanation) -> Decision {
    let steps = told.steps.iter();
    let chosen = |outcome| outcome == CandidateOutcome::Chosen;
    steps
        .map(|step| {
            let candidates = step.candidates.iter();
            let chosen = candidates.map(|candidate| chosen(candidate.outcome));
            (step.name.clone(), chosen.collect())
        })
        .collect()
}

/// Two regions of a map, of which one network has numbers.
const MEASURED: &str = "
place 10.0.0.0/8 country=DE at=50.1,8.6
measured 10.1.0.0/16 eu-central-1=80 us-east-1=20
zone example.test
example.test 900 SOA ns1.example.test. admin.example.test. 1 7200 900 1209600 86400
fast.example.test 60 A 192.0.2.1 | region=eu-central-1 id=fra
fast.example.test 60 A 192.0.2.2 | region=us-east-1 id=iad
fast.example.test 60 A 192.0.2.3 | region=ap-southeast-1 id=sin
";

#[test]
fn an_explanation_tells_what_a_latency_map_says_and_what_is_by_distance() {
    let world = zones::world_of(&parse(MEASURED));
    let name = Name::parse("fast.example.test").unwrap();
    let told = |source: [u8; 4]| {
        let ask = Ask {
            name: &name,
            qtype: 1,
            view: ViewId(0),
            source: IpAddr::from(source),
            subnet: None,
            at: None,
            health: &[],
            moment: Moment {
                now_s: 5 * 3600 + 1,
                seed: 0,
            },
        };
        explain(&world, &ask)
    };
    let measured = told([10, 1, 2, 3]);
    assert_eq!(values(&measured), ["192.0.2.2"]);
    let step = &measured.steps[0];
    let seen = step.latency.as_ref().unwrap();
    assert_eq!(seen.network.unwrap().to_string(), "10.1.0.0/16");
    assert_eq!((seen.build, seen.samples, seen.confidence), (1, 100, 90));
    // An hour when the map was made, and five since.
    assert_eq!(seen.age_h, 6);
    let found = |candidate: &Candidate| {
        let found = candidate.latency.unwrap();
        assert!(candidate.distance_km.is_some());
        (found.ms.round(), found.source)
    };
    let [fra, iad, sin] = &step.candidates[..] else {
        panic!("{measured:#?}");
    };
    let of_map = LatencySource::Map(Origin::Measured);
    assert_eq!([found(fra), found(iad)], [(80.0, of_map), (20.0, of_map)]);
    assert_eq!(found(sin).1, LatencySource::Distance);
    assert!((175.0..190.0).contains(&found(sin).0), "{sin:?}");
    let elsewhere = told([10, 2, 2, 3]);
    assert_eq!(values(&elsewhere), ["192.0.2.1"]);
    assert_eq!(elsewhere.steps[0].latency, None);
    let fra = found(&elsewhere.steps[0].candidates[0]);
    assert_eq!(fra, (5.0, LatencySource::Distance));
}

/// Places of a few bits, in each other and side by side.
fn places() -> impl Strategy<Value = Vec<String>> {
    let place = prop_oneof![
        Just("country=US subdivision=CA at=37,-122"),
        Just("country=US subdivision=CA at=34,-118"),
        Just("country=US subdivision=NY at=40,-74"),
        Just("country=US"),
        Just("country=CA at=45,-75"),
        Just("country=DE at=52,13"),
        Just("country=FR at=48,2"),
        Just("continent=EU"),
        Just("country=CN at=39,116"),
        Just("at=0,0"),
        Just(""),
    ];
    let row = (any::<u8>(), 1..=8u8, place).prop_map(|(first, bits, place)| {
        let first = u32::from(first) << 24 & u32::MAX << (32 - u32::from(bits));
        format!("place {}/{bits} {place}\n", std::net::Ipv4Addr::from(first))
    });
    vec(row, 0..16)
}

fn collection() -> impl Strategy<Value = Vec<String>> {
    let row = (any::<u8>(), 1..=8u8, 0..3u8);
    btree_map((any::<u8>(), 1..=8u8), row, 0..8).prop_map(|blocks| {
        let lines = blocks.into_iter().map(|((first, bits), (.., place))| {
            let first = u32::from(first) << 24 & u32::MAX << (32 - u32::from(bits));
            ((first, bits), place)
        });
        let blocks: BTreeMap<(u32, u8), u8> = lines.collect();
        let lines = blocks.into_iter().map(|((first, bits), place)| {
            format!(
                "collection c l{place} {}/{bits}\n",
                std::net::Ipv4Addr::from(first)
            )
        });
        lines.collect()
    })
}

/// Groups of every policy that looks at clients, and a tree over them.
const BY_CLIENT: &str = "
geo.example.test 60 A 192.0.2.1 | country=US subdivision=CA id=1 check=h1
geo.example.test 60 A 192.0.2.2 | country=US id=2 check=h2
geo.example.test 60 A 192.0.2.3 | country=DE id=3 check=h3
geo.example.test 60 A 192.0.2.4 | continent=EU id=4
geo.example.test 60 A 192.0.2.5 | country=* id=5
some.example.test 60 A 192.0.2.1 | continent=NA id=1 check=h1
some.example.test 60 A 192.0.2.2 | country=FR id=2
fast.example.test 60 A 192.0.2.1 | region=us-east-1 id=1 check=h1
fast.example.test 60 A 192.0.2.2 | region=us-west-2 id=2 check=h2
fast.example.test 60 A 192.0.2.3 | region=eu-central-1 id=3 check=h3
fast.example.test 60 A 192.0.2.4 | region=cn-north-1 id=4
near.example.test 60 A 192.0.2.1 | at=0,10 bias=20 id=1 check=h1
near.example.test 60 A 192.0.2.2 | at=50,10 bias=-20 id=2 check=h2
near.example.test 60 A 192.0.2.3 | near=us-west-1 id=3
net.example.test 60 A 192.0.2.1 | collection=c location=l0 id=1 check=h1
net.example.test 60 A 192.0.2.2 | collection=c location=l1 id=2 check=h2
net.example.test 60 A 192.0.2.3 | collection=c location=* id=3
tree.example.test ALIAS A net.example.test evaluate | country=US id=1
tree.example.test ALIAS A geo.example.test evaluate | continent=EU id=2
tree.example.test ALIAS A near.example.test evaluate | country=* id=3
top.example.test ALIAS A tree.example.test evaluate | region=us-east-1 id=1
top.example.test ALIAS A fast.example.test evaluate | region=eu-west-1 id=2
";

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn everybody_inside_a_scope_gets_the_same_decision(
        places in places(), blocks in collection(), down in prop::sample::subsequence(vec!["h1", "h2", "h3"], 0..=3),
        clients in vec((any::<u8>(), 1..=32u8), 12),
    ) {
        let text = format!("{}{}{APEX}{BY_CLIENT}", places.concat(), blocks.concat());
        let down: Vec<String> = down.into_iter().map(str::to_owned).collect();
        let world = zones::with_down(zones::world_of(&parse(&text)), &down);
        for (first, bits) in clients {
            for name in ["geo", "some", "fast", "near", "net", "tree", "top"] {
                let name = Name::parse(&format!("{name}.example.test")).unwrap();
                let ask = |first: u8, bits: u8| {
                    let first = u32::from(first) << 24 & u32::MAX << (32 - u32::from(bits));
                    explain(&world, &Ask {
                        name: &name,
                        qtype: 1,
                        view: ViewId(0),
                        source: IpAddr::from([127, 0, 0, 1]),
                        subnet: Some((IpAddr::V4(first.into()), bits)),
                        at: None,
                        health: &[],
                        moment: Moment { now_s: 0, seed: 1 },
                    })
                };
                let told = ask(first, bits);
                let own = told.steps.iter().map(|step| step.scope).max().unwrap_or(0);
                prop_assert_eq!(told.scope, if told.records.iter().any(|r| r.rtype == 1) { own } else { 0 });
                if own > bits {
                    // It speaks for nobody else.
                    continue;
                }
                let size = 1u16 << (8 - own.min(8));
                let start = u16::from(first) & !(size - 1);
                for other in (start..start + size).step_by(usize::from(size.div_ceil(16))) {
                    for bits in [own.max(1), 8, 24] {
                        if bits < own { continue; }
                        let other = ask(u8::try_from(other).unwrap(), bits);
                        prop_assert_eq!(decision(&other), decision(&told), "{} {}", name, own);
                    }
                }
            }
        }
    }
}
