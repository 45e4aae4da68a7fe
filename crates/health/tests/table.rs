//! Tables as they are sent: byte by byte, of one size, and refused when anything is wrong.
#![expect(clippy::unwrap_used, reason = "a test, which may panic")]

mod common;

use std::time::Duration;

use common::{Station, check, id};
use meridian_health::{
    Conduct, Counter, FORMAT_VERSION, Known, MAX_SLOTS, MAX_TABLE_BYTES, Received, Refused, Table,
    Vote,
};
use meridian_model::{HealthCheck, HealthSlot, Seq};
use proptest::prelude::*;

fn station() -> Station {
    Station::new(1, "us-east-1")
}

fn open(bytes: &[u8], station: &Station) -> Result<Received, Refused> {
    Received::open(bytes, |name| {
        (*name == station.checker.name).then_some(Known {
            key: station.checker.key,
            counter: None,
        })
    })
}

fn checks(count: u32) -> Vec<HealthCheck> {
    (0..count).map(|slot| check(slot, 1)).collect()
}

#[test]
fn the_format_is_this_one() {
    let mut station = station();
    station.counter = 0x0102_0304_0506_0706;
    let checks = checks(4);
    station.say(&checks, Vote::Withheld);
    for (check, vote) in checks.iter().zip([Vote::Nothing, Vote::Up, Vote::Down]) {
        assert!(station.table.set(check.slot, vote));
    }
    let bytes = station.seal();
    let mut expected = b"MHCT\0\x01\0\x0a\x01\x02\x03\x04\x05\x06\x07\x07".to_vec();
    expected.extend(b"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x01checker-01");
    expected.resize(96, 0);
    expected.extend(SUM_OF_FOUR.to_be_bytes());
    expected.extend(0b1010_u64.to_be_bytes());
    expected.extend(0b1100_u64.to_be_bytes());
    assert_eq!(bytes[..bytes.len() - 64], expected);
    assert_eq!(bytes.len(), 96 + 24 + 64);
    let received = open(&bytes, &station).unwrap();
    assert_eq!(received.issue.counter, 0x0102_0304_0506_0707);
    assert_eq!(received.issue.known_through, Seq(7));
    assert_eq!(received.issue.checker, station.checker.name);
}

/// Of the checks in the places 0 to 3, each of incarnation 1; worked out by Python's hashlib from
/// what `Layout` describes.
const SUM_OF_FOUR: u64 = 0xd48b_1c6d_30f2_a84f;

#[test]
fn the_size_is_the_same_whatever_is_down() {
    let mut station = station();
    let checks = checks(1000);
    let mut sizes = Vec::new();
    for vote in [Vote::Nothing, Vote::Up, Vote::Down, Vote::Withheld] {
        station.say(&checks, vote);
        sizes.push(station.seal().len());
    }
    for check in &checks[10..] {
        assert!(station.table.remove(check.slot));
    }
    sizes.push(station.seal().len());
    sizes.dedup();
    assert_eq!(sizes, [96 + 16 * 24 + 64]);
}

#[test]
fn the_largest_table_is_taken_and_a_larger_one_is_not() {
    let mut station = station();
    let (last, beyond) = (MAX_SLOTS - 1, MAX_SLOTS);
    station.say(&[check(last, 1)], Vote::Up);
    let at = |slot| HealthSlot {
        slot,
        incarnation: 1,
    };
    assert!(station.table.put(at(beyond), &id(beyond, 1)).is_err());
    assert!(!station.table.set(at(beyond), Vote::Up));
    let mut bytes = station.seal();
    assert_eq!(bytes.len(), MAX_TABLE_BYTES);
    assert!(open(&bytes, &station).is_ok());
    bytes.push(0);
    assert_eq!(open(&bytes, &station), Err(Refused::TooLarge(bytes.len())));
}

#[test]
fn what_is_damaged_or_not_meant_for_us_is_refused() {
    let mut station = station();
    station.say(&checks(70), Vote::Down);
    let bytes = station.seal();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(open(&damaged, &station).is_err(), "byte {at}");
        assert!(open(&bytes[..at], &station).is_err(), "cut off at {at}");
    }
    let mut newer = bytes.clone();
    newer[5] = 2;
    assert_eq!(
        open(&newer, &station),
        Err(Refused::UnknownVersion(FORMAT_VERSION + 1))
    );
    let stranger = Station::new(2, "us-east-1");
    assert!(matches!(
        open(&bytes, &stranger),
        Err(Refused::NotRegistered(_))
    ));
    let known = |counter| {
        Received::open(&bytes, |_| {
            Some(Known {
                key: station.checker.key,
                counter: Some(counter),
            })
        })
    };
    assert!(known(0).is_ok());
    assert!(matches!(
        known(1),
        Err(Refused::Old {
            counter: 1,
            last: 1,
            ..
        })
    ));
    assert!(matches!(known(u64::MAX), Err(Refused::Old { .. })));
    // Well formed, but signed by another.
    station.key = stranger.key;
    let forged = station.seal();
    assert!(matches!(
        open(&forged, &station),
        Err(Refused::NotSigned(_))
    ));
}

