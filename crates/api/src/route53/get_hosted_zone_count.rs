//! GetHostedZoneCount.

use super::call::{Call, Reply};
use super::route::Route;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetHostedZoneCount",
    method: "GET",
    pattern: "/hostedzonecount",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let count = call.operations.hosted_zone_count(call.caller)?;
    Ok(Reply::ok("GetHostedZoneCountResponse", |doc| {
        doc.text("HostedZoneCount", count);
    }))
}
