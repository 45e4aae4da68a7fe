//! CreateHealthCheck.

use meridian_model::NewHealthCheck;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{HEALTH_CHECK_NONCE, health_check, read_config};
use crate::fault::Failure;
use crate::xml::Field::Required;
use crate::xml::{Fields, XmlError, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateHealthCheck",
    method: "POST",
    pattern: "/healthcheck",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.body)?;
    let check = call.operations.create_health_check(call.caller, &request)?;
    let alarm = call.operations.alarm_of(&check);
    let location = format!("{}/2013-04-01/healthcheck/{}", call.endpoint, check.id);
    Ok(Reply::created(
        location,
        "CreateHealthCheckResponse",
        |doc| {
            health_check(doc, &check, alarm.as_ref());
        },
    ))
}

fn read(body: &[u8]) -> Result<NewHealthCheck, XmlError> {
    let root = parse(body, "CreateHealthCheckRequest", "HealthCheck")?;
    let fields = Fields::of(
        &root,
        &[Required("CallerReference"), Required("HealthCheckConfig")],
    )?;
    Ok(NewHealthCheck {
        caller_reference: fields.text("CallerReference", &HEALTH_CHECK_NONCE)?,
        config: read_config(fields.required("HealthCheckConfig")?)?,
    })
}
