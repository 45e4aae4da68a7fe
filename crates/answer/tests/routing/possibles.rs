//! All that can be answered, as previews of changes tell it, against the oracle: the same answers,
//! as often.

use std::collections::BTreeMap;

use meridian_answer::{Moment, PossibleAnswer, Supposed, ViewId, possible};
use meridian_dns::{RecordType, rdata};

use crate::answer::Answer;
use crate::case::{Ask, Case};
use crate::compare::Server;
use crate::extent;
use crate::fate::Fate;
use crate::generate;
use crate::model::Oracle;
use crate::rng::Rng;
use crate::served::Served;

/// An answer without how long nothing may be remembered.
type Told = (u16, Vec<(String, u16, u32, String)>);

#[test]
fn all_that_is_possible_is_told_and_nothing_else() {
    let mut answers = 0;
    for seed in extent(60) {
        let mut rng = Rng::new(seed.rotate_left(16));
        let mut case = generate::case(seed, None);
        let mut served = Served::new(&case);
        for _ in 0..3 {
            case.checks = generate::health(&mut rng);
            served.turn(&case);
            let oracle = Oracle::new(&case, None);
            for ask in generate::asks(&case, &mut rng, 8) {
                answers += compare(&served, &oracle, &case, &ask);
            }
        }
    }
    println!("{answers} answers");
    assert!(answers > 1000);
}

/// Compares all answers to one question; says how many there are.
fn compare(served: &Served, oracle: &Oracle<'_>, case: &Case, ask: &Ask) -> usize {
    let told = possible(
        &served.world,
        &meridian_answer::Ask {
            name: &ask.name,
            qtype: ask.rtype.code(),
            view: ViewId(0),
            source: ask.source,
            subnet: ask.subnet.map(|subnet| (subnet.address(), subnet.len)),
            at: None,
            health: &[],
            moment: Moment { now_s: 0, seed: 0 },
        },
        Supposed::Sender,
    );
    assert!(told.complete);
    // Of more multivalue sets than are answered together all are told at once.
    if told.answers.iter().any(|answer| answer.of.is_some()) {
        return 0;
    }
    let fate = oracle.fate(ask);
    let mut right: BTreeMap<Told, Option<f64>> = BTreeMap::new();
    for (end, share) in fate.ends() {
        let known = right.entry(as_told(end)).or_insert(Some(0.0));
        *known = known.zip(share).map(|(known, share)| known + share);
    }
    let shown = || format!("{case:?}\n{ask:?}\n{told:#?}\n{right:#?}");
    let may_be = |answer: &PossibleAnswer| {
        let records = answer.records.iter().cloned();
        let lower = |(name, rtype, ttl, data): (String, _, _, _)| {
            // The name is written as it was asked for.
            (name.to_lowercase(), rtype, ttl, data)
        };
        let mut records: Vec<_> = records.map(lower).collect();
        records.sort();
        let Some(share) = right.get(&(answer.rcode, records)) else {
            return false;
        };
        let told = f64::from(answer.share) / 1e6;
        // Each way to an answer is rounded by itself.
        share.is_none_or(|share| (told - share).abs() < 1e-3)
    };
    assert!(told.answers.iter().all(may_be), "{}", shown());
    let all_come = matches!(*fate, Fate::Sure(_)) || !fate.is_settled();
    assert!(
        !all_come || told.answers.len() == right.len(),
        "{}",
        shown()
    );
    told.answers.len()
}

fn as_told(answer: &Answer) -> Told {
    let records = answer.records.iter().map(|record| {
        let rtype = RecordType::from_code(record.rtype).unwrap();
        let data = rdata::text(rtype, &record.data).unwrap();
        (record.owner.clone(), record.rtype, record.ttl, data)
    });
    let mut records: Vec<_> = records.collect();
    records.sort();
    (answer.rcode, records)
}
