//! ListTrafficPolicyInstancesByHostedZone.

use meridian_control::{InstanceFilter, ListTrafficPolicyInstances};

use super::call::{Call, PREFIXED_ID, RESOURCE_ID, Reply, bare};
use super::list_traffic_policy_instances::MAX_ITEMS;
use super::route::Route;
use super::shape::{DNS_NAME, ZoneMarker, traffic_policy_instances, type_marker};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListTrafficPolicyInstancesByHostedZone",
    method: "GET",
    pattern: "/trafficpolicyinstances/hostedzone",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let zone = PREFIXED_ID.check(query.text("id").unwrap_or_default())?;
    let request = ListTrafficPolicyInstances {
        filter: InstanceFilter::HostedZone(RESOURCE_ID.check(bare(&zone))?),
        hosted_zone_id: None,
        name: query.checked("trafficpolicyinstancename", &DNS_NAME)?,
        rtype: type_marker(query)?,
        max_items: query.max_items(MAX_ITEMS)?,
    };
    let operations = call.operations;
    let page = operations.list_traffic_policy_instances(call.caller, &request)?;
    let root = "ListTrafficPolicyInstancesByHostedZoneResponse";
    Ok(Reply::ok(root, |doc| {
        traffic_policy_instances(doc, &page, ZoneMarker::Known, request.max_items);
    }))
}
