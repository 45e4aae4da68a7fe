//! Routing against an oracle: what every policy, alias tree and client may be answered, written
//! down a second time, slowly and apart from the crate, and random cases to compare the two.
//!
//! `MERIDIAN_ROUTING_CASES=N` compares N cases instead of the usual few, and
//! `MERIDIAN_ROUTING_SEED=S` starts with the case that the seed S makes.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod answer;
mod case;
mod compare;
mod distribution;
mod documents;
mod earth;
mod explained;
mod fate;
mod generate;
mod health;
mod model;
mod names;
mod networks;
mod policy;
mod possibles;
mod pretend;
mod rng;
mod routings;
mod scope;
mod served;
mod shrink;
mod wire;
mod world;
mod wrong;

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use meridian_answer::HashKey;

use compare::{Server, SetUp, Tally, compare};
use pretend::Pretender;
use rng::Rng;
use served::Served;
use wrong::Wrong;

/// Cases that one thread compares while others run other tests.
const FEW: u64 = 100;

/// The first seed, and how many cases to compare.
fn extent(usual: u64) -> Range<u64> {
    let told = |name| {
        std::env::var(name)
            .ok()
            .map(|text: String| text.parse().unwrap())
    };
    let first = told("MERIDIAN_ROUTING_SEED").unwrap_or(1);
    first..first + told("MERIDIAN_ROUTING_CASES").unwrap_or(usual)
}

/// Compares a range of cases, many of them on all processors; what fails is shown with the seed
/// that brings it back.
fn compare_all(seeds: Range<u64>, set_up: SetUp<'_>) -> Tally {
    let next = AtomicU64::new(seeds.start);
    let compare_some = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return tally;
            }
            if let Err(failure) = compare((seed, None), set_up, &mut tally) {
                let failure = shrink::smaller(*failure, set_up);
                panic!("MERIDIAN_ROUTING_SEED={seed}\n{failure:#?}");
            }
        }
    };
    if seeds.end - seeds.start <= FEW {
        return compare_some();
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(compare_some)).collect();
        let mut all = Tally::default();
        for thread in threads {
            match thread.join() {
                Ok(tally) => all.add(&tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

#[test]
fn the_oracle_agrees_with_itself() {
    let tally = compare_all(extent(25), &|case| Box::new(Pretender::new(case, None)));
    println!("{tally:#?}");
}

#[test]
fn the_crate_agrees_with_the_oracle() {
    let tally = compare_all(extent(80), &|case| Box::new(Served::new(case)));
    println!("{tally:#?}");
}

#[test]
fn servers_with_other_keys_answer_alike() {
    for seed in extent(60) {
        let mut rng = Rng::new(seed ^ 0x5eed);
        let case = generate::case(seed, None);
        let mut one = Served::new(&case);
        let mut other = Served::with_key(&case, HashKey([rng.next(), rng.next()]));
        for ask in generate::asks(&case, &mut rng, 12) {
            let seed = rng.next();
            let replies = [one.reply(&ask, seed), other.reply(&ask, seed)];
            assert_eq!(replies[0], replies[1], "{case:?}\n{ask:?}");
        }
    }
}

#[test]
fn every_wrong_rule_is_noticed() {
    let mut missed = Vec::new();
    for wrong in Wrong::ALL {
        let mut tally = Tally::default();
        let set_up: SetUp<'_> = &|case| Box::new(Pretender::new(case, Some(wrong)));
        let noticed =
            (1..400).find(|seed| compare((*seed, wrong.kind()), set_up, &mut tally).is_err());
        println!("{wrong:?}: {noticed:?}, {} replies", tally.replies);
        if noticed.is_none() {
            missed.push(wrong);
        }
    }
    assert_eq!(missed, []);
}
