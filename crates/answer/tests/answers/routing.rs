//! What scenario files cannot say of policies: how often each choice comes, and what is told of it. Those
//! that look at who asks are in `by_client.rs`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use meridian_answer::{
    Ask, CandidateOutcome, CheckState, ChoiceMode, Explanation, Fate, Lost, Moment, Parameter,
    ReachedBy, ViewId, World, ZoneChange, explain,
};
use meridian_dns::Name;
use meridian_model::RoutingKind;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::scenario::parse;
use crate::zones::{self, KEY};

pub(crate) const APEX: &str = "
zone example.test
example.test 900 SOA ns1.example.test. admin.example.test. 1 7200 900 1209600 86400
";

fn world(sets: &str) -> World {
    zones::world(&parse(&format!("{APEX}{sets}")).zones)
}

/// What `name` A is answered, and why.
pub(crate) fn told(
    world: &World,
    name: &str,
    seed: u64,
    health: &[(&str, CheckState)],
) -> Explanation {
    let ask = Ask {
        name: &Name::parse(name).unwrap(),
        qtype: 1,
        view: ViewId(0),
        source: IpAddr::from([127, 0, 0, 1]),
        subnet: None,
        at: None,
        health,
        moment: Moment { now_s: 0, seed },
    };
    explain(world, &ask)
}

pub(crate) fn values(told: &Explanation) -> Vec<&str> {
    told.records.iter().map(|record| &*record.data).collect()
}

/// How often each combination of addresses is answered.
fn counts(world: &World, name: &str, rounds: u64) -> BTreeMap<Vec<String>, u64> {
    let mut counts = BTreeMap::new();
    for seed in 0..rounds {
        let told = told(world, name, seed.wrapping_mul(0x5851_f42d_4c95_7f2d), &[]);
        let mut values: Vec<String> = values(&told).into_iter().map(str::to_owned).collect();
        values.sort();
        *counts.entry(values).or_default() += 1;
    }
    counts
}

/// Whether a choice of this likelihood can have come so often: within five standard deviations.
fn is_likely(count: u64, rounds: u64, likelihood: f64) -> bool {
    let (count, rounds) = (count as f64, rounds as f64);
    let deviation = (rounds * likelihood * (1.0 - likelihood)).sqrt();
    (count - rounds * likelihood).abs() <= 5.0 * deviation
}

#[test]
fn weights_are_shares() {
    let world = world(
        "
w.example.test 60 A 192.0.2.1 | weight=70 id=a
w.example.test 60 A 192.0.2.2 | weight=30 id=b
w.example.test 60 A 192.0.2.3 | weight=0 id=c
",
    );
    let rounds = 20_000;
    let counts = counts(&world, "w.example.test", rounds);
    let of = |address: &str| counts.get(&vec![address.to_owned()]).copied().unwrap_or(0);
    assert_eq!(of("192.0.2.1") + of("192.0.2.2"), rounds);
    assert!(is_likely(of("192.0.2.1"), rounds, 0.7), "{counts:?}");
    assert_eq!(of("192.0.2.3"), 0);
}

#[test]
fn weights_of_the_healthy_are_shares_of_their_sum() {
    let world = world(
        "
w.example.test 60 A 192.0.2.1 | weight=10 id=a
w.example.test 60 A 192.0.2.2 | weight=20 id=b
w.example.test 60 A 192.0.2.3 | weight=20 id=c check=hc
",
    );
    let world = zones::with_down(world, &["hc".to_owned()]);
    let rounds = 20_000;
    let counts = counts(&world, "w.example.test", rounds);
    let first = counts[&vec!["192.0.2.1".to_owned()]];
    assert!(is_likely(first, rounds, 1.0 / 3.0), "{counts:?}");
    assert_eq!(counts.len(), 2);
}

