//! The whole way from endpoints to outcomes, simulated: seeded, by a hand-moved clock, with
//! everything failing that can. Each judgement is checked against what was really sent (world.rs).
#![expect(clippy::unwrap_used, reason = "tests, which may panic")]

#[path = "../common/mod.rs"]
mod common;
mod world;

use std::collections::HashMap;

use common::check;
use meridian_health::Rules;
use meridian_model::Health::{Healthy, Unhealthy};
use meridian_model::{Health, HealthSlot};
use world::{Dice, FAILOVER_MS, Manner, World};

/// Long enough for all opinions to be formed.
const SETTLED_S: u64 = 45;

fn at(slot: u32) -> HealthSlot {
    HealthSlot {
        slot,
        incarnation: 1,
    }
}

/// A world where every third of so many checks is down, and everybody knows it.
fn settled(checkers: u8, servers: usize, checks: u32) -> World {
    let mut world = World::new(checkers, servers, Rules::ROUTE_53);
    for slot in 0..checks {
        world.make(check(slot, 1), slot % 3 != 0);
    }
    world.run(SETTLED_S);
    assert_follows(&world);
    world
}

fn due(up: bool) -> Health {
    if up { Healthy } else { Unhealthy }
}

/// All name servers say of each check what its endpoint is.
fn assert_follows(world: &World) {
    for server in 0..world.servers.len() {
        for here in world.servers[server].votes.layout().iter() {
            let health = world.health(server, here);
            assert_eq!(health, Some(due(world.up[&here])), "{here:?} at {server}");
        }
    }
}

fn assert_no_flips_since(world: &World, since_ms: u64) {
    for server in &world.servers {
        assert_eq!(server.flips_since(since_ms), []);
    }
}

#[test]
fn an_outcome_follows_its_endpoint_in_time_and_once() {
    let mut world = settled(5, 1, 40);
    let mut dice = Dice(1);
    for _ in 0..5 {
        world.run(dice.roll(20));
        let changed = at(u32::try_from(dice.roll(40)).unwrap());
        let (since, up) = (world.now_ms, !world.up[&changed]);
        world.up.insert(changed, up);
        world.run(40);
        for server in &world.servers {
            let flips = server.flips_since(since);
            let [(when, slot, health)] = flips[..] else {
                panic!("{flips:?}");
            };
            assert_eq!((slot, health), (changed, due(up)));
            assert!(when <= since + FAILOVER_MS, "{}", when - since);
        }
    }
}

#[test]
fn everything_flips_at_once_and_back() {
    let mut world = settled(3, 1, 500);
    for _ in 0..2 {
        let since = world.now_ms;
        for up in world.up.values_mut() {
            *up = !*up;
        }
        world.run(FAILOVER_MS.div_ceil(1000));
        assert_follows(&world);
        world.run(20);
        for server in &world.servers {
            assert_eq!(server.flips_since(since).len(), 500);
        }
    }
}

#[test]
fn loss_of_checkers_flips_nothing() {
    let mut world = settled(7, 1, 60);
    // Some disagree, so that votes are close to the share.
    for index in 0..5 {
        world.checkers[index].manner = Manner::SaysDown;
    }
    world.run(40);
    let since = world.now_ms;
    assert!(
        world.servers[0]
            .votes
            .healths()
            .get(1)
            .unwrap()
            .is_healthy()
    );
    for index in (0..7).rev() {
        world.checkers[index].manner = Manner::Stalled;
        world.run(12);
    }
    assert_no_flips_since(&world, since);
    for index in 0..7 {
        world.checkers[index].manner = Manner::Honest;
        world.run(5);
    }
    assert_no_flips_since(&world, since);
    world.run(SETTLED_S);
    assert_follows(&world);
}

#[test]
fn below_quorum_nothing_moves_and_then_everything_catches_up() {
    let mut world = settled(8, 2, 40);
    // The second name server hears four of eight.
    world.servers[1].cut_off_from = (0..4).collect();
    world.run(10);
    let since = world.now_ms;
    for slot in 0..10 {
        let up = !world.up[&at(slot)];
        world.up.insert(at(slot), up);
    }
    world.run(60);
    assert_eq!(world.servers[0].flips_since(since).len(), 10);
    assert_eq!(world.servers[1].flips_since(since), []);
    world.servers[1].cut_off_from.clear();
    world.run(2);
    assert_follows(&world);
    assert_eq!(world.servers[1].flips_since(since).len(), 10);
}

#[test]
fn without_a_journal_nothing_is_lost_of_what_is_known() {
    let mut world = settled(5, 2, 130);
    // Two checkers and a name server read the journal no further, and are restarted so.
    world.checkers[0].reads_journal = false;
    world.checkers[1].reads_journal = false;
    world.servers[1].reads_journal = false;
    for slot in 130..260 {
        world.make(check(slot, 1), true);
    }
    world.delete(at(5));
    world.run(10);
    world.restart(1);
    let since = world.now_ms;
    world.up.insert(at(70), !world.up[&at(70)]);
    world.run(40);
    for server in 0..2 {
        assert_eq!(world.health(server, at(70)), Some(due(world.up[&at(70)])));
    }
    assert_eq!(world.servers[1].flips_since(since).len(), 1);
    for checker in &mut world.checkers {
        checker.reads_journal = true;
    }
    world.servers[1].reads_journal = true;
    world.run(SETTLED_S);
    assert_follows(&world);
}

