//! `HealthCheck` and `HealthCheckConfig`, read into settings and written from what is stored.

use meridian_control::AlarmConfiguration;
use meridian_model::{
    ALARM_REGIONS, AlarmDraft, CheckerRegion, Endpoint, HealthCheck, HealthCheckConfig,
    HealthCheckDraft, HealthCheckSettings, HealthCheckType, HealthSubject, WithoutData,
};

use crate::xml::Field::{Optional, Required};
use crate::xml::{Document, Element, Field, Fields, TextFacets, XmlError, choose_leaf, list};

/// `HealthCheckId`.
pub(in crate::route53) const HEALTH_CHECK_ID: TextFacets = TextFacets::new("HealthCheckId", 0, 64);
/// `HealthCheckNonce`.
pub(in crate::route53) const HEALTH_CHECK_NONCE: TextFacets =
    TextFacets::new("HealthCheckNonce", 1, 64);

/// What an address may be is the operation's to say.
const IP_ADDRESS: TextFacets = TextFacets::new("IPAddress", 0, 45);
const RESOURCE_PATH: TextFacets = TextFacets::new("ResourcePath", 0, 255);
const DOMAIN_NAME: TextFacets = TextFacets::new("FullyQualifiedDomainName", 0, 255);
const SEARCH_STRING: TextFacets = TextFacets::new("SearchString", 0, 255);
const ALARM_NAME: TextFacets = TextFacets::new("AlarmName", 1, 256);
const ROUTING_CONTROL: TextFacets = TextFacets::new("RoutingControlArn", 1, 255);
/// The most items of `ChildHealthCheckList`.
const MAX_CHILDREN: usize = 256;
/// The most items of `HealthCheckRegionList`.
const MAX_REGIONS: usize = 64;

const CONFIG: [Field; 18] = [
    Optional("IPAddress"),
    Optional("Port"),
    Required("Type"),
    Optional("ResourcePath"),
    Optional("FullyQualifiedDomainName"),
    Optional("SearchString"),
    Optional("RequestInterval"),
    Optional("FailureThreshold"),
    Optional("MeasureLatency"),
    Optional("Inverted"),
    Optional("Disabled"),
    Optional("HealthThreshold"),
    Optional("ChildHealthChecks"),
    Optional("EnableSNI"),
    Optional("Regions"),
    Optional("AlarmIdentifier"),
    Optional("InsufficientDataHealthStatus"),
    Optional("RoutingControlArn"),
];

/// Reads a `<HealthCheckConfig>`. How its fields go together is not looked at here.
pub(crate) fn read_config(element: &Element) -> Result<HealthCheckDraft, XmlError> {
    let fields = Fields::of(element, &CONFIG)?;
    let types = HealthCheckType::ALL.map(|kind| (kind.as_str(), kind));
    let mut settings = read_settings(&fields)?;
    // Less than the 10 seconds of the model is an operator's leave.
    let interval = fields.optional_number("RequestInterval", "RequestInterval", (1, 30))?;
    settings.request_interval_s = interval.and_then(|seconds| u8::try_from(seconds).ok());
    settings.measure_latency = fields.optional_boolean("MeasureLatency")?;
    settings.routing_control = fields.optional_text("RoutingControlArn", &ROUTING_CONTROL)?;
    Ok(HealthCheckDraft {
        check_type: fields.choice("Type", types)?,
        settings,
    })
}

/// Reads the fields that creating and updating have in common.
pub(in crate::route53) fn read_settings(
    fields: &Fields<'_>,
) -> Result<HealthCheckSettings, XmlError> {
    let port = fields.optional_number("Port", "Port", (1, 65_535))?;
    let failures = fields.optional_number("FailureThreshold", "FailureThreshold", (1, 10))?;
    let health = fields.optional_number("HealthThreshold", "HealthThreshold", (0, 256))?;
    let statuses = WithoutData::ALL.map(|status| (status.as_str(), status));
    let alarm = fields.element("AlarmIdentifier").map(read_alarm);
    // An empty one is no address.
    let address = fields.element("IPAddress");
    let address = address.map(|element| IP_ADDRESS.check_leaf(element));
    Ok(HealthCheckSettings {
        ip_address: address.transpose()?,
        port: port.and_then(|port| u16::try_from(port).ok()),
        resource_path: fields.optional_text("ResourcePath", &RESOURCE_PATH)?,
        domain_name: fields.optional_text("FullyQualifiedDomainName", &DOMAIN_NAME)?,
        search_string: fields.optional_text("SearchString", &SEARCH_STRING)?,
        failure_threshold: failures.and_then(|times| u8::try_from(times).ok()),
        inverted: fields.optional_boolean("Inverted")?,
        disabled: fields.optional_boolean("Disabled")?,
        health_threshold: health.and_then(|number| u16::try_from(number).ok()),
        children: read_children(fields)?,
        enable_sni: fields.optional_boolean("EnableSNI")?,
        regions: read_regions(fields)?,
        alarm: alarm.transpose()?,
        without_data: fields.optional_choice("InsufficientDataHealthStatus", statuses)?,
        ..HealthCheckSettings::default()
    })
}

