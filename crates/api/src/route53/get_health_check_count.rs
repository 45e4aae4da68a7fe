//! GetHealthCheckCount.

use super::call::{Call, Reply};
use super::route::Route;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetHealthCheckCount",
    method: "GET",
    pattern: "/healthcheckcount",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let count = call.operations.health_check_count(call.caller)?;
    Ok(Reply::ok("GetHealthCheckCountResponse", |doc| {
        doc.text("HealthCheckCount", count);
    }))
}
