//! When probes are due: an interval after the response, spread, and never lost.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use common::seconds;
use meridian_health::{CheckerName, Conduct, Punctuality, Schedule};
use meridian_model::HealthSlot;
use proptest::prelude::*;

const TICK: Duration = Duration::from_millis(100);

fn schedule() -> Schedule {
    Schedule::new(&CheckerName::new("a").unwrap())
}

fn place(slot: u32) -> HealthSlot {
    HealthSlot {
        slot,
        incarnation: 1,
    }
}

fn fill(schedule: &mut Schedule, count: u32, interval: Duration, now: Duration) {
    for slot in 0..count {
        schedule.put(place(slot), interval, now);
    }
}

/// Takes what is due in each tick, and answers it at once. Returns how much that was, by tick.
fn run(schedule: &mut Schedule, from: Duration, ticks: u32) -> Vec<usize> {
    let take = |tick| {
        let now = from + TICK * tick;
        let due = schedule.take(now, usize::MAX).checks;
        for check in &due {
            assert!(schedule.answered(*check, now));
        }
        due.len()
    };
    (1..=ticks).map(take).collect()
}

#[test]
fn what_comes_all_at_once_is_spread_over_the_interval() {
    let (count, interval) = (30_000, seconds(30));
    for start in [Duration::ZERO, seconds(12_345)] {
        let mut schedule = schedule();
        fill(&mut schedule, count, interval, start);
        let loads = run(&mut schedule, start, 900);
        // A hundred are due in each tick; the most that chance makes of it is far below double.
        for round in loads.chunks(300) {
            assert_eq!(round.iter().sum::<usize>(), 30_000);
            assert!(*round.iter().max().unwrap() < 160);
            assert!(*round.iter().min().unwrap() > 50);
        }
    }
}

#[test]
fn two_checkers_do_not_probe_at_the_same_time() {
    let first_probe = |name: &str| {
        let mut schedule = Schedule::new(&CheckerName::new(name).unwrap());
        schedule.put(place(3), seconds(30), Duration::ZERO);
        schedule.idle(Duration::ZERO).unwrap()
    };
    let mut firsts: Vec<_> = (0..16)
        .map(|n| first_probe(&format!("checker-{n}")))
        .collect();
    firsts.sort();
    firsts.dedup();
    assert_eq!(firsts.len(), 16);
    assert!(*firsts.last().unwrap() - firsts[0] > seconds(15));
}

#[test]
fn a_bunch_dissolves() {
    let interval = seconds(10);
    let mut schedule = schedule();
    fill(&mut schedule, 2000, interval, Duration::ZERO);
    // Nothing runs for the whole interval, and everything at once after it.
    let stood_still = seconds(20);
    let due = schedule.take(stood_still, usize::MAX);
    assert_eq!(due.checks.len(), 2000);
    assert!(due.lateness > seconds(19));
    for check in due.checks {
        schedule.answered(check, stood_still);
    }
    let loads = run(&mut schedule, stood_still, 12_000);
    let last_round = &loads[11_900..];
    assert!(*last_round.iter().max().unwrap() < 50);
}

#[test]
fn the_list_is_as_long_as_asked_for_and_the_rest_is_late() {
    let mut schedule = schedule();
    fill(&mut schedule, 1000, seconds(10), Duration::ZERO);
    let due = schedule.take(seconds(10), 100);
    assert_eq!(due.checks.len(), 100);
    let due = schedule.take(seconds(13), 100);
    assert!(due.lateness > seconds(11), "{:?}", due.lateness);
    assert_eq!(schedule.take(seconds(13), 0).checks, []);
    assert_eq!(schedule.idle(seconds(13)), Some(Duration::ZERO));
}

