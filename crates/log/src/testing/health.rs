//! Health checks and what is said of them.

use super::*;

pub(crate) fn health_check_id() -> impl Strategy<Value = HealthCheckId> {
    select(vec!["1", "2", "22", "3"]).prop_map(|id| HealthCheckId::new(id).expect("digits"))
}

/// Few places, so that checks come to take each other's.
pub(super) fn health_check() -> impl Strategy<Value = HealthCheck> {
    let slot = (prop_oneof![9 => 0..4u32, 1 => any::<u32>()], any::<u32>());
    let configs = (health_config(), option::of(health_config()));
    let version = prop_oneof![Just(1), any::<u64>()];
    let marks = (text(), version, slot);
    (health_check_id(), account_id(), configs, marks).prop_map(
        |(id, account, (config, created_with), (caller_reference, version, slot))| HealthCheck {
            id,
            account,
            caller_reference,
            version,
            created_with: created_with.unwrap_or_else(|| config.clone()),
            config,
            slot: HealthSlot {
                slot: slot.0,
                incarnation: slot.1,
            },
        },
    )
}

pub(super) fn health_config() -> impl Strategy<Value = HealthCheckConfig> {
    let children = prop::collection::vec(health_check_id(), 0..3);
    let metric = (text(), text(), select(WithoutData::ALL.to_vec()));
    let subject = prop_oneof![
        endpoint().prop_map(HealthSubject::Endpoint),
        (any::<u16>(), children).prop_map(|(threshold, mut children)| {
            children.dedup();
            HealthSubject::Calculated {
                threshold,
                children,
            }
        }),
        metric.prop_map(|(region, name, without_data)| HealthSubject::Metric {
            region,
            name,
            without_data,
        }),
        text().prop_map(HealthSubject::RoutingControl),
    ];
    (any::<bool>(), any::<bool>(), subject).prop_map(|(inverted, disabled, subject)| {
        HealthCheckConfig {
            inverted,
            disabled,
            subject,
        }
    })
}

pub(super) fn endpoint() -> impl Strategy<Value = Endpoint> {
    let protocol = select(vec![Protocol::Http, Protocol::Https, Protocol::Tcp]);
    let target = (option::of(any::<std::net::IpAddr>()), option::of(text()));
    let texts = (any::<u16>(), option::of(text()), option::of(text()));
    let region = text().prop_map(|name| CheckerRegion::stored(&name));
    let ways = (any::<[u8; 2]>(), any::<[bool; 2]>());
    let ways = (ways, prop::collection::vec(region, 0..3));
    (protocol, target, texts, ways).prop_map(
        |(
            protocol,
            (ip_address, domain_name),
            (port, path, search_string),
            ((numbers, flags), regions),
        )| {
            Endpoint {
                protocol,
                ip_address,
                domain_name,
                port,
                path,
                search_string,
                request_interval_s: numbers[0],
                failure_threshold: numbers[1],
                measure_latency: flags[0],
                enable_sni: flags[1],
                regions,
            }
        },
    )
}

pub(super) fn routing_control() -> impl Strategy<Value = RoutingControl> {
    let arn = select(vec!["arn:1", "arn:12", "arn:2"]);
    let state = select(vec![ControlState::On, ControlState::Off]);
    (arn, state, text(), time()).prop_map(|(arn, state, principal, at)| RoutingControl {
        arn: arn.to_owned(),
        state,
        principal,
        at,
    })
}

pub(super) fn health_switch() -> impl Strategy<Value = HealthSwitch> {
    let health = select(vec![Health::Healthy, Health::Unhealthy]);
    (health_check_id(), health, text(), text(), time()).prop_map(
        |(check, health, reason, principal, at)| HealthSwitch {
            check,
            health,
            reason,
            principal,
            at,
        },
    )
}
