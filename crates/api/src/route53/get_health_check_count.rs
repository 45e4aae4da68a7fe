//! GetHealthCheckCount, as long as none can be made.

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
    call.operations.count_health_checks(call.caller)?;
    Ok(Reply::ok("GetHealthCheckCountResponse", |doc| {
        doc.text("HealthCheckCount", 0);
    }))
}
