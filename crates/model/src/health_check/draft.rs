//! A check as a request describes it, and what it becomes: everything that can be wrong with it
//! without looking at other checks is found here.

use std::net::IpAddr;

use meridian_dns::Name;

use super::{
    CheckerRegion, Endpoint, HealthCheckConfig, HealthCheckType, HealthSubject, Protocol,
    WithoutData, is_routing_control,
};
use crate::egress::{AddressRange, ProbeRights};
use crate::id::HealthCheckId;

/// `HealthCheckConfig` as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckDraft {
    /// `Type`.
    pub check_type: HealthCheckType,
    /// The rest.
    pub settings: HealthCheckSettings,
}

/// What a request says about a check. In an update, what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthCheckSettings {
    /// `IPAddress`.
    pub ip_address: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `ResourcePath`.
    pub resource_path: Option<String>,
    /// `FullyQualifiedDomainName`.
    pub domain_name: Option<String>,
    /// `SearchString`.
    pub search_string: Option<String>,
    /// `RequestInterval`; cannot be updated.
    pub request_interval_s: Option<u8>,
    /// `FailureThreshold`.
    pub failure_threshold: Option<u8>,
    /// `MeasureLatency`; cannot be updated.
    pub measure_latency: Option<bool>,
    /// `Inverted`.
    pub inverted: Option<bool>,
    /// `Disabled`.
    pub disabled: Option<bool>,
    /// `HealthThreshold`.
    pub health_threshold: Option<u16>,
    /// `ChildHealthChecks`.
    pub children: Option<Vec<String>>,
    /// `EnableSNI`.
    pub enable_sni: Option<bool>,
    /// `Regions`.
    pub regions: Option<Vec<CheckerRegion>>,
    /// `AlarmIdentifier`.
    pub alarm: Option<AlarmDraft>,
    /// `InsufficientDataHealthStatus`.
    pub without_data: Option<WithoutData>,
    /// `RoutingControlArn`; cannot be updated.
    pub routing_control: Option<String>,
}

/// `AlarmIdentifier`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmDraft {
    /// `Region`.
    pub region: String,
    /// `Name`.
    pub name: String,
}

/// `ResettableElementName`: what an update gives its default back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum ResetElement {
    FullyQualifiedDomainName,
    Regions,
    ResourcePath,
    ChildHealthChecks,
}

/// The fewest regions that an endpoint is probed from.
const MIN_REGIONS: usize = 3;
/// The most children of a calculated check.
const MAX_CHILDREN: usize = 256;
/// The highest threshold of a calculated check.
const MAX_HEALTH_THRESHOLD: u16 = 256;

impl ResetElement {
    /// All of them, in the order of the API's enumeration.
    pub const ALL: [Self; 4] = [
        Self::FullyQualifiedDomainName,
        Self::Regions,
        Self::ResourcePath,
        Self::ChildHealthChecks,
    ];

    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullyQualifiedDomainName => "FullyQualifiedDomainName",
            Self::Regions => "Regions",
            Self::ResourcePath => "ResourcePath",
            Self::ChildHealthChecks => "ChildHealthChecks",
        }
    }
}

impl HealthCheckDraft {
    /// The draft that gives this configuration.
    pub fn of(config: &HealthCheckConfig) -> Self {
        let mut settings = HealthCheckSettings {
            inverted: Some(config.inverted),
            disabled: Some(config.disabled),
            ..HealthCheckSettings::default()
        };
        match &config.subject {
            HealthSubject::Endpoint(endpoint) => settings.describe(endpoint),
            HealthSubject::Calculated {
                threshold,
                children,
            } => {
                settings.health_threshold = Some(*threshold);
                settings.children = Some(children.iter().map(ToString::to_string).collect());
            }
            HealthSubject::Metric {
                region,
                name,
                without_data,
            } => {
                settings.alarm = Some(AlarmDraft {
                    region: region.clone(),
                    name: name.clone(),
                });
                settings.without_data = Some(*without_data);
            }
            HealthSubject::RoutingControl(arn) => settings.routing_control = Some(arn.clone()),
        }
        Self {
            check_type: config.check_type(),
            settings,
        }
    }

