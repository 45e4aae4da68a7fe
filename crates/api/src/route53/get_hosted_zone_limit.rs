//! GetHostedZoneLimit.

use meridian_model::Quota;

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{limit, limit_type};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetHostedZoneLimit",
    method: "GET",
    pattern: "/hostedzonelimit/{}/{}",
    handler: Some(handle),
};

/// `HostedZoneLimitType`, in the order of the model.
const TYPES: [Quota; 2] = [Quota::RecordSetsByZone, Quota::VpcsByZone];

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    let quota = limit_type(call.ids.get(1).map_or("", String::as_str), TYPES)?;
    let found = call.operations.hosted_zone_limit(call.caller, &id, quota)?;
    Ok(Reply::ok("GetHostedZoneLimitResponse", |doc| {
        limit(doc, &found);
    }))
}
