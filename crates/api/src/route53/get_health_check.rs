//! GetHealthCheck.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{HEALTH_CHECK_ID, health_check};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetHealthCheck",
    method: "GET",
    pattern: "/healthcheck/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&HEALTH_CHECK_ID)?;
    let check = call.operations.health_check(call.caller, &id)?;
    let alarm = call.operations.alarm_of(&check);
    Ok(Reply::ok("GetHealthCheckResponse", |doc| {
        health_check(doc, &check, alarm.as_ref());
    }))
}
