//! What checkers saw, as the operations tell it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use meridian_control::{Caller, Control, Observation, Observations};
use meridian_log::Journal;
use meridian_model::{
    HealthCheck, HealthCheckDraft, HealthCheckSettings, HealthCheckType, HealthSlot, Network,
    NewHealthCheck, Timestamp,
};

use crate::bench::{Bench, Hand, caller, code};

/// Two checkers. One has never seen the first check fail, and neither looks at another one.
struct Two;

fn seen(region: &str, address: [u8; 4], status: &str) -> Observation {
    Observation {
        region: region.to_owned(),
        address: IpAddr::from(address),
        status: status.to_owned(),
        checked_at: Timestamp(1),
    }
}

impl Observations for Two {
    fn status(&self, slot: HealthSlot) -> Vec<Observation> {
        let first = HealthSlot {
            slot: 0,
            incarnation: 1,
        };
        if slot != first {
            return Vec::new();
        }
        vec![
            seen(
                "us-east-1",
                [192, 0, 2, 3],
                "Success: HTTP Status Code 200, OK",
            ),
            seen("eu-west-1", [192, 0, 2, 2], "Failure: Connection timed out"),
        ]
    }

    fn last_failures(&self, slot: HealthSlot) -> Vec<Observation> {
        let failed = self.status(slot).into_iter();
        failed
            .filter(|seen| seen.status.starts_with("Failure"))
            .collect()
    }

    fn checkers(&self) -> Vec<Network> {
        ["198.51.100.0/26", "192.0.2.0/24", "192.0.2.0/24"]
            .map(|network| network.parse().unwrap())
            .to_vec()
    }
}

fn watched(bench: &Bench) -> Control {
    let hand = Hand {
        now: Arc::clone(&bench.now),
        drawn: AtomicU8::new(100),
    };
    let control = Control::new(
        Arc::clone(&bench.journal) as Arc<dyn Journal>,
        Arc::clone(&bench.tables),
        Arc::clone(&bench.vault),
        Arc::clone(&bench.acks),
        Box::new(hand),
    );
    control.with_observations(Box::new(Two))
}

fn make(
    control: &Control,
    me: &Caller,
    check_type: HealthCheckType,
    settings: HealthCheckSettings,
) -> HealthCheck {
    let request = NewHealthCheck {
        caller_reference: check_type.as_str().to_owned(),
        config: HealthCheckDraft {
            check_type,
            settings,
        },
    };
    control.create_health_check(me, &request).unwrap()
}

fn by_name(name: &str) -> HealthCheckSettings {
    HealthCheckSettings {
        domain_name: Some(name.to_owned()),
        ..HealthCheckSettings::default()
    }
}

#[test]
fn each_checker_is_told_by_region_and_address() {
    let bench = Bench::new();
    let control = watched(&bench);
    let me = caller(&bench.account("me"));
    let check = make(&control, &me, HealthCheckType::Http, by_name("a.test"));
    let status = control.health_check_status(&me, check.id.as_str()).unwrap();
    let regions: Vec<&str> = status.iter().map(|seen| seen.region.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", "us-east-1"]);
    let failures = control.health_check_last_failures(&me, check.id.as_str());
    assert_eq!(failures.unwrap(), status[..1]);
    let unseen = make(&control, &me, HealthCheckType::Https, by_name("a.test"));
    let status = control.health_check_status(&me, unseen.id.as_str());
    assert_eq!(status.unwrap(), []);
    let networks = control.checker_networks().into_iter();
    let networks: Vec<String> = networks.map(|network| network.to_string()).collect();
    assert_eq!(networks, ["192.0.2.0/24", "198.51.100.0/26"]);
}

#[test]
fn checks_of_others_and_calculated_ones_have_no_status() {
    let bench = Bench::new();
    let control = watched(&bench);
    let (me, other) = (caller(&bench.account("me")), caller(&bench.operator));
    let check = make(&control, &me, HealthCheckType::Http, by_name("a.test"));
    let parent = HealthCheckSettings {
        health_threshold: Some(1),
        children: Some(vec![check.id.to_string()]),
        ..HealthCheckSettings::default()
    };
    let parent = make(&control, &me, HealthCheckType::Calculated, parent);
    for told in [
        Control::health_check_status,
        Control::health_check_last_failures,
    ] {
        let refused = |caller, id| code(told(&control, caller, id));
        assert_eq!(refused(&other, check.id.as_str()), "NoSuchHealthCheck");
        assert_eq!(refused(&me, "none"), "NoSuchHealthCheck");
        assert_eq!(refused(&me, parent.id.as_str()), "InvalidInput");
    }
}

#[test]
fn without_checkers_nothing_was_seen() {
    let bench = Bench::new();
    let me = caller(&bench.account("me"));
    let check = make(
        &bench.control,
        &me,
        HealthCheckType::Http,
        by_name("a.test"),
    );
    let status = bench.control.health_check_status(&me, check.id.as_str());
    assert_eq!(status.unwrap(), []);
    assert_eq!(bench.control.checker_networks(), []);
}
