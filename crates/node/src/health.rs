//! The outcomes of health checks at this node, as people are told of them.

use meridian_log::{ReadError, Snapshot};
use meridian_model::{
    BreakGlass, Endpoint, HealthCheck, HealthSubject, HealthSwitch, Observed, Protocol, Reason,
    Standing, Timestamp, standings,
};

use crate::checkers::Findings;

/// All checks, with their outcomes in the same order, and the switches that are in the journal.
pub(crate) struct Outcomes {
    pub(crate) checks: Vec<HealthCheck>,
    pub(crate) standings: Vec<Standing>,
    pub(crate) switches: Vec<HealthSwitch>,
}

/// The outcomes by what the tables hold, this node was handed directly, and checkers found.
pub(crate) fn outcomes(
    snapshot: &Snapshot,
    break_glass: &[BreakGlass],
    findings: &Findings,
    now: Timestamp,
) -> Result<Outcomes, ReadError> {
    let checks = snapshot.health_checks()?;
    let switches = snapshot.health_switches()?;
    let controls = snapshot.routing_controls()?;
    let observed = Observed {
        switches: &switches,
        break_glass,
        now,
        controls: &controls,
        votes: &findings.votes,
    };
    let standings = standings(&checks, &observed);
    Ok(Outcomes {
        checks,
        standings,
        switches,
    })
}

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
