//! DeleteTrafficPolicy.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::policy_version;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteTrafficPolicy",
    method: "DELETE",
    pattern: "/trafficpolicy/{}/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let of = policy_version(call)?;
    call.operations.delete_traffic_policy(call.caller, &of)?;
    Ok(Reply::ok("DeleteTrafficPolicyResponse", |_| {}))
}