#[test]
fn multivalue_shows_every_set_equally_often_and_never_more_than_eight() {
    let lines = (1..=12).map(|i| format!("m.example.test 60 A 192.0.2.{i} | multivalue id={i}\n"));
    let world = world(&lines.collect::<String>());
    let rounds = 6_000;
    let mut seen = BTreeMap::<String, u64>::new();
    let mut first = BTreeMap::<String, u64>::new();
    for seed in 0..rounds {
        let told = told(&world, "m.example.test", seed << 13, &[]);
        let values = values(&told);
        assert_eq!(values.len(), 8);
        *first.entry(values[0].to_owned()).or_default() += 1;
        for value in values {
            *seen.entry(value.to_owned()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 12);
    for count in seen.into_values() {
        assert!(is_likely(count, rounds, 8.0 / 12.0), "{count}");
    }
    for count in first.into_values() {
        assert!(is_likely(count, rounds, 1.0 / 12.0), "{count}");
    }
}

#[test]
fn who_stands_for_whom_is_told() {
    let world = world(
        "
m.example.test 60 A 192.0.2.1 | multivalue id=a
m.example.test 20 A 192.0.2.1 | multivalue id=b check=hc
m.example.test 40 A 192.0.2.1 | multivalue id=c
",
    );
    let outcomes = |health| {
        let told = told(&world, "m.example.test", 1, health);
        assert_eq!(values(&told), ["192.0.2.1"]);
        let candidates = told.steps[0].candidates.iter();
        candidates.map(|each| each.outcome).collect::<Vec<_>>()
    };
    let passed = CandidateOutcome::Passed(Fate::SameValues);
    let (chosen, out) = (CandidateOutcome::Chosen, CandidateOutcome::Unhealthy);
    assert_eq!(outcomes(&[]), [passed, chosen, passed]);
    assert_eq!(outcomes(&[("hc", CheckState::Down)]), [passed, out, chosen]);
}

const TREE: &str = "
east.example.test 60 A 192.0.2.1 | weight=3 id=a check=hc-1
east.example.test 60 A 192.0.2.2 | weight=0 id=b check=hc-2
*.example.test ALIAS A east.example.test evaluate | failover=PRIMARY id=p
*.example.test 60 A 192.0.2.9 | failover=SECONDARY id=s
lost.example.test ALIAS A www.nowhere.test in=nowhere.test
";

#[test]
fn every_step_is_told_with_all_its_candidates() {
    let world = world(TREE);
    let told = told(&world, "x.example.test", 1, &[]);
    assert_eq!(values(&told), ["192.0.2.1"]);
    assert_eq!(
        told.zone.as_ref().unwrap().apex.to_string(),
        "example.test."
    );
    let [top, east] = &told.steps[..] else {
        panic!("{:#?}", told.steps);
    };
    assert_eq!(
        (top.name.to_string().as_str(), top.policy),
        ("\\052.example.test.", RoutingKind::Failover)
    );
    assert_eq!(top.candidates[0].outcome, CandidateOutcome::Chosen);
    let alias = top.candidates[0].alias.as_ref().unwrap();
    assert_eq!(
        (alias.name.to_string().as_str(), alias.evaluated),
        ("east.example.test.", Some(CheckState::Up))
    );
    assert_eq!(
        top.candidates[1].outcome,
        CandidateOutcome::Passed(Fate::PrimaryIsUp)
    );
    assert_eq!(east.candidates[0].parameter, Parameter::Weight(3));
    assert_eq!(east.candidates[0].identifier.as_deref(), Some("a"));
    assert_eq!(
        east.candidates[0].health_check,
        Some(("hc-1".to_owned(), CheckState::Up))
    );
    assert_eq!(
        east.candidates[1].outcome,
        CandidateOutcome::Passed(Fate::ZeroWeight)
    );
}

#[test]
fn what_leads_from_step_to_step_is_told() {
    let world = world(
        "
c.example.test 60 CNAME p.example.test | weight=1 id=a
p.example.test 60 CNAME a.example.test
a.example.test ALIAS A w.example.test
w.example.test 60 A 192.0.2.1 | weight=1 id=a
",
    );
    let told = told(&world, "c.example.test", 1, &[]);
    let steps = told.steps.iter();
    let steps: Vec<_> = steps
        .map(|step| (step.name.to_string(), step.reached_by))
        .collect();
    let expected = [
        ("c.example.test.", ReachedBy::Question),
        ("a.example.test.", ReachedBy::Cname),
        ("w.example.test.", ReachedBy::Alias),
    ];
    assert_eq!(steps, expected.map(|(name, by)| (name.to_owned(), by)));
    let names: Vec<_> = told
        .records
        .iter()
        .map(|r| (r.name.to_string(), &*r.data))
        .collect();
    let names: Vec<_> = names
        .iter()
        .map(|(name, data)| (name.as_str(), *data))
        .collect();
    assert_eq!(
        names,
        [
            ("c.example.test.", "p.example.test."),
            ("p.example.test.", "a.example.test."),
            ("a.example.test.", "192.0.2.1"),
        ]
    );
}

#[test]
fn what_ifs_change_what_is_told_and_nothing_else() {
    let world = world(TREE);
    let down = [("hc-1", CheckState::Down), ("hc-2", CheckState::Down)];
    let one = told(&world, "x.example.test", 1, &down[..1]);
    assert_eq!(values(&one), ["192.0.2.2"]);
    assert_eq!(
        one.steps[1].candidates[0].outcome,
        CandidateOutcome::Unhealthy
    );
    let both = told(&world, "x.example.test", 1, &down);
    assert_eq!(values(&both), ["192.0.2.9"]);
    assert_eq!(both.steps[0].candidates[0].health, CheckState::Down);
    let inside = told(&world, "east.example.test", 1, &down);
    assert_eq!(inside.steps[0].mode, ChoiceMode::LastResort);
    assert_eq!(values(&inside), ["192.0.2.1"]);
    // Nothing of it stays.
    assert_eq!(
        values(&told(&world, "x.example.test", 1, &[])),
        ["192.0.2.1"]
    );
    let really = zones::with_down(world, &["hc-1".to_owned(), "hc-2".to_owned()]);
    assert_eq!(
        values(&told(&really, "x.example.test", 1, &[])),
        ["192.0.2.9"]
    );
    let up = [("hc-2", CheckState::Up)];
    assert_eq!(
        values(&told(&really, "x.example.test", 1, &up)),
        ["192.0.2.2"]
    );
}

#[test]
fn an_alias_that_leads_nowhere_is_told() {
    let world = world(TREE);
    let told = told(&world, "lost.example.test", 1, &[]);
    assert_eq!((told.rcode, told.steps[0].lost), (2, Some(Lost::NoZone)));
}

#[test]
fn the_health_of_targets_follows_changes_of_any_zone() {
    let text = |servers: &str| {
        format!(
            "{APEX}
w.example.test ALIAS A www.other.test in=other.test evaluate | failover=PRIMARY id=p
w.example.test 60 A 192.0.2.9 | failover=SECONDARY id=s
zone other.test
other.test 900 SOA ns1.other.test. admin.other.test. 1 7200 900 1209600 86400
{servers}"
        )
    };
    let scenario = |servers| parse(&text(servers)).zones;
    let (up, gone) = ("www.other.test 60 A 198.51.100.1 | check=hc\n", "");
    let mut world = zones::world(&scenario(up)[..1]);
    let answer = |world: &World| values(&told(world, "w.example.test", 1, &[])).join(" ");
    assert_eq!(answer(&world), "192.0.2.9", "the target's zone is not here");
    let other = |servers| {
        let zone = &scenario(servers)[1];
        Arc::new(zones::image(zones::meta(zone, 1), &zones::rows(&zone.sets)))
    };
    for (servers, expected) in [
        (up, "198.51.100.1"),
        (gone, "192.0.2.9"),
        (up, "198.51.100.1"),
    ] {
        world = world.changed(&[ZoneChange::Put(other(servers))]);
        assert_eq!(answer(&world), expected);
    }
    let down = zones::with_down(world.clone(), &["hc".to_owned()]);
    assert_eq!(answer(&down), "192.0.2.9");
    // Health outlives changes.
    let changed = down.changed(&[ZoneChange::Put(other(up))]);
    assert_eq!(answer(&changed), "192.0.2.9");
    world = world.changed(&[ZoneChange::Remove(other(up))]);
    assert_eq!(answer(&world), "192.0.2.9");
    assert_eq!(world.key(), KEY);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn health_worked_out_step_by_step_is_what_it_is_from_nothing(
        aliases in vec((0..4usize, 0..4usize, 0..4usize, any::<bool>()), 1..16),
        steps in vec((0..4usize, 0..3u8, prop::sample::subsequence(vec!["h0", "h1", "h2", "h3"], 0..=4)), 1..10),
    ) {
        // Four zones with a set under a check, and aliases that point into each other.
        let zone = |number: usize, with_aliases: bool| {
            let mut text = format!(
                "zone z{number}.test\nz{number}.test 900 SOA ns.test. admin.test. 1 1 1 1 1\n\
                 leaf.z{number}.test 60 A 192.0.2.{number} | check=h{number}\n"
            );
            let own = aliases.iter().enumerate().filter(|(_, alias)| alias.0 == number);
            for (place, (_, target, next, leaf)) in own.filter(|_| with_aliases) {
                let name = if *leaf { "leaf".to_owned() } else { format!("a{next}") };
                text += &format!(
                    "a{}.z{number}.test ALIAS A {name}.z{target}.test in=z{target}.test evaluate \
                     | weight=1 id={place}\n", place % 4
                );
            }
            let zone = parse(&text).zones.remove(0);
            let rows = zones::rows(&zone.sets);
            Arc::new(zones::image(zones::meta(&zone, number), &rows))
        };
        let (mut world, mut images) = (World::new(KEY, Vec::new()), vec![None; 4]);
        for (number, kind, down) in steps {
            let before = std::mem::replace(&mut images[number], match kind {
                0 => None,
                kind => Some(zone(number, kind == 1)),
            });
            let change = match &images[number] {
                Some(image) => Some(ZoneChange::Put(Arc::clone(image))),
                None => before.map(ZoneChange::Remove),
            };
            world = world.changed(&change.into_iter().collect::<Vec<_>>());
            let down: Vec<String> = down.into_iter().map(str::to_owned).collect();
            world = zones::with_down(world, &down);
            let whole = World::new(KEY, images.iter().flatten().cloned().collect());
            let whole = zones::with_down(whole, &down);
            for number in 0..4 {
                for name in ["a0", "a1", "a2", "a3"] {
                    let name = format!("{name}.z{number}.test");
                    let (step, whole) = (told(&world, &name, 7, &[]), told(&whole, &name, 7, &[]));
                    prop_assert_eq!(step, whole);
                }
            }
        }
    }
}

#[test]
fn aliases_in_a_circle_end() {
    // No plan lets one come to be; applying an old journal must not depend on that.
    let world = world(
        "
a.example.test ALIAS A b.example.test evaluate
b.example.test ALIAS A a.example.test evaluate
c.example.test ALIAS A a.example.test evaluate | failover=PRIMARY id=p
c.example.test 60 A 192.0.2.9 | failover=SECONDARY id=s
",
    );
    let circle = told(&world, "a.example.test", 1, &[]);
    assert_eq!((circle.rcode, circle.steps.len()), (2, 17));
    assert_eq!(circle.steps[16].lost, Some(Lost::TooDeep));
    assert_eq!(
        values(&told(&world, "c.example.test", 1, &[])),
        ["192.0.2.9"]
    );
}
