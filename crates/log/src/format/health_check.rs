//! The stored form of health checks, of their places and of what people say of them.

use std::net::IpAddr;

use meridian_model::{
    CheckerRegion, ControlState, Endpoint, Health, HealthCheck, HealthCheckConfig, HealthCheckId,
    HealthSlot, HealthSubject, HealthSwitch, Protocol, RoutingControl, Timestamp, WithoutData,
};
use prost::{Message, Oneof};

use super::zone::{address, octets};
use super::{DecodeError, Stored, account_id, required};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HealthCheckMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(string, tag = "3")]
    caller_reference: String,
    #[prost(uint64, tag = "4")]
    version: u64,
    #[prost(message, optional, tag = "5")]
    config: Option<ConfigMessage>,
    /// Absent when it is what the check is now.
    #[prost(message, optional, tag = "6")]
    created_with: Option<ConfigMessage>,
    #[prost(uint32, tag = "7")]
    slot: u32,
    #[prost(uint32, tag = "8")]
    incarnation: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ConfigMessage {
    #[prost(bool, tag = "1")]
    inverted: bool,
    #[prost(bool, tag = "2")]
    disabled: bool,
    #[prost(oneof = "SubjectMessage", tags = "3, 4, 5, 6")]
    subject: Option<SubjectMessage>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum SubjectMessage {
    #[prost(message, tag = "3")]
    Endpoint(EndpointMessage),
    #[prost(message, tag = "4")]
    Calculated(CalculatedMessage),
    #[prost(message, tag = "5")]
    Metric(MetricMessage),
    #[prost(string, tag = "6")]
    RoutingControl(String),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EndpointMessage {
    /// 1 HTTP, 2 HTTPS, 3 TCP.
    #[prost(uint32, tag = "1")]
    protocol: u32,
    /// Four or sixteen bytes, or none.
    #[prost(bytes = "vec", tag = "2")]
    ip_address: Vec<u8>,
    #[prost(string, optional, tag = "3")]
    domain_name: Option<String>,
    #[prost(uint32, tag = "4")]
    port: u32,
    #[prost(string, optional, tag = "5")]
    path: Option<String>,
    #[prost(string, optional, tag = "6")]
    search_string: Option<String>,
    #[prost(uint32, tag = "7")]
    request_interval_s: u32,
    #[prost(uint32, tag = "8")]
    failure_threshold: u32,
    #[prost(bool, tag = "9")]
    measure_latency: bool,
    #[prost(bool, tag = "10")]
    enable_sni: bool,
    #[prost(string, repeated, tag = "11")]
    regions: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CalculatedMessage {
    #[prost(uint32, tag = "1")]
    threshold: u32,
    #[prost(string, repeated, tag = "2")]
    children: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricMessage {
    #[prost(string, tag = "1")]
    region: String,
    #[prost(string, tag = "2")]
    name: String,
    /// The API's word.
    #[prost(string, tag = "3")]
    without_data: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RoutingControlMessage {
    #[prost(string, tag = "1")]
    arn: String,
    #[prost(string, tag = "2")]
    state: String,
    #[prost(string, tag = "3")]
    principal: String,
    #[prost(int64, tag = "4")]
    at: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HealthSwitchMessage {
    #[prost(string, tag = "1")]
    check: String,
    #[prost(string, tag = "2")]
    health: String,
    #[prost(string, tag = "3")]
    reason: String,
    #[prost(string, tag = "4")]
    principal: String,
    #[prost(int64, tag = "5")]
    at: i64,
}

/// A place with the last check that had it. Rows stay for ever, so that incarnations rise.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HealthSlotRow {
    #[prost(uint32, tag = "1")]
    pub(crate) incarnation: u32,
    /// Empty while nobody has it.
    #[prost(string, tag = "2")]
    pub(crate) check: String,
}

impl Stored for HealthCheck {
    type Message = HealthCheckMessage;

    fn to_message(&self) -> HealthCheckMessage {
        let created_with = (self.created_with != self.config).then_some(&self.created_with);
        HealthCheckMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            caller_reference: self.caller_reference.clone(),
            version: self.version,
            config: Some(self.config.to_message()),
            created_with: created_with.map(Stored::to_message),
            slot: self.slot.slot,
            incarnation: self.slot.incarnation,
        }
    }

    fn from_message(message: HealthCheckMessage) -> Result<Self, DecodeError> {
        let config = HealthCheckConfig::from_message(required(message.config, "config")?)?;
        let created_with = message.created_with.map(Stored::from_message);
        Ok(Self {
            id: health_check_id(&message.id)?,
            account: account_id(&message.account)?,
            caller_reference: message.caller_reference,
            version: message.version,
            created_with: created_with.unwrap_or_else(|| Ok(config.clone()))?,
            config,
            slot: HealthSlot {
                slot: message.slot,
                incarnation: message.incarnation,
            },
        })
    }
}

impl Stored for HealthCheckConfig {
    type Message = ConfigMessage;

    fn to_message(&self) -> ConfigMessage {
        let subject = match &self.subject {
            HealthSubject::Endpoint(endpoint) => SubjectMessage::Endpoint(endpoint.to_message()),
            HealthSubject::Calculated {
                threshold,
                children,
            } => SubjectMessage::Calculated(CalculatedMessage {
                threshold: (*threshold).into(),
                children: children.iter().map(ToString::to_string).collect(),
            }),
            HealthSubject::Metric {
                region,
                name,
                without_data,
            } => SubjectMessage::Metric(MetricMessage {
                region: region.clone(),
                name: name.clone(),
                without_data: without_data.as_str().into(),
            }),
            HealthSubject::RoutingControl(arn) => SubjectMessage::RoutingControl(arn.clone()),
        };
        ConfigMessage {
            inverted: self.inverted,
            disabled: self.disabled,
            subject: Some(subject),
        }
    }

    fn from_message(message: ConfigMessage) -> Result<Self, DecodeError> {
        let subject = match required(message.subject, "subject")? {
            SubjectMessage::Endpoint(it) => HealthSubject::Endpoint(Stored::from_message(it)?),
            SubjectMessage::Calculated(it) => {
                let children = it.children.iter().map(|id| health_check_id(id));
                HealthSubject::Calculated {
                    threshold: small(it.threshold, "threshold")?,
                    children: children.collect::<Result<_, _>>()?,
                }
            }
            SubjectMessage::Metric(it) => {
                let mut known = WithoutData::ALL.into_iter();
                let without_data = known.find(|known| known.as_str() == it.without_data);
                HealthSubject::Metric {
                    region: it.region,
                    name: it.name,
                    without_data: required(without_data, "outcome without data")?,
                }
            }
            SubjectMessage::RoutingControl(arn) => HealthSubject::RoutingControl(arn),
        };
        Ok(Self {
            inverted: message.inverted,
            disabled: message.disabled,
            subject,
        })
    }
}

impl Stored for Endpoint {
    type Message = EndpointMessage;

    fn to_message(&self) -> EndpointMessage {
        let region = |region: &CheckerRegion| region.as_str().to_owned();
        EndpointMessage {
            protocol: match self.protocol {
                Protocol::Http => 1,
                Protocol::Https => 2,
                Protocol::Tcp => 3,
            },
            ip_address: self.ip_address.as_ref().map(octets).unwrap_or_default(),
            domain_name: self.domain_name.clone(),
            port: self.port.into(),
            path: self.path.clone(),
            search_string: self.search_string.clone(),
            request_interval_s: self.request_interval_s.into(),
            failure_threshold: self.failure_threshold.into(),
            measure_latency: self.measure_latency,
            enable_sni: self.enable_sni,
            regions: self.regions.iter().map(region).collect(),
        }
    }

    fn from_message(message: EndpointMessage) -> Result<Self, DecodeError> {
        let protocol = match message.protocol {
            1 => Some(Protocol::Http),
            2 => Some(Protocol::Https),
            3 => Some(Protocol::Tcp),
            _ => None,
        };
        let ip_address: Option<IpAddr> = match message.ip_address.as_slice() {
            [] => None,
            bytes => Some(address(bytes)?),
        };
        let regions = message.regions.iter();
        Ok(Self {
            protocol: required(protocol, "protocol")?,
            ip_address,
            domain_name: message.domain_name,
            port: small(message.port, "port")?,
            path: message.path,
            search_string: message.search_string,
            request_interval_s: small(message.request_interval_s, "request interval")?,
            failure_threshold: small(message.failure_threshold, "failure threshold")?,
            measure_latency: message.measure_latency,
            enable_sni: message.enable_sni,
            regions: regions.map(|name| CheckerRegion::stored(name)).collect(),
        })
    }
}

impl Stored for HealthSwitch {
    type Message = HealthSwitchMessage;

    fn to_message(&self) -> HealthSwitchMessage {
        HealthSwitchMessage {
            check: self.check.as_str().into(),
            health: self.health.as_str().into(),
            reason: self.reason.clone(),
            principal: self.principal.clone(),
            at: self.at.0,
        }
    }

    fn from_message(message: HealthSwitchMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            check: health_check_id(&message.check)?,
            health: required(Health::parse(&message.health), "health")?,
            reason: message.reason,
            principal: message.principal,
            at: Timestamp(message.at),
        })
    }
}

impl Stored for RoutingControl {
    type Message = RoutingControlMessage;

    fn to_message(&self) -> RoutingControlMessage {
        RoutingControlMessage {
            arn: self.arn.clone(),
            state: self.state.as_str().into(),
            principal: self.principal.clone(),
            at: self.at.0,
        }
    }

    fn from_message(message: RoutingControlMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            arn: message.arn,
            state: required(ControlState::parse(&message.state), "routing control")?,
            principal: message.principal,
            at: Timestamp(message.at),
        })
    }
}

pub(crate) fn health_check_id(text: &str) -> Result<HealthCheckId, DecodeError> {
    HealthCheckId::new(text).map_err(|_| DecodeError::Field("health check"))
}

fn small<T: TryFrom<u32>>(number: u32, field: &'static str) -> Result<T, DecodeError> {
    T::try_from(number).map_err(|_| DecodeError::Field(field))
}
