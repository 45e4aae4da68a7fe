//! ListHostedZones.

use meridian_control::ListHostedZones;

use super::call::{Call, PAGE_MARKER, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::hosted_zones;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListHostedZones",
    method: "GET",
    pattern: "/hostedzone",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let max_items = query.max_items(MAX_ITEMS)?;
    let private = [("PrivateHostedZone", ())];
    let marker = query.checked("marker", &PAGE_MARKER)?;
    let delegation_set_id = query
        .text("delegationsetid")
        .map(|id| RESOURCE_ID.check(bare(id)));
    let request = ListHostedZones {
        marker: marker.as_deref().map(|id| bare(id).to_owned()),
        max_items,
        delegation_set_id: delegation_set_id.transpose()?,
        private_only: query
            .choice("hostedzonetype", "hostedZoneType", private)?
            .is_some(),
    };
    let page = call.operations.list_hosted_zones(call.caller, &request)?;
    Ok(Reply::ok("ListHostedZonesResponse", |doc| {
        hosted_zones(doc, &page.zones);
        doc.text("Marker", marker.as_deref().unwrap_or_default());
        doc.text("IsTruncated", page.next.is_some());
        doc.optional("NextMarker", page.next.as_ref());
        doc.text("MaxItems", max_items);
    }))
}
