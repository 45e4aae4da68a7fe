//! Health checks: what is checked, and where its outcome has its place. Probing is no business of
//! this crate.

mod draft;
mod region;
mod routing_control;
mod standing;
mod standings;
mod switch;

use std::net::IpAddr;

use crate::id::{AccountId, HealthCheckId};

pub use draft::{AlarmDraft, HealthCheckDraft, HealthCheckSettings, ResetElement};
pub(crate) use draft::{INTERVALS_S, no_child, no_interval};
pub use region::{ALARM_REGIONS, CheckerRegion};
pub use routing_control::{ControlState, RoutingControl, is_routing_control};
pub use standing::{Reason, Standing};
pub use standings::Standings;
pub use switch::{BreakGlass, Health, HealthSwitch, MAX_BREAK_GLASS_MS, check_reason};

/// A health check as it is stored and echoed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// A lower-case UUID.
    pub id: HealthCheckId,
    /// The owner.
    pub account: AccountId,
    /// What the request that made it was marked with; used up for ever.
    pub caller_reference: String,
    /// 1 when it is made; one more with each update.
    pub version: u64,
    /// What it is now.
    pub config: HealthCheckConfig,
    /// What it was when it was made: the same request again is told by it from another one.
    pub created_with: HealthCheckConfig,
    /// Where its outcome stands.
    pub slot: HealthSlot,
}

/// A check's place in the tables of outcomes. They are read and sent as bits by place, so a place
/// that was another check's before says so by its incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HealthSlot {
    /// The place: the smallest that was free when the check was made.
    pub slot: u32,
    /// Which check it is that has this place: 1 for the first.
    pub incarnation: u32,
}

/// What is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckConfig {
    /// The outcome is turned round.
    pub inverted: bool,
    /// Nothing is checked, and the outcome is healthy before it is turned round.
    pub disabled: bool,
    /// By what it is decided.
    pub subject: HealthSubject,
}

/// By what the outcome of a check is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthSubject {
    /// By probes.
    Endpoint(Endpoint),
    /// By other checks of the account.
    Calculated {
        /// How many of them have to be healthy, 0 to 256.
        threshold: u16,
        /// At most 256, each once.
        children: Vec<HealthCheckId>,
    },
    /// By an alarm on a metric.
    Metric {
        /// The alarm's region.
        region: String,
        /// The alarm's name.
        name: String,
        /// The outcome as long as the metric says nothing.
        without_data: WithoutData,
    },
    /// By a routing control of this ARN.
    RoutingControl(String),
}

/// What is probed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where; without one the domain name is looked up. One of the two is there.
    pub ip_address: Option<IpAddr>,
    /// As it was submitted: what is looked up, and told to the endpoint.
    pub domain_name: Option<String>,
    /// 1 to 65535.
    pub port: u16,
    /// As it was submitted.
    pub path: Option<String>,
    /// What the answer has to contain.
    pub search_string: Option<String>,
    /// 10 or 30; 1 to 5 by an operator's leave.
    pub request_interval_s: u8,
    /// How many results in a row turn a checker's mind, 1 to 10.
    pub failure_threshold: u8,
    /// Whether times are measured.
    pub measure_latency: bool,
    /// Whether the domain name is told when TLS begins.
    pub enable_sni: bool,
    /// From where; empty is from everywhere.
    pub regions: Vec<CheckerRegion>,
}

/// What an endpoint is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum Protocol {
    Http,
    Https,
    Tcp,
}

/// `InsufficientDataHealthStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithoutData {
    /// Healthy.
    Healthy,
    /// Unhealthy.
    Unhealthy,
    /// As it was when there was data; healthy if there never was.
    LastKnown,
}

/// `HealthCheckType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum HealthCheckType {
    Http,
    Https,
    HttpStrMatch,
    HttpsStrMatch,
    Tcp,
    Calculated,
    CloudWatchMetric,
    RecoveryControl,
}

impl HealthCheckConfig {
    /// `Type`.
    pub const fn check_type(&self) -> HealthCheckType {
        match &self.subject {
            HealthSubject::Endpoint(endpoint) => {
                match (endpoint.protocol, endpoint.search_string.is_some()) {
                    (Protocol::Http, false) => HealthCheckType::Http,
                    (Protocol::Http, true) => HealthCheckType::HttpStrMatch,
                    (Protocol::Https, false) => HealthCheckType::Https,
                    (Protocol::Https, true) => HealthCheckType::HttpsStrMatch,
                    (Protocol::Tcp, _) => HealthCheckType::Tcp,
                }
            }
            HealthSubject::Calculated { .. } => HealthCheckType::Calculated,
            HealthSubject::Metric { .. } => HealthCheckType::CloudWatchMetric,
            HealthSubject::RoutingControl(_) => HealthCheckType::RecoveryControl,
        }
    }

    /// The checks that decide it, if it is a calculated one.
    pub fn children(&self) -> &[HealthCheckId] {
        match &self.subject {
            HealthSubject::Calculated { children, .. } => children,
            _ => &[],
        }
    }
}

impl HealthCheckType {
    /// All of them, in the order of the API's enumeration.
    pub const ALL: [Self; 8] = [
        Self::Http,
        Self::Https,
        Self::HttpStrMatch,
        Self::HttpsStrMatch,
        Self::Tcp,
        Self::Calculated,
        Self::CloudWatchMetric,
        Self::RecoveryControl,
    ];

    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::HttpStrMatch => "HTTP_STR_MATCH",
            Self::HttpsStrMatch => "HTTPS_STR_MATCH",
            Self::Tcp => "TCP",
            Self::Calculated => "CALCULATED",
            Self::CloudWatchMetric => "CLOUDWATCH_METRIC",
            Self::RecoveryControl => "RECOVERY_CONTROL",
        }
    }
}

impl WithoutData {
    /// All of them, in the order of the API's enumeration.
    pub const ALL: [Self; 3] = [Self::Healthy, Self::Unhealthy, Self::LastKnown];

    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Unhealthy => "Unhealthy",
            Self::LastKnown => "LastKnownStatus",
        }
    }
}
