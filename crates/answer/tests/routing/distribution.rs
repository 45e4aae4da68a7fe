//! How often each answer comes, with fixed seeds: shares, and that choices do not depend on each
//! other. Compared by the chi-squared statistic against what one case in 10,000 exceeds by chance;
//! the seeds are fixed, so that what holds once holds always.

use std::collections::BTreeMap;

use meridian_dns::{Name, RecordType};
use meridian_model::{AliasTarget, ProbeRights, RecordSet, Routing, SetData, SetKey, ZoneId};

use crate::case::{Ask, Case, Seen, Zone};
use crate::model::Oracle;
use crate::rng::Rng;
use crate::served::Served;

const ROUNDS: usize = 10_000;

/// What chi-squared exceeds once in 10,000 times, by degrees of freedom from 1 on.
const RARE: [f64; 15] = [
    15.14, 18.42, 21.11, 23.51, 25.74, 27.86, 29.88, 31.83, 33.72, 35.56, 37.37, 39.13, 40.87,
    42.58, 44.26,
];

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn set(owner: &str, rtype: RecordType, routing: Routing, data: SetData) -> RecordSet {
    let identifier = format!("{data:?}");
    RecordSet {
        key: SetKey {
            name: name(owner),
            rtype,
            set_identifier: (routing != Routing::Simple).then_some(identifier),
        },
        routing,
        data,
        health_check_id: None,
        traffic_policy_instance_id: None,
    }
}

/// A set of one address.
fn host(owner: &str, routing: Routing, address: &str) -> RecordSet {
    let values = vec![address.to_owned()];
    set(
        owner,
        RecordType::A,
        routing,
        SetData::Records { ttl: 60, values },
    )
}

fn alias(owner: &str, routing: Routing, target: &str) -> RecordSet {
    let data = SetData::Alias(AliasTarget {
        zone: ZoneId::new("Z0").unwrap(),
        name: name(target),
        evaluate_target_health: true,
    });
    set(owner, RecordType::A, routing, data)
}

fn cname(owner: &str, weight: u8, target: &str) -> RecordSet {
    let values = vec![target.to_owned()];
    let data = SetData::Records { ttl: 60, values };
    set(owner, RecordType::Cname, Routing::Weighted(weight), data)
}

fn case(sets: Vec<RecordSet>) -> Case {
    let apex = name("d.test");
    let soa = "ns.d.test. admin.d.test. 1 2 3 4 60".to_owned();
    let mut all = vec![RecordSet::simple(
        apex.clone(),
        RecordType::Soa,
        60,
        vec![soa],
    )];
    all.extend(sets);
    Case {
        zones: vec![Zone {
            id: ZoneId::new("Z0").unwrap(),
            apex,
            seen: Seen::Here,
            rights: ProbeRights::Everything,
            sets: all,
        }],
        ..Case::default()
    }
}

fn ask(owner: &str) -> Ask {
    Ask {
        name: name(owner),
        rtype: RecordType::A,
        source: [192, 0, 2, 1].into(),
        subnet: None,
    }
}

/// Seeds one after the other, and seeds that have nothing to do with each other.
fn seeds() -> [Vec<u64>; 2] {
    let mut rng = Rng::new(7);
    [
        (0..ROUNDS as u64).collect(),
        (0..ROUNDS).map(|_| rng.next()).collect(),
    ]
}

/// The last record of each reply to so many copies of a question.
fn last(served: &mut Served, ask: &Ask, copies: usize, seed: u64) -> Vec<Vec<u8>> {
    let replies = served.replies(ask, copies, seed).into_iter();
    replies
        .map(|mut reply| reply.records.pop().unwrap().data)
        .collect()
}

