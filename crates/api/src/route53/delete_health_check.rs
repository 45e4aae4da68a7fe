//! DeleteHealthCheck.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::HEALTH_CHECK_ID;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteHealthCheck",
    method: "DELETE",
    pattern: "/healthcheck/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&HEALTH_CHECK_ID)?;
    call.operations.delete_health_check(call.caller, &id)?;
    Ok(Reply::ok("DeleteHealthCheckResponse", |_| {}))
}
