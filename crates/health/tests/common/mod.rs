//! What the tests share: checks, checkers and their keys.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test uses all of it"
)]

use std::time::Duration;

use meridian_health::{
    Checker, CheckerKey, CheckerName, Conduct, Damping, Issue, Refused, Register, Table, Vote,
    Votes,
};
use meridian_model::{
    AccountId, CheckerRegion, Endpoint, HealthCheck, HealthCheckConfig, HealthCheckId, HealthSlot,
    HealthSubject, Protocol, Seq,
};

/// A check that probes something, in this place.
pub(crate) fn check(slot: u32, incarnation: u32) -> HealthCheck {
    check_from(slot, incarnation, &[])
}

/// A check that is probed from these regions.
pub(crate) fn check_from(slot: u32, incarnation: u32, regions: &[&str]) -> HealthCheck {
    let config = HealthCheckConfig {
        inverted: false,
        disabled: false,
        subject: HealthSubject::Endpoint(Endpoint {
            protocol: Protocol::Tcp,
            ip_address: Some([192, 0, 2, 1].into()),
            domain_name: None,
            port: 80,
            path: None,
            search_string: None,
            request_interval_s: 10,
            failure_threshold: 3,
            measure_latency: false,
            enable_sni: false,
            regions: regions.iter().map(|name| region(name)).collect(),
        }),
    };
    HealthCheck {
        id: id(slot, incarnation),
        account: AccountId::new("123456789012").unwrap(),
        caller_reference: format!("{slot}-{incarnation}"),
        version: 1,
        created_with: config.clone(),
        config,
        slot: HealthSlot { slot, incarnation },
    }
}

/// The same check, of this account.
pub(crate) fn owned(check: HealthCheck, account: &str) -> HealthCheck {
    HealthCheck {
        account: AccountId::new(account).unwrap(),
        ..check
    }
}

/// The same check, inverted.
pub(crate) fn inverted(mut check: HealthCheck) -> HealthCheck {
    check.config.inverted = true;
    check
}

pub(crate) fn id(slot: u32, incarnation: u32) -> HealthCheckId {
    HealthCheckId::new(&format!("{slot:08x}-0000-4000-8000-0000{incarnation:08x}")).unwrap()
}

pub(crate) fn region(name: &str) -> CheckerRegion {
    CheckerRegion::stored(name)
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A checker at work: its key, its table, its counter.
pub(crate) struct Station {
    pub(crate) checker: Checker,
    pub(crate) key: CheckerKey,
    pub(crate) table: Table,
    pub(crate) counter: u64,
    pub(crate) conduct: Conduct,
}

impl Station {
    pub(crate) fn new(number: u8, region_name: &str) -> Self {
        let key = CheckerKey::from_seed(&[number; 32]).unwrap();
        Self {
            checker: Checker {
                name: CheckerName::new(&format!("checker-{number:02}")).unwrap(),
                region: region(region_name),
                key: key.public(),
            },
            key,
            table: Table::new(),
            counter: 0,
            conduct: Conduct::Votes,
        }
    }

    /// Knows these checks, and says this of each.
    pub(crate) fn say(&mut self, checks: &[HealthCheck], vote: Vote) {
        for check in checks {
            self.table.put(check.slot, &check.id).unwrap();
            assert!(self.table.set(check.slot, vote));
        }
    }

    pub(crate) fn seal(&mut self) -> Vec<u8> {
        self.counter += 1;
        let issue = Issue {
            checker: self.checker.name.clone(),
            counter: self.counter,
            known_through: Seq(7),
            lateness: Duration::ZERO,
        };
        self.table.seal(&issue, self.conduct, &self.key)
    }

    pub(crate) fn send(&mut self, votes: &mut Votes, now: Duration) -> Result<(), Refused> {
        let bytes = self.seal();
        votes.take(&bytes, now).map(drop)
    }
}

/// Both sides know of these checks from now on.
pub(crate) fn know(votes: &mut Votes, damping: &mut Damping, checks: &[HealthCheck]) {
    for check in checks {
        votes.put(check).unwrap();
        damping.put(check).unwrap();
    }
}

/// So many checkers, spread over three regions.
pub(crate) fn stations(count: u8) -> Vec<Station> {
    let regions = ["us-east-1", "eu-west-1", "sa-east-1"];
    (1..=count)
        .map(|number| Station::new(number, regions[usize::from(number) % regions.len()]))
        .collect()
}

pub(crate) fn register(stations: &[Station]) -> Register {
    Register::new(
        stations
            .iter()
            .map(|station| station.checker.clone())
            .collect(),
    )
    .unwrap()
}
