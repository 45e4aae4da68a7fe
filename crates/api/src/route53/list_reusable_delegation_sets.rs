//! ListReusableDelegationSets.

use meridian_control::ListDelegationSets;

use super::call::{Call, PAGE_MARKER, Reply, bare};
use super::route::Route;
use super::shape::delegation_set;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListReusableDelegationSets",
    method: "GET",
    pattern: "/delegationset",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let max_items = call.query.max_items(MAX_ITEMS)?;
    let marker = call.query.checked("marker", &PAGE_MARKER)?;
    let request = ListDelegationSets {
        marker: marker.as_deref().map(|id| bare(id).to_owned()),
        max_items,
    };
    let page = call
        .operations
        .list_reusable_delegation_sets(call.caller, &request)?;
    Ok(Reply::ok("ListReusableDelegationSetsResponse", |doc| {
        doc.element("DelegationSets", |doc| {
            for set in &page.sets {
                delegation_set(doc, &set.delegation_set());
            }
        });
        doc.text("Marker", marker.as_deref().unwrap_or_default());
        doc.text("IsTruncated", page.next.is_some());
        doc.optional("NextMarker", page.next.as_ref());
        doc.text("MaxItems", max_items);
    }))
}
