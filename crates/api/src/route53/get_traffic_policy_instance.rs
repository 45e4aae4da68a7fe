//! GetTrafficPolicyInstance.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{INSTANCE_ID, traffic_policy_instance};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetTrafficPolicyInstance",
    method: "GET",
    pattern: "/trafficpolicyinstance/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&INSTANCE_ID)?;
    let status = call.operations.traffic_policy_instance(call.caller, &id)?;
    Ok(Reply::ok("GetTrafficPolicyInstanceResponse", |doc| {
        traffic_policy_instance(doc, &status);
    }))
}
