//! GetTrafficPolicyInstanceCount.

use super::call::{Call, Reply};
use super::route::Route;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetTrafficPolicyInstanceCount",
    method: "GET",
    pattern: "/trafficpolicyinstancecount",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let count = call.operations.traffic_policy_instance_count(call.caller)?;
    Ok(Reply::ok("GetTrafficPolicyInstanceCountResponse", |doc| {
        doc.text("TrafficPolicyInstanceCount", count);
    }))
}
