//! What a name server does between checkers' tables and the World, with 100,000 checks: when
//! nothing flips, one check, or all of them at once.
//!
//! `cargo bench -p meridian-bench --bench votes`; half a minute. Figures are CPU time of the thread,
//! the least of the rounds.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::sync::Arc;
use std::time::Duration;

use meridian_answer::{CheckState, World};
use meridian_bench::data;
use meridian_bench::images::Images;
use meridian_bench::timing::timed;
use meridian_health::{
    Checker, CheckerKey, CheckerName, Conduct, Damping, Guardrails, Issue, Register, Rules, State,
    Table, Vote, Votes,
};
use meridian_model::{
    AccountId, CheckerRegion, Health, HealthCheck, HealthCheckConfig, HealthCheckId, HealthSlot,
    HealthSubject, Seq, Standings, Timestamp,
};

const CHECKS: u32 = 100_000;
const ROUNDS: usize = 10;
/// What is measured, in this order.
const STEPS: [&str; 7] = [
    "tables taken",
    "judged",
    "guardrails",
    "kept state made",
    "standings",
    "set of what is down",
    "World",
];

fn main() {
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| us | checkers | {} | all |", STEPS.join(" | "));
    println!("|---|---|{}---|", "---|".repeat(STEPS.len()));
    for checkers in [1, 5, 16] {
        for (what, flips) in [("nothing flips", 0), ("one flips", 1), ("all flip", CHECKS)] {
            let mut node = Node::new(checkers);
            node.turn(0, Vote::Up);
            let mut least = [Duration::MAX; STEPS.len()];
            for _ in 0..ROUNDS {
                for vote in [Vote::Down, Vote::Up] {
                    for (least, took) in least.iter_mut().zip(node.turn(flips, vote)) {
                        *least = took.min(*least);
                    }
                }
            }
            let us = |took: &Duration| format!("{:.0}", took.as_secs_f64() * 1e6);
            let each: Vec<String> = least.iter().map(us).collect();
            let all = us(&least.iter().sum());
            println!("| {what} | {checkers} | {} | {all} |", each.join(" | "));
        }
    }
}

/// Checkers, and a name server that counts their votes.
struct Node {
    stations: Vec<(Issue, CheckerKey, Table)>,
    votes: Votes,
    damping: Damping,
    standings: Standings,
    world: World,
    now: Duration,
}

impl Node {
    fn new(checkers: u8) -> Self {
        let keys = (1..=checkers).map(|number| {
            let key = CheckerKey::from_seed(&[number; 32]).expect("any seed will do");
            let name = CheckerName::new(&format!("c{number:02}")).expect("it is a name");
            (name, key)
        });
        let keys: Vec<_> = keys.collect();
        let register = keys.iter().map(|(name, key)| Checker {
            name: name.clone(),
            region: CheckerRegion::stored("here"),
            key: key.public(),
        });
        let register = Register::new(register.collect()).expect("they are few");
        let checks: Vec<Arc<HealthCheck>> = (0..CHECKS).map(check).collect();
        let mut node = Self {
            stations: Vec::new(),
            votes: Votes::new(Rules::ROUTE_53, register),
            damping: Damping::new(Guardrails::OFF),
            standings: Standings::default(),
            world: Images::new().checked(CHECKS.into()).world().0,
            now: Duration::ZERO,
        };
        let mut table = Table::new();
        for check in checks {
            table.put(check.slot, &check.id).expect("the place is low");
            table.set(check.slot, Vote::Up);
            node.votes.put(&check).expect("the place is low");
            node.damping.put(&check).expect("the place is low");
            node.standings.put(check);
        }
        node.standings.settle(|_| None);
        let stations = keys.into_iter().map(|(checker, key)| {
            let issue = Issue {
                checker,
                counter: 0,
                known_through: Seq(1),
                lateness: Duration::ZERO,
            };
            (issue, key, table.clone())
        });
        node.stations = stations.collect();
        node
    }

    /// All say this of the first checks. Returns how long each step took.
    fn turn(&mut self, flips: u32, vote: Vote) -> [Duration; STEPS.len()] {
        // Longer than it takes for outcomes to settle.
        self.now += Duration::from_secs(40);
        let now = self.now;
        let tables: Vec<Vec<u8>> = self
            .stations
            .iter_mut()
            .map(|station| say(station, flips, vote))
            .collect();
        let before = self.damping.healths().clone();
        let ((), taken) = timed(|| {
            for table in &tables {
                self.votes.take(table, now).expect("it was sealed so");
            }
        });
        let ((), judged) = timed(|| {
            self.votes.judge(now);
        });
        let ((), stepped) = timed(|| {
            self.damping.step(self.votes.healths(), now);
        });
        let healths = self.damping.healths();
        let mut kept = Duration::ZERO;
        if *healths != before {
            ((), kept) = timed(|| {
                let state = State::of(&self.votes, &self.damping, Timestamp(0));
                assert!(!state.to_bytes().is_empty());
            });
        }
        let mut settled = Vec::new();
        let ((), standing) = timed(|| {
            for slot in healths.differences(&before) {
                self.standings.observe(slot);
            }
            settled = self.standings.settle(|slot| healths.get(slot.slot));
        });
        if settled.is_empty() {
            return [
                taken,
                judged,
                stepped,
                kept,
                standing,
                Duration::ZERO,
                Duration::ZERO,
            ];
        }
        let mut down = self.world.health().clone();
        let ((), named) = timed(|| {
            let states = settled.iter().filter_map(|slot| {
                let is_up = self.standings.standing(*slot)?.health == Health::Healthy;
                let state = if is_up {
                    CheckState::Up
                } else {
                    CheckState::Down
                };
                Some((self.standings.check(*slot)?.id.as_str(), state))
            });
            down = down.with_all(states);
        });
        let ((), answered) = timed(|| self.world = self.world.clone().with_health(down));
        [taken, judged, stepped, kept, standing, named, answered]
    }
}

fn say(station: &mut (Issue, CheckerKey, Table), flips: u32, vote: Vote) -> Vec<u8> {
    let (issue, key, table) = station;
    for slot in 0..flips {
        table.set(slot_of(slot), vote);
    }
    issue.counter += 1;
    table.seal(issue, Conduct::Votes, key)
}

const fn slot_of(slot: u32) -> HealthSlot {
    HealthSlot {
        slot,
        incarnation: 1,
    }
}

fn check(number: u32) -> Arc<HealthCheck> {
    let config = HealthCheckConfig {
        inverted: false,
        disabled: false,
        subject: HealthSubject::Endpoint(data::endpoint(number, 80)),
    };
    Arc::new(HealthCheck {
        id: HealthCheckId::new(&data::check_id(number.into())).expect("it is an id"),
        account: AccountId::new("123456789012").expect("it is an account"),
        caller_reference: String::new(),
        version: 1,
        created_with: config.clone(),
        config,
        slot: slot_of(number),
    })
}
