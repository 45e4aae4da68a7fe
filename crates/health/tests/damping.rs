//! Guardrails: each alone, by account, and all off.
#![expect(clippy::unwrap_used, reason = "a test, which may panic")]

mod common;

use std::time::Duration;

use common::{check, inverted, know, owned, register, seconds, stations};
use meridian_health::{Damping, Guardrails, HeldBack, Panic, Rules, Vote, Votes};
use meridian_model::Health::{Healthy, Unhealthy};
use meridian_model::{Health, HealthCheck};

/// One checker that says of each check what it is told to, and what comes out behind the rails.
struct World {
    checks: Vec<HealthCheck>,
    station: common::Station,
    votes: Votes,
    damping: Damping,
}

impl World {
    fn new(checks: Vec<HealthCheck>, rails: Guardrails) -> Self {
        let mut stations = stations(1);
        let mut votes = Votes::new(Rules::ROUTE_53, register(&stations));
        let mut damping = Damping::new(rails);
        know(&mut votes, &mut damping, &checks);
        Self {
            checks,
            station: stations.remove(0),
            votes,
            damping,
        }
    }

    /// At this second the votes are these: `u` and `d` for each check. Returns the outcomes in the
    /// same letters, `?` for unknown.
    fn at(&mut self, second: u64, words: &str) -> String {
        for (check, word) in self.checks.iter().zip(words.chars()) {
            let vote = if word == 'u' { Vote::Up } else { Vote::Down };
            self.station.say(std::slice::from_ref(check), vote);
        }
        let now = seconds(second);
        self.station.send(&mut self.votes, now).unwrap();
        self.votes.judge(now);
        self.damping.step(self.votes.healths(), now);
        let letter = |check: &HealthCheck| match self.damping.healths().get(check.slot.slot) {
            None => '?',
            Some(Healthy) => 'u',
            Some(Unhealthy) => 'd',
        };
        self.checks.iter().map(letter).collect()
    }

    fn held_back(&self, index: usize) -> Option<HeldBack> {
        self.damping.held_back(self.checks[index].slot)
    }
}

fn checks(count: u32) -> Vec<HealthCheck> {
    (0..count).map(|slot| check(slot, 1)).collect()
}

#[test]
fn without_guardrails_it_is_what_the_votes_say() {
    let mut world = World::new(checks(3), Guardrails::OFF);
    for (second, words) in ["uuu", "ddd", "udu", "ddd", "uuu"].iter().enumerate() {
        assert_eq!(world.at(second as u64, words), *words);
        assert_eq!(world.held_back(0), None);
    }
}

#[test]
fn up_is_slower_than_down() {
    let rails = Guardrails {
        up_after: seconds(30),
        ..Guardrails::OFF
    };
    let mut world = World::new(checks(1), rails);
    assert_eq!(world.at(0, "u"), "u", "what is unknown was in");
    assert_eq!(world.at(1, "d"), "d", "down is not held back");
    assert_eq!(world.at(2, "u"), "d");
    assert_eq!(world.at(12, "u"), "d");
    let left = seconds(20);
    assert_eq!(world.held_back(0), Some(HeldBack::UpSoon { left }));
    // A break begins it again.
    assert_eq!(world.at(20, "d"), "d");
    assert_eq!(world.at(21, "u"), "d");
    assert_eq!(world.at(50, "u"), "d");
    assert_eq!(world.at(51, "u"), "u");
    assert_eq!(world.held_back(0), None);
}

#[test]
fn an_inverted_check_is_in_when_its_endpoint_is_down() {
    let rails = Guardrails {
        up_after: seconds(30),
        ..Guardrails::OFF
    };
    let mut world = World::new(vec![inverted(check(0, 1))], rails);
    assert_eq!(world.at(0, "u"), "u", "which is out");
    assert_eq!(world.at(1, "d"), "u");
    assert_eq!(world.at(31, "d"), "d");
    assert_eq!(world.at(32, "u"), "u", "taken out at once");
}

#[test]
fn not_too_many_are_taken_out_within_a_minute() {
    let rails = Guardrails {
        out_per_minute: Some(2),
        ..Guardrails::OFF
    };
    let mut world = World::new(checks(6), rails);
    assert_eq!(world.at(0, "uuuuuu"), "uuuuuu");
    assert_eq!(world.at(1, "uuuuud"), "uuuuud");
    // The fourth is down before the first, and first in turn.
    assert_eq!(world.at(2, "uuudud"), "uuudud");
    assert_eq!(world.at(3, "uuuddd"), "uuudud");
    assert_eq!(world.at(4, "ddudud"), "uuudud");
    assert_eq!(world.at(5, "dddddd"), "uuudud");
    let waiting = seconds(1);
    assert_eq!(world.held_back(0), Some(HeldBack::TooManyOut { waiting }));
    assert_eq!(world.at(60, "dddddd"), "uuudud");
    assert_eq!(world.at(61, "dddddd"), "duudud");
    assert_eq!(world.at(62, "dddddd"), "ddudud");
    // Who is back needs no turn.
    assert_eq!(world.at(63, "ddduuu"), "dduuuu");
    assert_eq!(world.held_back(3), None);
    assert_eq!(world.at(121, "dddddd"), "ddduuu");
}