#[test]
fn a_lost_probe_begins_again_and_one_that_is_gone_does_not() {
    let mut schedule = schedule();
    fill(&mut schedule, 1, seconds(10), Duration::ZERO);
    assert_eq!(schedule.take(seconds(10), 9).checks, [place(0)]);
    assert_eq!(schedule.take(seconds(40), 9).checks, []);
    assert_eq!(schedule.take(seconds(70), 9).checks, [place(0)]);
    assert_eq!(schedule.lost(), 1);
    assert!(schedule.remove(place(0)));
    assert!(!schedule.answered(place(0), seconds(71)));
    assert!(!schedule.remove(place(0)));
    assert_eq!((schedule.len(), schedule.idle(seconds(71))), (0, None));
    // The next one in the place is not the one that was under way.
    let next = HealthSlot {
        slot: 0,
        incarnation: 2,
    };
    schedule.put(next, seconds(10), seconds(71));
    assert!(!schedule.answered(place(0), seconds(72)));
    assert_eq!(schedule.take(seconds(81), 9).checks, [next]);
}

#[test]
fn another_interval_takes_effect() {
    let mut schedule = schedule();
    fill(&mut schedule, 50, seconds(30), Duration::ZERO);
    run(&mut schedule, Duration::ZERO, 300);
    fill(&mut schedule, 50, seconds(10), seconds(30));
    let loads = run(&mut schedule, seconds(30), 100);
    assert_eq!(loads.iter().sum::<usize>(), 50);
}

#[test]
fn a_clock_that_jumps_stops_nothing() {
    let mut schedule = schedule();
    let interval = seconds(10);
    fill(&mut schedule, 100, interval, seconds(5000));
    run(&mut schedule, seconds(5000), 100);
    let back = run(&mut schedule, seconds(100), 200);
    assert!(back.iter().sum::<usize>() >= 190);
    let forth = run(&mut schedule, seconds(1_000_000), 200);
    assert!(forth.iter().sum::<usize>() >= 190);
    assert!(forth.iter().sum::<usize>() <= 320);
}

#[test]
fn who_was_late_withholds_for_a_while() {
    let mut punctuality = Punctuality::new(seconds(1), seconds(10));
    punctuality.note(Duration::from_millis(900), seconds(1));
    assert_eq!(punctuality.judge(seconds(1)).0, Conduct::Votes);
    punctuality.note(seconds(3), seconds(2));
    punctuality.note(Duration::from_millis(1), seconds(3));
    assert_eq!(
        punctuality.judge(seconds(4)),
        (Conduct::Withholds, seconds(3))
    );
    punctuality.note(seconds(2), seconds(11));
    assert_eq!(punctuality.judge(seconds(20)).0, Conduct::Withholds);
    assert_eq!(
        punctuality.judge(seconds(22)),
        (Conduct::Votes, Duration::ZERO)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever is done: nothing is due later than an interval after its response, or much
    /// earlier, and each check has one entry.
    #[test]
    fn probes_are_an_interval_after_the_response(
        steps in prop::collection::vec((0_u32..8, 0_u64..4000, 0_u64..3), 1..300),
    ) {
        let mut schedule = schedule();
        let interval = seconds(10);
        let mut answered: HashMap<u32, Duration> = HashMap::new();
        let mut under_way: Vec<(Duration, HealthSlot)> = Vec::new();
        let mut now = Duration::ZERO;
        for (slot, wait, deed) in steps {
            now += Duration::from_millis(wait.min(1 + schedule.idle(now).map_or(wait, |idle| {
                u64::try_from(idle.as_millis()).unwrap()
            })));
            match deed {
                0 => schedule.put(place(slot), interval, now),
                1 => if schedule.remove(place(slot)) {
                    answered.remove(&slot);
                    under_way.retain(|(_, at)| at.slot != slot);
                },
                _ => {
                    for (_, at) in under_way.drain(..) {
                        prop_assert!(schedule.answered(at, now));
                        answered.insert(at.slot, now);
                    }
                }
            }
            for at in schedule.take(now, usize::MAX).checks {
                if let Some(before) = answered.get(&at.slot) {
                    let gap = now - *before;
                    prop_assert!(gap >= interval * 19 / 20, "{:?}", gap);
                    prop_assert!(gap <= interval + Duration::from_millis(2), "{:?}", gap);
                }
                under_way.retain(|(_, known)| known.slot != at.slot);
                under_way.push((now, at));
            }
            prop_assert!(schedule.len() <= 8);
        }
    }
}