/// Whether these counts can come of these odds.
fn fit<K: Ord + std::fmt::Debug>(counts: &BTreeMap<K, usize>, odds: &BTreeMap<K, f64>) {
    let total: usize = counts.values().sum();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    assert!(
        counts.keys().all(|key| odds.contains_key(key)),
        "{counts:?} {odds:?}"
    );
    let parts = odds.iter().map(|(key, odds)| {
        let expected = odds * number(total);
        let count = counts.get(key).copied().unwrap_or_default();
        (number(count) - expected).powi(2) / expected
    });
    let statistic: f64 = parts.sum();
    assert!(
        statistic < RARE[odds.len() - 2],
        "{statistic}: {counts:?} {odds:?}"
    );
}

/// Compares how often answers come with the odds that the oracle gives them.
fn shares(case: &Case, owner: &str) {
    let ask = ask(owner);
    let mut odds = BTreeMap::new();
    for (answer, share) in Oracle::new(case, None).fate(&ask).ends() {
        *odds.entry(answer.records.clone()).or_default() += share.unwrap();
    }
    let mut served = Served::new(case);
    for seeds in seeds() {
        let mut counts = BTreeMap::new();
        for seed in seeds {
            let reply = served.replies(&ask, 1, seed).pop().unwrap();
            let mut records = reply.records;
            records.sort();
            *counts.entry(records).or_default() += 1;
        }
        fit(&counts, &odds);
    }
}

fn weighted(owner: &str, weights: &[u8]) -> Vec<RecordSet> {
    let host = |(place, weight): (usize, &u8)| {
        let address = format!("192.0.2.{}", place + 1);
        host(owner, Routing::Weighted(*weight), &address)
    };
    weights.iter().enumerate().map(host).collect()
}

#[test]
fn seventy_to_thirty_is_seventy_to_thirty() {
    let case = case(weighted("w.d.test", &[70, 30]));
    shares(&case, "w.d.test");
    let mut served = Served::new(&case);
    let (ask, [seeds, _]) = (ask("w.d.test"), seeds());
    let first = |seed: &&u64| last(&mut served, &ask, 1, **seed)[0] == [192, 0, 2, 1];
    let first = seeds.iter().filter(first).count();
    assert!((6_850..=7_150).contains(&first), "{first} of {ROUNDS}");
}

#[test]
fn weights_are_shares_of_what_is_in_play() {
    for weights in [
        &[10, 20, 20][..],
        &[1, 255],
        &[0, 0, 0],
        &[3, 0, 1, 0],
        &[1; 16],
    ] {
        shares(&case(weighted("w.d.test", weights)), "w.d.test");
    }
    let mut sets = weighted("w.d.test", &[10, 20, 20]);
    sets[2].health_check_id = Some("down".to_owned());
    let mut case = case(sets);
    case.checks.insert("down".to_owned(), false);
    shares(&case, "w.d.test");
}

#[test]
fn a_choice_does_not_depend_on_the_one_that_led_to_it() {
    let two = |owner: &str, first: &str| {
        let addresses = [format!("{first}.1"), format!("{first}.2")];
        addresses.map(|address| host(owner, Routing::Weighted(1), &address))
    };
    let leaves = || {
        two("a.d.test", "192.0.2")
            .into_iter()
            .chain(two("b.d.test", "198.51.100"))
    };
    let mut aliases: Vec<RecordSet> = leaves().collect();
    aliases.extend(["a.d.test", "b.d.test"].map(|to| alias("t.d.test", Routing::Weighted(1), to)));
    shares(&case(aliases), "t.d.test");
    let mut cnames: Vec<RecordSet> = leaves().collect();
    cnames.extend(["a.d.test.", "b.d.test."].map(|to| cname("t.d.test", 1, to)));
    cnames.extend(["t.d.test.", "a.d.test."].map(|to| cname("u.d.test", 1, to)));
    let case = case(cnames);
    shares(&case, "t.d.test");
    shares(&case, "u.d.test");
}

