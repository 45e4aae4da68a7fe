//! Updates: what they change, and what they cannot be.

use super::*;

#[test]
fn an_update_changes_what_it_names_and_raises_the_version() {
    let mut world = World::new();
    let first = world.create(
        "r",
        http(HealthCheckSettings {
            ip_address: Some("192.0.2.1".to_owned()),
            resource_path: Some("/up".to_owned()),
            ..HealthCheckSettings::default()
        }),
    );
    let update = HealthCheckUpdate {
        version: Some(1),
        settings: HealthCheckSettings {
            ip_address: Some("192.0.2.2".to_owned()),
            inverted: Some(true),
            ..HealthCheckSettings::default()
        },
        reset: vec![
            ResetElement::ResourcePath,
            ResetElement::FullyQualifiedDomainName,
        ],
    };
    let second = world.update(&first, update.clone()).unwrap();
    let HealthSubject::Endpoint(endpoint) = &second.config.subject else {
        panic!("an endpoint")
    };
    assert_eq!(endpoint.ip_address, Some([192, 0, 2, 2].into()));
    assert_eq!((&endpoint.path, &endpoint.domain_name), (&None, &None));
    assert_eq!((second.version, second.config.inverted), (2, true));
    assert_eq!(second.slot, first.slot);
    assert_eq!(
        world.update(&second, update),
        Err(HealthCheckRefusal::VersionMismatch(2))
    );
    let third = world.update(&second, HealthCheckUpdate::default()).unwrap();
    assert_eq!((third.version, &third.config), (3, &second.config));
}

#[test]
fn an_update_that_cannot_be_is_refused() {
    let mut world = World::new();
    let named = world.create("r", http(HealthCheckSettings::default()));
    let settings = HealthCheckSettings::default;
    let with = |settings| HealthCheckUpdate {
        settings,
        ..HealthCheckUpdate::default()
    };
    let reset = |element| HealthCheckUpdate {
        reset: vec![element],
        ..HealthCheckUpdate::default()
    };
    for (update, text) in [
        (
            with(HealthCheckSettings {
                ip_address: Some("192.0.2.1".to_owned()),
                ..settings()
            }),
            "cannot be added",
        ),
        (
            with(HealthCheckSettings {
                search_string: Some("x".to_owned()),
                ..settings()
            }),
            "not string match",
        ),
        (
            with(HealthCheckSettings {
                health_threshold: Some(1),
                ..settings()
            }),
            "must not have a health threshold",
        ),
        (
            reset(ResetElement::FullyQualifiedDomainName),
            "must have an IP address or",
        ),
        (
            HealthCheckUpdate {
                settings: HealthCheckSettings {
                    resource_path: Some("/".to_owned()),
                    ..settings()
                },
                ..reset(ResetElement::ResourcePath)
            },
            "ResourcePath cannot be set and reset",
        ),
    ] {
        match world.update(&named, update) {
            Err(HealthCheckRefusal::Invalid(said)) => assert!(said.contains(text), "{said}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}
