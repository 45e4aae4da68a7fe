//! UpdateTrafficPolicyInstance.

use meridian_control::UpdateTrafficPolicyInstance;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{INSTANCE_ID, read_policy_version, read_ttl, traffic_policy_instance};
use crate::fault::Failure;
use crate::xml::Field::Required;
use crate::xml::{Fields, parse};

pub(super) const ROUTE: Route = Route {
    operation: "UpdateTrafficPolicyInstance",
    method: "POST",
    pattern: "/trafficpolicyinstance/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let subject = "TrafficPolicyInstance";
    let root = parse(call.body, "UpdateTrafficPolicyInstanceRequest", subject)?;
    let fields = Fields::of(
        &root,
        &[
            Required("TTL"),
            Required("TrafficPolicyId"),
            Required("TrafficPolicyVersion"),
        ],
    )?;
    let request = UpdateTrafficPolicyInstance {
        id: call.id(&INSTANCE_ID)?,
        ttl: read_ttl(&fields)?,
        policy: read_policy_version(&fields)?,
    };
    let operations = call.operations;
    let status = operations.update_traffic_policy_instance(call.caller, &request)?;
    Ok(Reply::ok("UpdateTrafficPolicyInstanceResponse", |doc| {
        traffic_policy_instance(doc, &status);
    }))
}