    /// The configuration, or what is wrong with it: the text of an `InvalidInput`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn into_config(self) -> Result<HealthCheckConfig, String> {
        let Self {
            check_type,
            mut settings,
        } = self;
        let settings = &mut settings;
        let subject = match check_type {
            HealthCheckType::Http
            | HealthCheckType::Https
            | HealthCheckType::HttpStrMatch
            | HealthCheckType::HttpsStrMatch
            | HealthCheckType::Tcp => HealthSubject::Endpoint(settings.endpoint(check_type)?),
            HealthCheckType::Calculated => settings.calculated()?,
            HealthCheckType::CloudWatchMetric => settings.metric()?,
            HealthCheckType::RecoveryControl => settings.routing_control()?,
        };
        Ok(HealthCheckConfig {
            inverted: settings.inverted.unwrap_or(false),
            disabled: settings.disabled.unwrap_or(false),
            subject,
        })
    }
}

impl HealthCheckSettings {
    fn describe(&mut self, endpoint: &Endpoint) {
        self.ip_address = endpoint.ip_address.map(|address| address.to_string());
        self.port = Some(endpoint.port);
        self.resource_path.clone_from(&endpoint.path);
        self.domain_name.clone_from(&endpoint.domain_name);
        self.search_string.clone_from(&endpoint.search_string);
        self.request_interval_s = Some(endpoint.request_interval_s);
        self.failure_threshold = Some(endpoint.failure_threshold);
        self.measure_latency = Some(endpoint.measure_latency);
        self.enable_sni = Some(endpoint.enable_sni);
        let regions = Some(&endpoint.regions).filter(|regions| !regions.is_empty());
        self.regions = regions.cloned();
    }

    /// Takes the values of `newer` where it has some.
    pub(crate) fn overlay(&mut self, newer: Self) {
        fn take<T>(mine: &mut Option<T>, newer: Option<T>) {
            if newer.is_some() {
                *mine = newer;
            }
        }
        take(&mut self.ip_address, newer.ip_address);
        take(&mut self.port, newer.port);
        take(&mut self.resource_path, newer.resource_path);
        take(&mut self.domain_name, newer.domain_name);
        take(&mut self.search_string, newer.search_string);
        take(&mut self.request_interval_s, newer.request_interval_s);
        take(&mut self.failure_threshold, newer.failure_threshold);
        take(&mut self.measure_latency, newer.measure_latency);
        take(&mut self.inverted, newer.inverted);
        take(&mut self.disabled, newer.disabled);
        take(&mut self.health_threshold, newer.health_threshold);
        take(&mut self.children, newer.children);
        take(&mut self.enable_sni, newer.enable_sni);
        take(&mut self.regions, newer.regions);
        take(&mut self.alarm, newer.alarm);
        take(&mut self.without_data, newer.without_data);
        take(&mut self.routing_control, newer.routing_control);
    }

    /// Gives one element its default back.
    pub(crate) fn reset(&mut self, element: ResetElement) {
        match element {
            ResetElement::FullyQualifiedDomainName => self.domain_name = None,
            ResetElement::Regions => self.regions = None,
            ResetElement::ResourcePath => self.resource_path = None,
            ResetElement::ChildHealthChecks => self.children = None,
        }
    }

    fn endpoint(&mut self, check_type: HealthCheckType) -> Result<Endpoint, String> {
        self.refuse_others("Basic", &[Part::Endpoint])?;
        let (protocol, matches) = match check_type {
            HealthCheckType::Https => (Protocol::Https, false),
            HealthCheckType::HttpStrMatch => (Protocol::Http, true),
            HealthCheckType::HttpsStrMatch => (Protocol::Https, true),
            HealthCheckType::Tcp => (Protocol::Tcp, false),
            _ => (Protocol::Http, false),
        };
        let ip_address = self.ip_address.take();
        let ip_address = ip_address.map(|text| address(&text)).transpose()?;
        let domain_name = self.domain_name.take().filter(|name| !name.is_empty());
        match (&ip_address, &domain_name, protocol) {
            (None, None, _) => {
                return invalid(
                    "Basic health checks must have an IP address or a fully qualified domain name \
                     specified.",
                );
            }
            (Some(_), Some(_), Protocol::Tcp) => {
                return Err(
                    "TCP health checks that have IP address must not have a fully qualified \
                     domain name specified."
                        .to_owned(),
                );
            }
            _ => {}
        }
        if let Some(name) = &domain_name {
            check_domain_name(name)?;
        }
        Ok(Endpoint {
            protocol,
            ip_address,
            domain_name,
            port: self.port(protocol)?,
            path: self.path(protocol)?,
            search_string: self.search_string(matches)?,
            request_interval_s: self.request_interval()?,
            failure_threshold: self.failure_threshold()?,
            measure_latency: self.measure_latency.unwrap_or(false),
            enable_sni: self.enable_sni.unwrap_or(protocol == Protocol::Https),
            regions: self.regions()?,
        })
    }

