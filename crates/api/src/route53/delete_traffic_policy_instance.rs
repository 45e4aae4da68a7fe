//! DeleteTrafficPolicyInstance.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::INSTANCE_ID;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteTrafficPolicyInstance",
    method: "DELETE",
    pattern: "/trafficpolicyinstance/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&INSTANCE_ID)?;
    call.operations
        .delete_traffic_policy_instance(call.caller, &id)?;
    Ok(Reply::ok("DeleteTrafficPolicyInstanceResponse", |_| {}))
}
