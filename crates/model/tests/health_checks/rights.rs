//! What takes a right of the account: addresses that are not public, and short intervals.

use super::*;

fn at(address: &str) -> HealthCheckDraft {
    let settings = HealthCheckSettings {
        ip_address: Some(address.to_owned()),
        ..HealthCheckSettings::default()
    };
    draft(Type::Http, settings)
}

#[test]
fn what_an_address_is_takes_the_right_to_have_it_probed() {
    let mut world = World::new();
    has_rights(&mut world, ProbeRights::Public);
    let made = world.create("public", at("8.8.8.8"));
    for (address, is) in [
        ("10.0.0.1", "a private address"),
        ("::ffff:10.0.0.1", "a private address"),
        ("127.0.0.1", "a loopback address"),
        ("169.254.169.254", "an address of cloud metadata"),
        ("192.0.2.44", "an address for documentation"),
        ("2001:db8::1", "an address for documentation"),
    ] {
        let refused = |refusal| match refusal {
            HealthCheckRefusal::Invalid(text) => {
                assert!(text.contains(is), "{text}");
            }
            other => panic!("{other:?}"),
        };
        refused(world.plan(address, at(address)).unwrap_err());
        let update = HealthCheckUpdate {
            settings: at(address).settings,
            ..HealthCheckUpdate::default()
        };
        refused(world.update(&made, update).unwrap_err());
    }
    has_rights(&mut world, ProbeRights::Private);
    let private = world.create("private", at("10.0.0.1"));
    assert!(world.plan("own", at("127.0.0.1")).is_err());
    has_rights(&mut world, ProbeRights::Everything);
    world.create("own", at("127.0.0.1"));
    assert!(world.plan("nowhere", at("224.0.0.1")).is_err());
    // What is there stays, and may be changed as long as it stays where it is.
    has_rights(&mut world, ProbeRights::Public);
    let update = |address: &str| HealthCheckUpdate {
        settings: HealthCheckSettings {
            port: Some(81),
            ..at(address).settings
        },
        ..HealthCheckUpdate::default()
    };
    let private = world.update(&private, update("10.0.0.1")).unwrap();
    assert!(world.update(&private, update("10.0.0.2")).is_err());
    world.update(&private, update("8.8.4.4")).unwrap();
}

#[test]
fn the_operators_account_has_every_right() {
    let mut world = World::new();
    let operator = memory::account("111111111111", true);
    world.memory.apply(vec![Effect::PutAccount(operator)]);
    world.create("own", at("127.0.0.1"));
}

fn every(seconds: u8) -> HealthCheckDraft {
    http(HealthCheckSettings {
        request_interval_s: Some(seconds),
        ..HealthCheckSettings::default()
    })
}

fn least_interval(world: &mut World, limit: u64) {
    world.memory.apply(vec![Effect::PutQuota {
        account: own(),
        quota: Quota::HealthCheckInterval,
        limit,
    }]);
}

#[test]
fn intervals_are_as_short_as_the_account_may_have_them() {
    let mut world = World::new();
    let allowed = |world: &mut World| -> Vec<u8> {
        let all = 0..=40;
        all.filter(|s| world.plan(&format!("every {s}"), every(*s)).is_ok())
            .collect()
    };
    assert_eq!(allowed(&mut world), [10, 30]);
    least_interval(&mut world, 3);
    assert_eq!(allowed(&mut world), [3, 4, 5, 10, 30]);
    let often = world.create("often", every(3));
    least_interval(&mut world, 1);
    assert_eq!(allowed(&mut world), [1, 2, 3, 4, 5, 10, 30]);
    least_interval(&mut world, 20);
    assert_eq!(allowed(&mut world), [30]);
    // An update leaves it as it is.
    let update = HealthCheckUpdate {
        settings: HealthCheckSettings {
            port: Some(81),
            ..HealthCheckSettings::default()
        },
        ..HealthCheckUpdate::default()
    };
    let often = world.update(&often, update).unwrap();
    assert_eq!(often.config, {
        let mut config = often.created_with.clone();
        if let HealthSubject::Endpoint(endpoint) = &mut config.subject {
            endpoint.port = 81;
        }
        config
    });
}

#[test]
fn an_operator_sets_the_interval_of_an_endpoint() {
    let mut world = World::new();
    let check = world.create("a", every(30));
    let plan = |world: &World, check, seconds| {
        refusal(plan_set_health_check_interval(
            &world.memory,
            check,
            seconds,
        ))
    };
    assert!(plan(&world, &check, 2).is_err());
    least_interval(&mut world, 1);
    let planned = plan(&world, &check, 2).unwrap();
    assert_eq!((planned.check.version, planned.effects.len()), (2, 1));
    assert_eq!(planned.check.created_with, check.config);
    assert!(plan(&world, &check, 7).is_err());
    let parent = world.create("b", calculated(1, &[&check]));
    assert!(plan(&world, &parent, 10).is_err());
}
