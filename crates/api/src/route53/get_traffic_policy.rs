//! GetTrafficPolicy.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{policy_version, traffic_policy};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetTrafficPolicy",
    method: "GET",
    pattern: "/trafficpolicy/{}/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let of = policy_version(call)?;
    let policy = call.operations.traffic_policy(call.caller, &of)?;
    Ok(Reply::ok("GetTrafficPolicyResponse", |doc| {
        traffic_policy(doc, &policy);
    }))
}
