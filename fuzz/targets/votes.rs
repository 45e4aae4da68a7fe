//! Votes: no bytes are taken for a table that no checker sent, none for a state that was not
//! written, and what is read says what was written.
#![no_main]

use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use meridian_health::{
    Checker, CheckerKey, CheckerName, Conduct, Damping, Guardrails, Issue, Known, Received,
    Register, Rules, State, Table, Vote, Votes,
};
use meridian_model::{
    AccountId, CheckerRegion, HealthCheck, HealthCheckConfig, HealthCheckId, HealthSlot,
    HealthSubject, Seq, Timestamp,
};

struct Station {
    checker: Checker,
    key: CheckerKey,
    checks: Vec<HealthCheck>,
}

fn station() -> &'static Station {
    static STATION: OnceLock<Station> = OnceLock::new();
    STATION.get_or_init(|| {
        let key = CheckerKey::from_seed(&[7; 32]).expect("any seed will do");
        let name = CheckerName::new("a").expect("it is a name");
        Station {
            checker: Checker {
                name,
                region: CheckerRegion::stored("here"),
                key: key.public(),
            },
            key,
            checks: (0..130).filter_map(check).collect(),
        }
    })
}

fn check(slot: u32) -> Option<HealthCheck> {
    let config = HealthCheckConfig {
        inverted: false,
        disabled: false,
        subject: HealthSubject::RoutingControl(String::new()),
    };
    Some(HealthCheck {
        id: HealthCheckId::new(&format!("{slot:08x}-0000-4000-8000-000000000000")).ok()?,
        account: AccountId::new("123456789012").ok()?,
        caller_reference: String::new(),
        version: 1,
        created_with: config.clone(),
        config,
        slot: HealthSlot {
            slot,
            incarnation: 1,
        },
    })
}

/// Bytes as they come, in the place of a table and of a state.
fn read(bytes: &[u8], station: &Station) {
    let known = Known {
        key: station.checker.key,
        counter: None,
    };
    match Received::open(bytes, |_| Some(known)) {
        Ok(table) => assert_eq!(table.issue.checker, station.checker.name),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match State::from_bytes(bytes) {
        Ok(state) => assert_eq!(state.to_bytes(), bytes),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A table whose votes are these bytes, two bits each; sent, counted, kept and read again.
fn send(bytes: &[u8], station: &Station) {
    let mut table = Table::new();
    let all = [Vote::Nothing, Vote::Up, Vote::Down, Vote::Withheld];
    let votes: Vec<Vote> = bytes
        .iter()
        .flat_map(|byte| [0, 2, 4, 6].map(|shift| all[usize::from(byte >> shift & 3)]))
        .collect();
    for (check, vote) in station.checks.iter().zip(&votes) {
        table.put(check.slot, &check.id).expect("the place is low");
        assert!(table.set(check.slot, *vote));
    }
    let issue = Issue {
        checker: station.checker.name.clone(),
        counter: 1,
        known_through: Seq(0),
        lateness: Duration::ZERO,
    };
    let sealed = table.seal(&issue, Conduct::Votes, &station.key);
    let register = Register::new(vec![station.checker.clone()]).expect("there is one");
    let mut counted = Votes::new(Rules::ROUTE_53, register);
    let mut damping = Damping::new(Guardrails::OFF);
    let checks = &station.checks[..station.checks.len().min(votes.len())];
    for check in checks {
        counted.put(check).expect("the place is low");
        damping.put(check).expect("the place is low");
    }
    counted
        .take(&sealed, Duration::ZERO)
        .expect("it was sent so");
    counted.judge(Duration::ZERO);
    damping.step(counted.healths(), Duration::ZERO);
    for (check, vote) in checks.iter().zip(&votes) {
        let health = counted.healths().get(check.slot.slot);
        let said = match vote {
            Vote::Up => Some(true),
            Vote::Down => Some(false),
            Vote::Nothing | Vote::Withheld => None,
        };
        assert_eq!(health.map(|health| health.is_healthy()), said);
    }
    let state = State::of(&counted, &damping, Timestamp(0));
    assert_eq!(State::from_bytes(&state.to_bytes()), Ok(state));
}

fuzz_target!(|bytes: &[u8]| {
    let station = station();
    read(bytes, station);
    send(bytes, station);
});
