//! GetHealthCheckStatus.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{HEALTH_CHECK_ID, health_check_observations};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetHealthCheckStatus",
    method: "GET",
    pattern: "/healthcheck/{}/status",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&HEALTH_CHECK_ID)?;
    let seen = call.operations.health_check_status(call.caller, &id)?;
    Ok(Reply::ok("GetHealthCheckStatusResponse", |doc| {
        health_check_observations(doc, &seen);
    }))
}