    fn port(&self, protocol: Protocol) -> Result<u16, String> {
        match (self.port, protocol) {
            (Some(0), _) => invalid("The port must be 1 to 65535."),
            (Some(port), _) => Ok(port),
            (None, Protocol::Http) => Ok(80),
            (None, Protocol::Https) => Ok(443),
            (None, Protocol::Tcp) => invalid("TCP health checks must have a port specified."),
        }
    }

    fn path(&mut self, protocol: Protocol) -> Result<Option<String>, String> {
        let Some(path) = self.resource_path.take().filter(|path| !path.is_empty()) else {
            return Ok(None);
        };
        if protocol == Protocol::Tcp {
            return invalid("TCP health checks must not have a resource path specified.");
        }
        // It is written into the first line of a request as it is.
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return invalid(
                "The resource path must not have blanks or other characters than those of ASCII \
                 in it.",
            );
        }
        Ok(Some(path))
    }

    fn search_string(&mut self, matches: bool) -> Result<Option<String>, String> {
        let text = self.search_string.take().filter(|text| !text.is_empty());
        match (text, matches) {
            (None, true) => {
                invalid("String match health checks must have a search string specified.")
            }
            (Some(_), false) => invalid(
                "Health checks that are not string match health checks must not have a search \
                 string specified.",
            ),
            (text, _) => Ok(text),
        }
    }

    /// Those of less than 10 seconds are an operator's leave, which is asked for elsewhere.
    fn request_interval(&self) -> Result<u8, String> {
        match self.request_interval_s {
            None => Ok(30),
            Some(seconds) if INTERVALS_S.contains(&seconds) => Ok(seconds),
            Some(_) => Err(no_interval(ROUTE_53S_LEAST_S)),
        }
    }

    fn failure_threshold(&self) -> Result<u8, String> {
        match self.failure_threshold {
            None => Ok(3),
            Some(times @ 1..=10) => Ok(times),
            Some(_) => invalid("The failure threshold must be 1 to 10."),
        }
    }

    fn regions(&mut self) -> Result<Vec<CheckerRegion>, String> {
        let Some(regions) = self.regions.take() else {
            return Ok(Vec::new());
        };
        if let Some(twice) = repeated(&regions) {
            return invalid(&format!(
                "The region {} is specified twice.",
                twice.as_str()
            ));
        }
        if regions.len() < MIN_REGIONS {
            return invalid(&format!(
                "Health checks must have at least {MIN_REGIONS} regions specified, or none."
            ));
        }
        Ok(regions)
    }

    fn calculated(&mut self) -> Result<HealthSubject, String> {
        self.refuse_others("Calculated", &[Part::Calculated])?;
        let threshold = match self.health_threshold {
            Some(threshold) if threshold <= MAX_HEALTH_THRESHOLD => threshold,
            Some(_) => {
                return invalid(&format!(
                    "The health threshold must be 0 to {MAX_HEALTH_THRESHOLD}."
                ));
            }
            None => {
                return invalid("Calculated health checks must have a health threshold specified.");
            }
        };
        let children = self.children.take().unwrap_or_default();
        if children.len() > MAX_CHILDREN {
            return invalid(&format!(
                "Calculated health checks must not have more than {MAX_CHILDREN} child health \
                 checks specified."
            ));
        }
        if let Some(twice) = repeated(&children) {
            return invalid(&format!(
                "The child health check {twice} is specified twice."
            ));
        }
        let ids = children.iter().map(|id| {
            HealthCheckId::new(id).map_err(|_| format!("Invalid parameter : {}", no_child(id)))
        });
        Ok(HealthSubject::Calculated {
            threshold,
            children: ids.collect::<Result<_, _>>()?,
        })
    }

    fn metric(&mut self) -> Result<HealthSubject, String> {
        self.refuse_others("Metric", &[Part::Metric])?;
        let Some(AlarmDraft { region, name }) = self.alarm.take() else {
            return invalid("Metric health checks must have an alarm identifier specified.");
        };
        Ok(HealthSubject::Metric {
            region,
            name,
            without_data: self.without_data.unwrap_or(WithoutData::LastKnown),
        })
    }

    fn routing_control(&mut self) -> Result<HealthSubject, String> {
        self.refuse_others("Recovery control", &[Part::RoutingControl])?;
        let Some(arn) = self.routing_control.take() else {
            return invalid(
                "Recovery control health checks must have a routing control ARN specified.",
            );
        };
        if !is_routing_control(&arn) {
            return invalid("The ARN is not that of a routing control.");
        }
        Ok(HealthSubject::RoutingControl(arn))
    }

    /// Refuses what checks of this kind do not have.
    fn refuse_others(&self, kind: &str, own: &[Part]) -> Result<(), String> {
        let given = [
            (Part::Endpoint, "an IP address", self.ip_address.is_some()),
            (Part::Endpoint, "a port", self.port.is_some()),
            (
                Part::Endpoint,
                "a fully qualified domain name",
                self.domain_name.is_some(),
            ),
            (
                Part::Endpoint,
                "a resource path",
                self.resource_path.is_some(),
            ),
            (
                Part::Endpoint,
                "a search string",
                self.search_string.is_some(),
            ),
            (
                Part::Endpoint,
                "a request interval",
                self.request_interval_s.is_some(),
            ),
            (
                Part::Endpoint,
                "a failure threshold",
                self.failure_threshold.is_some(),
            ),
            // To say that they have none of it is no contradiction.
            (
                Part::Endpoint,
                "latency measurement",
                self.measure_latency == Some(true),
            ),
            (Part::Endpoint, "SNI", self.enable_sni == Some(true)),
            (Part::Endpoint, "regions", self.regions.is_some()),
            (
                Part::Calculated,
                "a health threshold",
                self.health_threshold.is_some(),
            ),
            (
                Part::Calculated,
                "child health checks",
                self.children.is_some(),
            ),
            // Route 53's own words, with its own grammar.
            (Part::Metric, "an metric region", self.alarm.is_some()),
            (
                Part::Metric,
                "an insufficient data health status",
                self.without_data.is_some(),
            ),
            (
                Part::RoutingControl,
                "a routing control ARN",
                self.routing_control.is_some(),
            ),
        ];
        for (part, what, is_given) in given {
            if is_given && !own.contains(&part) {
                return invalid(&format!(
                    "{kind} health checks must not have {what} specified."
                ));
            }
        }
        Ok(())
    }
}