#[test]
fn who_lies_alone_flips_nothing() {
    for manner in [
        Manner::SaysDown,
        Manner::SaysUp,
        Manner::Flaps,
        Manner::CutOff,
        Manner::Frozen,
    ] {
        let mut world = settled(6, 1, 30);
        let since = world.now_ms;
        world.checkers[2].manner = manner;
        world.run(35);
        assert_no_flips_since(&world, since);
        // And it keeps nothing from flipping.
        let since = world.now_ms;
        let (falls, rises) = (at(1), at(3));
        world.up.insert(falls, false);
        world.up.insert(rises, true);
        world.run(FAILOVER_MS.div_ceil(1000));
        assert_follows(&world);
        world.run(10);
        assert_eq!(world.servers[0].flips_since(since).len(), 2, "{manner:?}");
    }
}

#[test]
fn clocks_that_jump_flip_nothing() {
    let mut world = settled(5, 2, 60);
    let since = world.now_ms;
    let jumps = [
        3_600_000,
        -3_600_000,
        30_000,
        -30_000,
        4_000,
        -4_000,
        -500_000_000,
    ];
    for (turn, jump) in jumps.into_iter().enumerate() {
        world.checkers[turn % 5].clock.ahead_ms += jump;
        world.run(7);
        world.servers[turn % 2].clock.ahead_ms += jump;
        world.run(7);
    }
    for checker in &mut world.checkers {
        checker.clock.ahead_ms -= 7_000_000;
    }
    world.run(60);
    assert_no_flips_since(&world, since);
    // All of them are at work again.
    world.up.insert(at(1), false);
    world.run(FAILOVER_MS.div_ceil(1000));
    assert_follows(&world);
}

#[test]
fn a_place_used_again_never_inherits() {
    let mut world = settled(5, 2, 70);
    let mut dice = Dice(5);
    let mut incarnations: HashMap<u32, u32> = HashMap::new();
    let mut made = Vec::new();
    for _ in 0..40 {
        // Those that read the journal late are others each time.
        for checker in &mut world.checkers {
            checker.reads_journal = dice.roll(3) > 0;
        }
        world.servers[1].reads_journal = dice.roll(3) > 0;
        // A place whose endpoint is down, and goes to one that is up.
        let slot = u32::try_from(dice.roll(23)).unwrap() * 3;
        let incarnation = incarnations.entry(slot).or_insert(1);
        world.delete(HealthSlot {
            slot,
            incarnation: *incarnation,
        });
        *incarnation += 1;
        let next = check(slot, *incarnation);
        made.push(next.slot);
        world.make(next, true);
        world.run(dice.roll(4));
    }
    for checker in &mut world.checkers {
        checker.reads_journal = true;
    }
    world.servers[1].reads_journal = true;
    world.run(SETTLED_S);
    assert_follows(&world);
    for server in &world.servers {
        let wrong = |(_, slot, health): &&(u64, HealthSlot, Health)| {
            made.contains(slot) && *health == Unhealthy
        };
        assert_eq!(server.flips.iter().find(wrong), None);
    }
}

#[test]
fn health_after_a_restart_equals_health_before_it() {
    let mut world = settled(3, 1, 200);
    let mut dice = Dice(9);
    for _ in 0..8 {
        for _ in 0..20 {
            let slot = at(u32::try_from(dice.roll(200)).unwrap());
            let up = dice.roll(2) == 0;
            world.up.insert(slot, up);
        }
        world.run(dice.roll(33));
        let flips = world.servers[0].flips.len();
        // The restart itself compares both.
        world.restart(0);
        assert_eq!(world.servers[0].flips.len(), flips);
    }
    world.run(SETTLED_S);
    assert_follows(&world);
}

/// Whatever happens to a minority: what does not change does not flip, and in the end everybody
/// is right.
fn chaos(seed: u64) {
    let mut world = settled(8, 2, 90);
    let mut dice = Dice(seed);
    let since = world.now_ms;
    let manners = [
        Manner::Honest,
        Manner::Stalled,
        Manner::Frozen,
        Manner::CutOff,
        Manner::SaysDown,
        Manner::Flaps,
    ];
    for _ in 0..25 {
        // Two of eight misbehave, of which one may say that something is up which is not.
        for (index, checker) in world.checkers.iter_mut().enumerate() {
            checker.manner = match index {
                0 => manners[usize::try_from(dice.roll(6)).unwrap()],
                1 => manners[usize::try_from(dice.roll(5)).unwrap()],
                _ => Manner::Honest,
            };
            if dice.roll(12) == 0 {
                checker.clock.ahead_ms += i64::try_from(dice.roll(200_000)).unwrap() - 100_000;
            }
        }
        for server in 0..2 {
            if dice.roll(6) == 0 {
                world.restart(server);
            }
            let jump = i64::try_from(dice.roll(200_000)).unwrap() - 100_000;
            let server = &mut world.servers[server];
            if dice.roll(6) == 0 {
                server.clock.ahead_ms += jump;
            }
            let cut = dice.roll(5);
            server.cut_off_from = (0..8).filter(|_| dice.roll(4) < cut).collect();
        }
        world.run(1 + dice.roll(8));
    }
    assert_no_flips_since(&world, since);
    for checker in &mut world.checkers {
        checker.manner = Manner::Honest;
    }
    for server in &mut world.servers {
        server.cut_off_from.clear();
    }
    world.run(SETTLED_S);
    assert_follows(&world);
    assert_no_flips_since(&world, since);
}

#[test]
fn what_does_not_change_does_not_flip_whatever_happens() {
    chaos(1);
}

#[test]
fn what_does_not_change_does_not_flip_whatever_else_happens() {
    chaos(2);
}
