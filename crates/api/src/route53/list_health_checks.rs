//! ListHealthChecks.

use meridian_control::ListHealthChecks;

use super::call::{Call, PAGE_MARKER, Reply};
use super::route::Route;
use super::shape::health_check;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListHealthChecks",
    method: "GET",
    pattern: "/healthcheck",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 1000;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let max_items = call.query.max_items(MAX_ITEMS)?;
    let marker = call.query.checked("marker", &PAGE_MARKER)?;
    let request = ListHealthChecks {
        marker: marker.clone(),
        max_items,
    };
    let page = call.operations.list_health_checks(call.caller, &request)?;
    Ok(Reply::ok("ListHealthChecksResponse", |doc| {
        doc.element("HealthChecks", |doc| {
            for check in &page.checks {
                let alarm = call.operations.alarm_of(check);
                health_check(doc, check, alarm.as_ref());
            }
        });
        doc.text("Marker", marker.as_deref().unwrap_or_default());
        doc.text("IsTruncated", page.next.is_some());
        doc.optional("NextMarker", page.next.as_ref());
        doc.text("MaxItems", max_items);
    }))
}
