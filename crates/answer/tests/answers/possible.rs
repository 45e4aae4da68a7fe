//! All that chance can make of an answer, against what it makes of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use meridian_answer::{Ask, Moment, Possible, Supposed, ViewId, World, explain, possible};
use meridian_dns::Name;

use crate::scenario::parse;
use crate::zones;

const ZONE: &str = "
zone example.test
example.test 900 SOA ns1.example.test. admin.example.test. 1 7200 900 1209600 86400
";

fn world(sets: &str) -> World {
    zones::world(&parse(&format!("{ZONE}{sets}")).zones)
}

fn ask(name: &Name, seed: u64) -> Ask<'_> {
    Ask {
        name,
        qtype: 1,
        view: ViewId(0),
        source: IpAddr::from([127, 0, 0, 1]),
        subnet: None,
        at: None,
        health: &[],
        moment: Moment { now_s: 0, seed },
    }
}

fn all(world: &World, name: &Name) -> Possible {
    possible(world, &ask(name, 0), Supposed::Sender)
}

/// The addresses of each answer with its share in millionths.
fn shares(possible: &Possible) -> Vec<(Vec<&str>, u32)> {
    let answers = possible.answers.iter().map(|answer| {
        let data = answer.records.iter().map(|(.., data)| &**data);
        (data.collect(), answer.share)
    });
    answers.collect()
}

#[test]
fn shares_multiply_along_aliases_and_add_up_where_answers_are_the_same() {
    let world = world(
        "
top.example.test ALIAS A pair.example.test | weight=3 id=a
top.example.test 60 A 192.0.2.1 | weight=1 id=b
pair.example.test 60 A 192.0.2.1 | weight=1 id=a
pair.example.test 60 A 192.0.2.2 | weight=2 id=b
pair.example.test 60 A 192.0.2.3 | weight=0 id=c
zeros.example.test 60 A 192.0.2.1 | weight=0 id=a
zeros.example.test 60 A 192.0.2.2 | weight=0 id=b
",
    );
    let shares = |name: &str| {
        let possible = all(&world, &Name::parse(name).unwrap());
        assert!(possible.complete);
        let groups = possible.groups.len();
        let shares = shares(&possible).into_iter();
        let shares = shares.map(|(data, share)| (data.join(" "), share));
        (shares.collect::<Vec<_>>(), groups)
    };
    let half = 500_000;
    let even = vec![
        ("192.0.2.1".to_owned(), half),
        ("192.0.2.2".to_owned(), half),
    ];
    assert_eq!(shares("zeros.example.test"), (even.clone(), 1));
    // One half of three quarters' third and a quarter; the other of three quarters' two thirds.
    assert_eq!(shares("top.example.test"), (even, 2));
    assert_eq!(
        shares("nothing.example.test"),
        (vec![(String::new(), 1_000_000)], 0)
    );
}

#[test]
fn more_multivalue_sets_than_are_answered_are_told_together() {
    let sets = (1..=19).map(|i| format!("m.example.test 60 A 192.0.2.{i} | multivalue id={i}\n"));
    // One with the values of another is not another answer.
    let again = "m.example.test 60 A 192.0.2.7 | multivalue id=again\n".to_owned();
    let world = world(&sets.chain([again]).collect::<String>());
    let possible = all(&world, &Name::parse("m.example.test").unwrap());
    let [answer] = &possible.answers[..] else {
        panic!("{possible:?}");
    };
    assert_eq!((answer.of, answer.share), (Some(19), 1_000_000));
    assert_eq!(answer.records.len(), 19);
}

#[test]
fn all_that_is_drawn_is_possible_and_as_often_as_told() {
    let world = world(
        "
n.example.test 60 CNAME a.example.test | weight=1 id=a
n.example.test 60 CNAME b.example.test | weight=4 id=b
a.example.test ALIAS A c.example.test | weight=2 id=a
a.example.test 60 A 192.0.2.4 | weight=1 id=b
c.example.test 60 A 192.0.2.1 | weight=1 id=a
c.example.test 60 A 192.0.2.2 | weight=1 id=b
b.example.test 60 A 192.0.2.3
",
    );
    let name = Name::parse("n.example.test").unwrap();
    let possible = all(&world, &name);
    let told = shares(&possible);
    assert_eq!(told.len(), 4);
    assert!(
        told.iter()
            .map(|(_, share)| share)
            .sum::<u32>()
            .abs_diff(1_000_000)
            <= 4
    );
    let rounds: u32 = 8_000;
    let mut seen = BTreeSet::new();
    let mut often = vec![0_u32; told.len()];
    for seed in 0..u64::from(rounds) {
        let drawn = explain(
            &world,
            &ask(&name, seed.wrapping_mul(0x5851_f42d_4c95_7f2d)),
        );
        let mut data: Vec<&str> = drawn.records.iter().map(|record| &*record.data).collect();
        data.sort_unstable();
        let place = told.iter().position(|(known, _)| {
            let mut known = known.clone();
            known.sort_unstable();
            known == data
        });
        let place = place.unwrap_or_else(|| panic!("{data:?} is not told of"));
        often[place] += 1;
        seen.insert(place);
    }
    assert_eq!(seen.len(), told.len(), "some answer never comes");
    for ((_, share), often) in told.iter().zip(often) {
        let expected = f64::from(*share) / 1e6 * f64::from(rounds);
        assert!(
            (f64::from(often) - expected).abs() < 5.0 * expected.sqrt(),
            "{told:?}"
        );
    }
}

#[test]
fn whoever_is_nowhere_gets_any_of_the_regions() {
    let world = world(
        "
l.example.test 60 A 192.0.2.1 | region=us-east-1 id=a
l.example.test 60 A 192.0.2.2 | region=eu-west-1 id=b
",
    );
    let name = Name::parse("l.example.test").unwrap();
    let possible = all(&world, &name);
    let expected = [(vec!["192.0.2.1"], 500_000), (vec!["192.0.2.2"], 500_000)];
    assert_eq!(shares(&possible), expected);
    assert!(possible.groups.iter().all(|group| group.by_client));
}
