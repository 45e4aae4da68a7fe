//! ListHostedZonesByName.

use meridian_control::ListHostedZonesByName;

use super::call::{Call, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::{DNS_NAME, hosted_zones};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListHostedZonesByName",
    method: "GET",
    pattern: "/hostedzonesbyname",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let hosted_zone_id = query
        .text("hostedzoneid")
        .map(|id| RESOURCE_ID.check(bare(id)));
    let request = ListHostedZonesByName {
        dns_name: query.checked("dnsname", &DNS_NAME)?,
        hosted_zone_id: hosted_zone_id.transpose()?,
        max_items: query.max_items(MAX_ITEMS)?,
    };
    let page = call
        .operations
        .list_hosted_zones_by_name(call.caller, &request)?;
    Ok(Reply::ok("ListHostedZonesByNameResponse", |doc| {
        hosted_zones(doc, &page.zones);
        doc.optional("DNSName", request.dns_name.as_ref());
        doc.optional("HostedZoneId", request.hosted_zone_id.as_ref());
        doc.text("IsTruncated", page.next.is_some());
        doc.optional("NextDNSName", page.next.as_ref().map(|zone| &zone.name));
        doc.optional("NextHostedZoneId", page.next.as_ref().map(|zone| &zone.id));
        doc.text("MaxItems", request.max_items);
    }))
}
