//! GetAccountLimit.

use meridian_model::Quota;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{limit, limit_type};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetAccountLimit",
    method: "GET",
    pattern: "/accountlimit/{}",
    handler: Some(handle),
};

/// `AccountLimitType`, in the order of the model.
const TYPES: [Quota; 5] = [
    Quota::HealthChecksByOwner,
    Quota::HostedZonesByOwner,
    Quota::TrafficPolicyInstancesByOwner,
    Quota::ReusableDelegationSetsByOwner,
    Quota::TrafficPoliciesByOwner,
];

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let quota = limit_type(call.ids.first().map_or("", String::as_str), TYPES)?;
    let found = call.operations.account_limit(call.caller, quota)?;
    Ok(Reply::ok("GetAccountLimitResponse", |doc| {
        limit(doc, &found);
    }))
}
