//! GetHealthCheckLastFailureReason.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{HEALTH_CHECK_ID, health_check_observations};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetHealthCheckLastFailureReason",
    method: "GET",
    pattern: "/healthcheck/{}/lastfailurereason",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&HEALTH_CHECK_ID)?;
    let failures = call
        .operations
        .health_check_last_failures(call.caller, &id)?;
    Ok(Reply::ok(
        "GetHealthCheckLastFailureReasonResponse",
        |doc| {
            health_check_observations(doc, &failures);
        },
    ))
}