#[test]
fn a_table_is_about_the_checks_that_its_checker_knows() {
    let mut table = Table::new();
    let (first, second) = (check(5, 1), check(5, 2));
    table.put(first.slot, &first.id).unwrap();
    assert!(table.set(first.slot, Vote::Down));
    table.put(first.slot, &first.id).unwrap();
    assert_eq!(table.get(first.slot), Some(Vote::Down), "it is no news");
    table.put(second.slot, &second.id).unwrap();
    assert_eq!(table.get(second.slot), Some(Vote::Nothing));
    // What is found of the one before is dropped.
    assert!(!table.set(first.slot, Vote::Up));
    assert!(!table.remove(first.slot));
    assert_eq!(table.get(first.slot), None);
    assert!(table.remove(second.slot));
}

#[test]
fn a_counter_only_rises() {
    let mut counter = Counter::resume(0, 1000);
    assert_eq!(counter.take(), None, "nothing is stored yet");
    let mut on_disk = 0;
    let mut last = 1000;
    for _ in 0..5000 {
        if let Some(number) = counter.to_store() {
            on_disk = number;
            counter.stored(number);
        }
        let next = counter.take().unwrap();
        assert!(next > last && next <= on_disk);
        last = next;
    }
    // The clock was set back, or what was stored is lost and the clock is right.
    for mut counter in [
        Counter::resume(on_disk, 5),
        Counter::resume(0, 1_795_000_000_000),
    ] {
        counter.stored(counter.to_store().unwrap());
        assert!(counter.take().unwrap() > last);
    }
    let mut counter = Counter::resume(u64::MAX, 0);
    counter.stored(u64::MAX);
    assert_eq!(counter.take(), None);
}

#[test]
fn lateness_is_sent_as_far_as_it_can_be() {
    let station = station();
    let issue = meridian_health::Issue {
        checker: station.checker.name.clone(),
        counter: 1,
        known_through: Seq(0),
        lateness: Duration::from_secs(u64::MAX),
    };
    let bytes = station.table.seal(&issue, Conduct::Votes, &station.key);
    let received = open(&bytes, &station).unwrap();
    assert_eq!(
        received.issue.lateness,
        Duration::from_millis(u32::MAX.into())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// What was set is what is there, whatever else is done to other places.
    #[test]
    fn votes_are_what_was_set_last(
        steps in prop::collection::vec((0_u32..300, 1_u32..4, 0_u8..6), 0..200),
    ) {
        let mut table = Table::new();
        let mut model: std::collections::HashMap<u32, (u32, Vote)> = Default::default();
        for (slot, incarnation, deed) in steps {
            let at = HealthSlot { slot, incarnation };
            let there = model.get(&slot).is_some_and(|(known, _)| *known == incarnation);
            let vote = match deed {
                0 => {
                    table.put(at, &id(slot, incarnation)).unwrap();
                    if !there {
                        model.insert(slot, (incarnation, Vote::Nothing));
                    }
                    continue;
                }
                1 => {
                    prop_assert_eq!(table.remove(at), there);
                    if there {
                        model.remove(&slot);
                    }
                    continue;
                }
                2 => Vote::Up,
                3 => Vote::Down,
                4 => Vote::Withheld,
                _ => Vote::Nothing,
            };
            prop_assert_eq!(table.set(at, vote), there);
            if there {
                model.insert(slot, (incarnation, vote));
            }
        }
        for slot in 0..300 {
            for incarnation in 1..4 {
                let known = model.get(&slot).filter(|(known, _)| *known == incarnation);
                prop_assert_eq!(
                    table.get(HealthSlot { slot, incarnation }),
                    known.map(|(_, vote)| *vote)
                );
            }
        }
        let listed: Vec<u32> = table.layout().iter().map(|at| at.slot).collect();
        prop_assert_eq!(listed.len(), model.len());
        prop_assert!(listed.is_sorted());
    }

    #[test]
    fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(open(&bytes, &station()).is_err());
    }
}