#[test]
fn clients_of_one_batch_do_not_depend_on_each_other() {
    let mut sets = weighted("a.d.test", &[1, 1]);
    sets.push(alias("t.d.test", Routing::Weighted(1), "a.d.test"));
    sets.push(host("t.d.test", Routing::Weighted(1), "192.0.2.3"));
    let case = case(sets);
    let mut served = Served::new(&case);
    let ask = ask("t.d.test");
    let odds: BTreeMap<u8, f64> = [(1, 0.25), (2, 0.25), (3, 0.5)].into();
    let pair = |(a, first): (&u8, &f64)| {
        let second = odds.iter();
        second
            .map(|(b, odds)| ((*a, *b), first * odds))
            .collect::<Vec<_>>()
    };
    let odds: BTreeMap<(u8, u8), f64> = odds.iter().flat_map(pair).collect();
    for seeds in seeds() {
        let mut counts: BTreeMap<(usize, usize), BTreeMap<(u8, u8), usize>> = BTreeMap::new();
        for seed in &seeds[..ROUNDS / 4] {
            let replies = last(&mut served, &ask, 4, *seed);
            for one in 0..4 {
                for other in 0..one {
                    let counts = counts.entry((other, one)).or_default();
                    *counts
                        .entry((replies[other][3], replies[one][3]))
                        .or_default() += 1;
                }
            }
        }
        for counts in counts.values() {
            fit(counts, &odds);
        }
    }
}

/// How often each address stands first, and how often it is shown at all.
fn places(sets: Vec<RecordSet>) -> [BTreeMap<u8, usize>; 2] {
    let case = case(sets);
    let mut served = Served::new(&case);
    let ask = ask("m.d.test");
    let [mut first, mut shown] = [BTreeMap::new(), BTreeMap::new()];
    for seed in &seeds()[1] {
        let reply = served.replies(&ask, 1, *seed).pop().unwrap();
        *first.entry(reply.records[0].data[3]).or_default() += 1;
        for record in reply.records {
            *shown.entry(record.data[3]).or_default() += 1;
        }
    }
    [first, shown]
}

#[test]
fn every_multivalue_set_is_shown_and_stands_first_equally_often() {
    for count in [3_u8, 8, 9, 12] {
        let addresses = (1..=count).map(|place| format!("192.0.2.{place}"));
        let sets = addresses.map(|address| host("m.d.test", Routing::Multivalue, &address));
        let [first, shown] = places(sets.collect());
        let odds = (1..=count).map(|place| (place, 1.0 / f64::from(count)));
        let odds: BTreeMap<u8, f64> = odds.collect();
        fit(&first, &odds);
        assert_eq!(
            shown.values().sum::<usize>(),
            ROUNDS * usize::from(count.min(8))
        );
        // Eight of the same reply exclude each other, which only makes the counts more even.
        fit(&shown, &odds);
    }
}

#[test]
fn a_value_that_several_multivalue_sets_have_is_shown_as_often_as_others() {
    let one = |(ttl, last): (u32, u8)| {
        let values = vec![format!("192.0.2.{last}")];
        let data = SetData::Records { ttl, values };
        set("m.d.test", RecordType::A, Routing::Multivalue, data)
    };
    let sets = (1..=10).chain([10, 10, 10]);
    let [first, shown] = places((60..).zip(sets).map(one).collect());
    let odds: BTreeMap<u8, f64> = (1..=10).map(|last| (last, 0.1)).collect();
    fit(&first, &odds);
    assert_eq!(shown.values().sum::<usize>(), ROUNDS * 8);
    fit(&shown, &odds);
}

#[test]
fn every_value_of_a_simple_set_stands_first_equally_often() {
    let values: Vec<String> = (1..=5).map(|place| format!("192.0.2.{place}")).collect();
    let data = SetData::Records { ttl: 60, values };
    let [first, shown] = places(vec![set("m.d.test", RecordType::A, Routing::Simple, data)]);
    let odds: BTreeMap<u8, f64> = (1..=5).map(|place| (place, 0.2)).collect();
    fit(&first, &odds);
    assert!(shown.values().all(|count| *count == ROUNDS), "{shown:?}");
}