/// The items of a list, if it is there; no more than there may be.
pub(in crate::route53) fn items<'a>(
    fields: &Fields<'a>,
    name: &str,
    item: &'static str,
    most: usize,
) -> Result<Option<&'a [Element]>, XmlError> {
    let Some(element) = fields.element(name) else {
        return Ok(None);
    };
    let items = list(element, item)?;
    match items.get(most) {
        Some(beyond) => fields.unexpected(&beyond.name, &[]),
        None => Ok(Some(items)),
    }
}

fn read_children(fields: &Fields<'_>) -> Result<Option<Vec<String>>, XmlError> {
    let children = items(
        fields,
        "ChildHealthChecks",
        "ChildHealthCheck",
        MAX_CHILDREN,
    )?;
    let ids = children.map(|children| {
        let ids = children.iter().map(|id| HEALTH_CHECK_ID.check_leaf(id));
        ids.collect::<Result<_, _>>()
    });
    ids.transpose()
}

fn read_regions(fields: &Fields<'_>) -> Result<Option<Vec<CheckerRegion>>, XmlError> {
    let regions = items(fields, "Regions", "Region", MAX_REGIONS)?;
    let known =
        || CheckerRegion::known().filter_map(|name| Some((name, CheckerRegion::new(name)?)));
    let read = |element: &Element| choose_leaf(element, known());
    regions
        .map(|regions| regions.iter().map(read).collect())
        .transpose()
}

fn read_alarm(element: &Element) -> Result<AlarmDraft, XmlError> {
    let fields = Fields::of(element, &[Required("Region"), Required("Name")])?;
    let region = fields.choice("Region", ALARM_REGIONS.map(|name| (name, name)))?;
    Ok(AlarmDraft {
        region: region.to_owned(),
        name: fields.text("Name", &ALARM_NAME)?,
    })
}

/// Writes `<HealthCheck>`, with the alarm that it goes by.
pub(in crate::route53) fn health_check(
    doc: &mut Document,
    check: &HealthCheck,
    alarm: Option<&AlarmConfiguration>,
) {
    doc.element("HealthCheck", |doc| {
        doc.text("Id", &check.id);
        doc.text("CallerReference", &check.caller_reference);
        doc.element("HealthCheckConfig", |doc| {
            health_check_config(doc, &check.config);
        });
        doc.text("HealthCheckVersion", check.version);
        if let Some(alarm) = alarm {
            doc.element("CloudWatchAlarmConfiguration", |doc| {
                configuration(doc, alarm);
            });
        }
    });
}

fn configuration(doc: &mut Document, alarm: &AlarmConfiguration) {
    doc.text("EvaluationPeriods", alarm.evaluation_periods);
    // With a point, as those who read it know it.
    doc.text("Threshold", format!("{:?}", alarm.threshold));
    doc.text("ComparisonOperator", alarm.comparison);
    doc.text("Period", alarm.period_s);
    doc.text("MetricName", &alarm.metric);
    doc.text("Namespace", &alarm.namespace);
    doc.text("Statistic", &alarm.statistic);
    doc.element("Dimensions", |doc| {
        for (name, value) in &alarm.dimensions {
            doc.element("Dimension", |doc| {
                doc.text("Name", name);
                doc.text("Value", value);
            });
        }
    });
}

/// Writes what is in a `<HealthCheckConfig>`.
pub(crate) fn health_check_config(doc: &mut Document, config: &HealthCheckConfig) {
    let endpoint = match &config.subject {
        HealthSubject::Endpoint(endpoint) => Some(endpoint),
        _ => None,
    };
    if let Some(endpoint) = endpoint {
        doc.optional("IPAddress", endpoint.ip_address);
        doc.text("Port", endpoint.port);
    }
    doc.text("Type", config.check_type().as_str());
    if let Some(endpoint) = endpoint {
        probe(doc, endpoint);
    }
    doc.text("Inverted", config.inverted);
    doc.text("Disabled", config.disabled);
    match &config.subject {
        HealthSubject::Endpoint(endpoint) => {
            doc.text("EnableSNI", endpoint.enable_sni);
            // All regions are none.
            if !endpoint.regions.is_empty() {
                doc.element("Regions", |doc| {
                    for region in &endpoint.regions {
                        doc.text("Region", region.as_str());
                    }
                });
            }
        }
        HealthSubject::Calculated {
            threshold,
            children,
        } => {
            doc.text("HealthThreshold", threshold);
            doc.element("ChildHealthChecks", |doc| {
                for child in children {
                    doc.text("ChildHealthCheck", child);
                }
            });
        }
        HealthSubject::Metric {
            region,
            name,
            without_data,
        } => {
            doc.element("AlarmIdentifier", |doc| {
                doc.text("Region", region);
                doc.text("Name", name);
            });
            doc.text("InsufficientDataHealthStatus", without_data.as_str());
        }
        HealthSubject::RoutingControl(arn) => doc.text("RoutingControlArn", arn),
    }
}

fn probe(doc: &mut Document, endpoint: &Endpoint) {
    doc.optional("ResourcePath", endpoint.path.as_ref());
    doc.optional("FullyQualifiedDomainName", endpoint.domain_name.as_ref());
    doc.optional("SearchString", endpoint.search_string.as_ref());
    doc.text("RequestInterval", endpoint.request_interval_s);
    doc.text("FailureThreshold", endpoint.failure_threshold);
    doc.text("MeasureLatency", endpoint.measure_latency);
}
