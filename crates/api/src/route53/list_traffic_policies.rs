//! ListTrafficPolicies.

use meridian_control::ListTrafficPolicies;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::POLICY_ID;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListTrafficPolicies",
    method: "GET",
    pattern: "/trafficpolicies",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = ListTrafficPolicies {
        marker: call.query.checked("trafficpolicyid", &POLICY_ID)?,
        max_items: call.query.max_items(MAX_ITEMS)?,
    };
    let page = call
        .operations
        .list_traffic_policies(call.caller, &request)?;
    let next = page.next.as_ref().map(ToString::to_string);
    Ok(Reply::ok("ListTrafficPoliciesResponse", |doc| {
        doc.element("TrafficPolicySummaries", |doc| {
            for policy in &page.policies {
                doc.element("TrafficPolicySummary", |doc| {
                    doc.text("Id", &policy.id);
                    doc.text("Name", &policy.name);
                    doc.text("Type", policy.rtype);
                    doc.text("LatestVersion", policy.latest_version);
                    doc.text("TrafficPolicyCount", policy.versions);
                });
            }
        });
        doc.text("IsTruncated", page.next.is_some());
        // The model requires it on the last page, too.
        doc.text("TrafficPolicyIdMarker", next.as_deref().unwrap_or_default());
        doc.text("MaxItems", request.max_items);
    }))
}
