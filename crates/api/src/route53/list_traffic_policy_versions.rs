//! ListTrafficPolicyVersions.

use meridian_control::ListTrafficPolicyVersions;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{POLICY_ID, traffic_policy, version_number};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListTrafficPolicyVersions",
    method: "GET",
    pattern: "/trafficpolicies/{}/versions",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let marker = call.query.text("trafficpolicyversion");
    let marker = marker.map(|text| version_number(text, "trafficPolicyVersionMarker"));
    let request = ListTrafficPolicyVersions {
        id: call.id(&POLICY_ID)?,
        marker: marker.transpose()?,
        max_items: call.query.max_items(MAX_ITEMS)?,
    };
    let page = call
        .operations
        .list_traffic_policy_versions(call.caller, &request)?;
    let next = page.next.map(|version| version.to_string());
    Ok(Reply::ok("ListTrafficPolicyVersionsResponse", |doc| {
        doc.element("TrafficPolicies", |doc| {
            for policy in &page.versions {
                traffic_policy(doc, policy);
            }
        });
        doc.text("IsTruncated", page.next.is_some());
        // The model requires it on the last page, too.
        let next = next.as_deref().unwrap_or_default();
        doc.text("TrafficPolicyVersionMarker", next);
        doc.text("MaxItems", request.max_items);
    }))
}
