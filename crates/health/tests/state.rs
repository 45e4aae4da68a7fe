//! What is known survives a restart, of the checks that are still there.
#![expect(clippy::unwrap_used, reason = "a test, which may panic")]

mod common;

use common::{check, know, register, seconds, stations};
use meridian_health::{
    Basis, Damping, Guardrails, HeldBack, MAX_STATE_BYTES, Outline, Panic, Refused, Rules, State,
    Unreadable, Vote, Votes,
};
use meridian_model::Health::{Healthy, Unhealthy};
use meridian_model::{HealthCheck, Timestamp};
use proptest::prelude::*;

fn checks() -> Vec<HealthCheck> {
    (0..200).map(|slot| check(slot * 3, slot + 1)).collect()
}

fn fresh(checks: &[HealthCheck], rails: Guardrails) -> (Votes, Damping) {
    let mut votes = Votes::new(Rules::ROUTE_53, register(&stations(3)));
    let mut damping = Damping::new(rails);
    know(&mut votes, &mut damping, checks);
    (votes, damping)
}

/// Every third check is down, and every ninth was until a moment ago.
fn lived(checks: &[HealthCheck], rails: Guardrails) -> (Votes, Damping, Vec<common::Station>) {
    let (mut votes, mut damping) = fresh(checks, rails);
    let mut stations = stations(3);
    for second in [1, 2] {
        for station in &mut stations {
            station.say(checks, Vote::Up);
            let down = checks.iter().step_by(3);
            for check in down.filter(|check| second == 1 || check.slot.slot % 27 != 0) {
                station.table.set(check.slot, Vote::Down);
            }
            station.send(&mut votes, seconds(second)).unwrap();
        }
        votes.judge(seconds(second));
        damping.step(votes.healths(), seconds(second));
    }
    (votes, damping, stations)
}

#[test]
fn health_after_a_restart_equals_health_before() {
    let rails = Guardrails {
        up_after: seconds(60),
        ..Guardrails::OFF
    };
    let checks = checks();
    let (before, damped, mut stations) = lived(&checks, rails);
    assert_ne!(before.healths(), damped.healths());
    let state = State::of(&before, &damped, Timestamp(5));
    let read = State::from_bytes(&state.to_bytes()).unwrap();
    assert_eq!(read, state);
    let outline = Outline::of(&before, &damped);
    assert!(outline.is_of(&before, &damped));

    let (mut votes, mut damping) = fresh(&checks, rails);
    votes.restore(&read);
    damping.restore(&read);
    assert_eq!(votes.healths(), before.healths());
    assert_eq!(damping.healths(), damped.healths());
    assert!(outline.is_of(&votes, &damping));
    // They hold as long as nothing is heard, without a turn.
    votes.judge(seconds(0));
    damping.step(votes.healths(), seconds(0));
    assert_eq!(votes.healths(), before.healths());
    assert_eq!(damping.healths(), damped.healths());
    assert_eq!((votes.flips().count(), damping.turns().count()), (0, 0));
    let shown = votes.show(checks[1].slot).unwrap();
    assert_eq!((shown.basis, shown.age), (Basis::BelowQuorum, None));
    assert!(matches!(
        damping.held_back(checks[0].slot),
        Some(HeldBack::UpSoon { .. })
    ));
    // What was sent before is not taken again.
    stations[0].counter -= 1;
    let replayed = stations[0].send(&mut votes, seconds(1));
    assert!(matches!(replayed, Err(Refused::Old { .. })));
    stations[0].send(&mut votes, seconds(1)).unwrap();
}

#[test]
fn a_panic_goes_on_after_a_restart() {
    let rails = Guardrails {
        panic: Some(Panic {
            below_percent: 50,
            least_checks: 3,
        }),
        ..Guardrails::OFF
    };
    let checks = checks();
    let (mut votes, mut damping) = fresh(&checks, rails);
    let mut stations = stations(3);
    // Eighty of two hundred are too few, and so are a hundred and ten once there is a panic.
    for (second, healthy) in [(1, 80), (2, 110)] {
        let (up, down) = checks.split_at(healthy);
        for station in &mut stations {
            station.say(up, Vote::Up);
            station.say(down, Vote::Down);
            station.send(&mut votes, seconds(second)).unwrap();
        }
        votes.judge(seconds(second));
        damping.step(votes.healths(), seconds(second));
        assert_eq!(damping.healths().get(checks[199].slot.slot), Some(Healthy));
    }
    let outline = Outline::of(&votes, &damping);
    let state = State::of(&votes, &damping, Timestamp(5));
    let read = State::from_bytes(&state.to_bytes()).unwrap();
    let (mut votes_then, mut damping_then) = fresh(&checks, rails);
    votes_then.restore(&read);
    damping_then.restore(&read);
    assert_eq!(damping_then.healths(), damping.healths());
    assert!(outline.is_of(&votes_then, &damping_then));
    votes_then.judge(seconds(0));
    damping_then.step(votes_then.healths(), seconds(0));
    assert_eq!(damping_then.healths(), damping.healths());
    assert_eq!(damping_then.turns().count(), 0);
}

#[test]
fn only_checks_that_are_still_there_are_taken_up() {
    let mut checks = checks();
    let (before, damped, _) = lived(&checks, Guardrails::OFF);
    let state = State::of(&before, &damped, Timestamp(5));
    assert_eq!(before.healths().get(9), Some(Unhealthy));
    // Another one has the place: by incarnation, or by its id where a journal was restored.
    let (mut votes, mut damping) = fresh(&checks, Guardrails::OFF);
    checks[3] = check(9, 99);
    checks[4].id = common::id(7, 7);
    know(&mut votes, &mut damping, &checks);
    votes.restore(&state);
    damping.restore(&state);
    assert_eq!(votes.healths().get(9), None);
    assert_eq!(damping.healths().get(9), None);
    assert_eq!(votes.healths().get(12), None);
    assert_eq!(votes.healths().get(15), Some(Healthy));
    assert_eq!(votes.healths().get(18), Some(Unhealthy));
}

#[test]
fn nothing_is_known_of_nothing() {
    let (votes, damping) = fresh(&[], Guardrails::OFF);
    let state = State::of(&votes, &damping, Timestamp(-1));
    assert_eq!(State::from_bytes(&state.to_bytes()), Ok(state));
}

#[test]
fn damage_is_refused() {
    let (votes, damping, _) = lived(&checks(), Guardrails::OFF);
    let bytes = State::of(&votes, &damping, Timestamp(5)).to_bytes();
    assert!(bytes.len() < MAX_STATE_BYTES);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(State::from_bytes(&damaged).is_err(), "byte {at}");
        assert!(State::from_bytes(&bytes[..at]).is_err(), "cut off at {at}");
    }
    let longer = [&bytes[..], b"\0"].concat();
    assert!(State::from_bytes(&longer).is_err());
    let mut newer = bytes;
    newer[5] = 2;
    assert_eq!(
        State::from_bytes(&newer),
        Err(Unreadable::UnknownVersion(2))
    );
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(State::from_bytes(&bytes).is_err());
    }
}
