//! ListTrafficPolicyInstancesByPolicy.

use meridian_control::{InstanceFilter, PolicyVersion};

use super::call::{Call, Reply};
use super::list_traffic_policy_instances::read;
use super::route::Route;
use super::shape::{POLICY_ID, ZoneMarker, traffic_policy_instances, version_number};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListTrafficPolicyInstancesByPolicy",
    method: "GET",
    pattern: "/trafficpolicyinstances/trafficpolicy",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let id = POLICY_ID.check(query.text("id").unwrap_or_default())?;
    let version = query.text("version").unwrap_or_default();
    let version = version_number(version, "trafficPolicyVersion")?;
    let request = read(
        query,
        InstanceFilter::TrafficPolicy(PolicyVersion { id, version }),
    )?;
    let operations = call.operations;
    let page = operations.list_traffic_policy_instances(call.caller, &request)?;
    let root = "ListTrafficPolicyInstancesByPolicyResponse";
    Ok(Reply::ok(root, |doc| {
        traffic_policy_instances(doc, &page, ZoneMarker::Told, request.max_items);
    }))
}
