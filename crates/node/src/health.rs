//! The outcomes of health checks in the words that people are told them in.

use meridian_model::{Endpoint, HealthCheck, HealthSubject, Protocol, Reason, Standing};

/// Why a check stands as it does, in a few words. Who switched it said this.
pub(crate) fn why(check: &HealthCheck, standing: &Standing, said: &str) -> String {
    let why = match standing.reason {
        Reason::BreakGlass => format!("break-glass{said}"),
        Reason::Switched => format!("switch{said}"),
        Reason::Disabled => "disabled".to_owned(),
        Reason::Children { healthy, threshold } => {
            let children = check.config.children().len();
            format!("{healthy} of {children} children are healthy, {threshold} needed")
        }
        Reason::RoutingControl if standing.health.is_healthy() != standing.turned_round => {
            "routing control on".to_owned()
        }
        Reason::RoutingControl => "routing control off".to_owned(),
        Reason::UnturnedControl => "routing control off, never turned".to_owned(),
        Reason::Observed => format!("observed{said}"),
        Reason::WithoutData => "no data".to_owned(),
        Reason::Unobserved => "nothing observed yet".to_owned(),
    };
    if standing.turned_round {
        format!("{why}; inverted")
    } else {
        why
    }
}

/// What is checked, in a few words.
pub(crate) fn subject(check: &HealthCheck) -> String {
    match &check.config.subject {
        HealthSubject::Endpoint(endpoint) => target(endpoint),
        HealthSubject::Calculated { children, .. } => format!("{} health checks", children.len()),
        HealthSubject::Metric { region, name, .. } => format!("alarm {name} in {region}"),
        HealthSubject::RoutingControl(arn) => arn.clone(),
    }
}

fn target(endpoint: &Endpoint) -> String {
    let scheme = match endpoint.protocol {
        Protocol::Http => "http",
        Protocol::Https => "https",
        Protocol::Tcp => "tcp",
    };
    let host = match (&endpoint.ip_address, &endpoint.domain_name) {
        (Some(address), _) if address.is_ipv6() => format!("[{address}]"),
        (Some(address), _) => address.to_string(),
        (None, name) => name.clone().unwrap_or_default(),
    };
    let path = endpoint.path.as_deref().unwrap_or_default();
    let slash = if path.is_empty() || path.starts_with('/') {
        ""
    } else {
        "/"
    };
    format!("{scheme}://{host}:{}{slash}{path}", endpoint.port)
}