/// Which kinds of checks have a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Endpoint,
    Calculated,
    Metric,
    RoutingControl,
}

/// What is said of a child that the account does not have.
pub(crate) fn no_child(id: &str) -> String {
    format!("The child health check {id} does not exist.")
}

/// The intervals that there are, of which accounts may have those from some least one on.
pub(crate) const INTERVALS_S: [u8; 7] = [1, 2, 3, 4, 5, 10, 30];
const ROUTE_53S_LEAST_S: u64 = 10;

/// What is said of an interval that an account cannot have, with those that it can.
pub(crate) fn no_interval(least_s: u64) -> String {
    let mut others = INTERVALS_S.map(u64::from).to_vec();
    let longest = others.pop().unwrap_or_default();
    others.retain(|seconds| *seconds >= least_s);
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    let or = if others.is_empty() { "" } else { " or " };
    format!(
        "Invalid parameter : The request interval must be {}{or}{longest}.",
        others.join(", ")
    )
}

fn invalid<T>(text: &str) -> Result<T, String> {
    Err(format!("Invalid parameter : {text}"))
}

/// An address that something can listen at. Which of them may be probed is not decided here: it
/// depends on the rights of the account at that time.
fn address(text: &str) -> Result<IpAddr, String> {
    let Ok(address) = text.parse::<IpAddr>() else {
        return invalid(&format!("The IP address {text} is not valid."));
    };
    if !ProbeRights::Everything.allow(AddressRange::of(address)) {
        return invalid(&format!(
            "The IP address {text} is not that of an endpoint."
        ));
    }
    Ok(address)
}

/// Whether it can be looked up, and written into the head of a request. What is an IPv4 address can:
/// beside an `IPAddress` it is the `Host` header, for which Route 53 takes such an address itself
/// where nothing else is said, and alone it is a name that DNS does not know, so that nothing is
/// probed. That Route 53 refuses it nobody has told.
fn check_domain_name(text: &str) -> Result<(), String> {
    let in_hosts = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = Name::parse(text).is_ok_and(|name| !name.is_root());
    if text.bytes().all(in_hosts) && is_name {
        return Ok(());
    }
    invalid(&format!(
        "The fully qualified domain name {text} is not valid."
    ))
}

fn repeated<T: PartialEq>(items: &[T]) -> Option<&T> {
    let mut earlier = items.iter().enumerate();
    earlier.find_map(|(at, item)| items[..at].contains(item).then_some(item))
}