#[test]
fn everything_is_in_where_too_little_is_left() {
    let panic = Panic {
        below_percent: 50,
        least_checks: 4,
    };
    let rails = Guardrails {
        panic: Some(panic),
        ..Guardrails::OFF
    };
    let mut world = World::new(checks(10), rails);
    assert_eq!(world.at(0, "uuuuuddddd"), "uuuuuddddd");
    assert_eq!(world.at(1, "uuuudddddd"), "uuuuuuuuuu");
    let (healthy, known) = (4, 10);
    assert_eq!(world.held_back(9), Some(HeldBack::Panic { healthy, known }));
    assert_eq!(world.held_back(0), None);
    assert_eq!(world.damping.turns().count(), 5);
    assert_eq!(world.at(2, "uuuuuddddd"), "uuuuuuuuuu", "it ends later");
    assert_eq!(world.at(3, "uuuuuudddd"), "uuuuuudddd");
    // Where there are few checks it does not begin.
    let mut world = World::new(checks(3), rails);
    assert_eq!(world.at(0, "ddd"), "ddd");
}

#[test]
fn a_disabled_check_brings_on_no_panic_and_takes_no_place_of_those_taken_out() {
    let panic = Panic {
        below_percent: 50,
        least_checks: 3,
    };
    let rails = Guardrails {
        out_per_minute: Some(6),
        panic: Some(panic),
        ..Guardrails::OFF
    };
    let disable = |world: &mut World, disabled: bool| {
        for check in world.checks.iter_mut().skip(4) {
            check.config.disabled = disabled;
        }
        know(&mut world.votes, &mut world.damping, &world.checks);
    };
    let mut world = World::new(checks(10), rails);
    assert_eq!(world.at(0, "uuuudddddd"), "uuuuuuuuuu", "a panic");
    // Nobody looks any more at the six that are known to be down.
    disable(&mut world, true);
    assert!(world.at(1, "uuuudddddd").starts_with("uuuu"));
    let two_are_left = world.at(70, "uudddddddd");
    assert!(two_are_left.starts_with("uudd"), "{two_are_left}");
    assert!(world.at(71, "uuuduuuuuu").starts_with("uuud"));
    // Those that are down and disabled from the beginning are none of the six.
    let mut world = World::new(
        checks(10),
        Guardrails {
            panic: None,
            ..rails
        },
    );
    disable(&mut world, true);
    world.at(0, "uuuudddddd");
    assert!(world.at(1, "dddddddddd").starts_with("dddd"));
    // They count again where they are enabled again, two of them within this minute.
    disable(&mut world, false);
    assert_eq!(world.at(2, "dddddddddd"), "dddddd????");
}

#[test]
fn accounts_have_their_guardrails_for_themselves() {
    let panic = Panic {
        below_percent: 50,
        least_checks: 2,
    };
    let rails = Guardrails {
        up_after: Duration::ZERO,
        out_per_minute: Some(3),
        panic: Some(panic),
    };
    let one = (0..4).map(|slot| owned(check(slot, 1), "111111111111"));
    let two = (4..8).map(|slot| owned(check(slot, 1), "222222222222"));
    let mut world = World::new(one.chain(two).collect(), rails);
    assert_eq!(world.at(0, "uuuuuuuu"), "uuuuuuuu");
    assert_eq!(world.at(1, "dduuuuuu"), "dduuuuuu");
    // The first one's failures are three, and panic it; the second one may take one out.
    assert_eq!(world.at(2, "ddddduuu"), "uuuuduuu");
    let turns: Vec<(u32, Option<Health>)> = world
        .damping
        .turns()
        .map(|turn| (turn.slot.slot, turn.before))
        .collect();
    assert_eq!(
        turns,
        [
            (0, Some(Unhealthy)),
            (1, Some(Unhealthy)),
            (4, Some(Healthy))
        ]
    );
}

#[test]
fn a_place_that_is_used_again_waits_for_nothing() {
    let rails = Guardrails {
        up_after: seconds(1000),
        ..Guardrails::OFF
    };
    let mut world = World::new(checks(1), rails);
    world.at(0, "d");
    assert_eq!(world.at(1, "u"), "d");
    world.checks = vec![check(0, 2)];
    know(&mut world.votes, &mut world.damping, &world.checks);
    assert_eq!(world.damping.healths().get(0), None);
    assert_eq!(world.at(2, "u"), "u");
}
