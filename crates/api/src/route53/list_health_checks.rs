//! ListHealthChecks, as long as none can be made: an empty page.

use super::call::{Call, Reply};
use super::route::Route;
use crate::fault::Failure;
use crate::xml::TextFacets;

pub(super) const ROUTE: Route = Route {
    operation: "ListHealthChecks",
    method: "GET",
    pattern: "/healthcheck",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 1000;
const PAGE_MARKER: TextFacets = TextFacets::new("PageMarker", 0, 64);

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let max_items = call.query.max_items(MAX_ITEMS)?;
    let marker = call.query.checked("marker", &PAGE_MARKER)?;
    call.operations.list_health_checks(call.caller)?;
    Ok(Reply::ok("ListHealthChecksResponse", |doc| {
        doc.element("HealthChecks", |_| {});
        doc.text("Marker", marker.as_deref().unwrap_or_default());
        doc.text("IsTruncated", false);
        doc.text("MaxItems", max_items);
    }))
}
