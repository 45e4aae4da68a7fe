//! ListTrafficPolicyInstances.

use meridian_control::{InstanceFilter, ListTrafficPolicyInstances};

use super::call::{Call, PREFIXED_ID, RESOURCE_ID, Reply, bare};
use super::query::Query;
use super::route::Route;
use super::shape::{DNS_NAME, ZoneMarker, traffic_policy_instances, type_marker};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListTrafficPolicyInstances",
    method: "GET",
    pattern: "/trafficpolicyinstances",
    handler: Some(handle),
};

/// The page size, and the largest there is.
pub(super) const MAX_ITEMS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(&call.query, InstanceFilter::All)?;
    let operations = call.operations;
    let page = operations.list_traffic_policy_instances(call.caller, &request)?;
    Ok(Reply::ok("ListTrafficPolicyInstancesResponse", |doc| {
        traffic_policy_instances(doc, &page, ZoneMarker::Told, request.max_items);
    }))
}

/// What lists of instances of several zones are asked with.
pub(super) fn read(
    query: &Query,
    filter: InstanceFilter,
) -> Result<ListTrafficPolicyInstances, Failure> {
    let zone = query.checked("hostedzoneid", &PREFIXED_ID)?;
    let zone = zone.map(|zone| RESOURCE_ID.check(bare(&zone)));
    Ok(ListTrafficPolicyInstances {
        filter,
        hosted_zone_id: zone.transpose()?,
        name: query.checked("trafficpolicyinstancename", &DNS_NAME)?,
        rtype: type_marker(query)?,
        max_items: query.max_items(MAX_ITEMS)?,
    })
}
