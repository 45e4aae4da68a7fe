//! UpdateHealthCheck.

use meridian_control::UpdateHealthCheck;
use meridian_model::{HealthCheckUpdate, ResetElement};

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{HEALTH_CHECK_ID, health_check, items, read_settings};
use crate::fault::Failure;
use crate::xml::Field::Optional;
use crate::xml::{Field, Fields, XmlError, choose_leaf, parse_optional};

pub(super) const ROUTE: Route = Route {
    operation: "UpdateHealthCheck",
    method: "POST",
    pattern: "/healthcheck/{}",
    handler: Some(handle),
};

const UPDATE: [Field; 16] = [
    Optional("HealthCheckVersion"),
    Optional("IPAddress"),
    Optional("Port"),
    Optional("ResourcePath"),
    Optional("FullyQualifiedDomainName"),
    Optional("SearchString"),
    Optional("FailureThreshold"),
    Optional("Inverted"),
    Optional("Disabled"),
    Optional("HealthThreshold"),
    Optional("ChildHealthChecks"),
    Optional("EnableSNI"),
    Optional("Regions"),
    Optional("AlarmIdentifier"),
    Optional("InsufficientDataHealthStatus"),
    Optional("ResetElements"),
];
/// The most items of `ResettableElementNameList`.
const MAX_RESET: usize = 64;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = UpdateHealthCheck {
        health_check_id: call.id(&HEALTH_CHECK_ID)?,
        update: read(call.body)?,
    };
    let check = call.operations.update_health_check(call.caller, &request)?;
    let alarm = call.operations.alarm_of(&check);
    Ok(Reply::ok("UpdateHealthCheckResponse", |doc| {
        health_check(doc, &check, alarm.as_ref());
    }))
}

fn read(body: &[u8]) -> Result<HealthCheckUpdate, XmlError> {
    let root = parse_optional(body, "UpdateHealthCheckRequest", "HealthCheck")?;
    let fields = Fields::of(&root, &UPDATE)?;
    let bounds = (1, i64::MAX);
    let version = fields.optional_number("HealthCheckVersion", "HealthCheckVersion", bounds)?;
    let reset = items(&fields, "ResetElements", "ResettableElementName", MAX_RESET)?;
    let elements = ResetElement::ALL.map(|element| (element.as_str(), element));
    let reset = reset.unwrap_or_default().iter();
    Ok(HealthCheckUpdate {
        version: version.map(i64::cast_unsigned),
        settings: read_settings(&fields)?,
        reset: reset
            .map(|element| choose_leaf(element, elements))
            .collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(inner: &str) -> Result<HealthCheckUpdate, String> {
        let body = format!("<UpdateHealthCheckRequest>{inner}</UpdateHealthCheckRequest>");
        read(body.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_an_update_names_is_read_and_nothing_else() {
        assert_eq!(update(""), Ok(HealthCheckUpdate::default()));
        assert_eq!(read(b""), Ok(HealthCheckUpdate::default()));
        let read = update(
            "<ResetElements><ResettableElementName>Regions</ResettableElementName></ResetElements>\
             <ChildHealthChecks/><HealthCheckVersion>3</HealthCheckVersion><Port>25</Port>",
        )
        .unwrap();
        assert_eq!(read.version, Some(3));
        assert_eq!(read.reset, [ResetElement::Regions]);
        assert_eq!(read.settings.port, Some(25));
        assert_eq!(read.settings.children, Some(Vec::new()));
    }

    #[test]
    fn what_cannot_be_updated_is_unexpected() {
        let names = "<ResettableElementName>Regions</ResettableElementName>".repeat(65);
        for (inner, text) in [
            ("<Type>HTTP</Type>".to_owned(), "'Type'"),
            (
                "<RequestInterval>10</RequestInterval>".to_owned(),
                "'RequestInterval'",
            ),
            (
                "<MeasureLatency>true</MeasureLatency>".to_owned(),
                "'MeasureLatency'",
            ),
            (
                "<HealthCheckVersion>0</HealthCheckVersion>".to_owned(),
                "minInclusive",
            ),
            (
                "<Regions><Region>eu-west-2</Region></Regions>".to_owned(),
                "cvc-enumeration",
            ),
            (
                format!("<ResetElements>{names}</ResetElements>"),
                "No child element",
            ),
        ] {
            let error = update(&inner).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
