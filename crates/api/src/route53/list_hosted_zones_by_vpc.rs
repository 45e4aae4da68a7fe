//! ListHostedZonesByVPC.

use meridian_control::{ListHostedZonesByVpc, Vpc};

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{PAGINATION_TOKEN, VPC_ID, vpc_regions};
use crate::fault::{ErrorResponse, Failure};

pub(super) const ROUTE: Route = Route {
    operation: "ListHostedZonesByVPC",
    method: "GET",
    pattern: "/hostedzonesbyvpc",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_ITEMS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let missing = |name| ErrorResponse::invalid_input(format!("The parameter {name} is missing."));
    let id = query.checked("vpcid", &VPC_ID)?;
    let region = query.choice("vpcregion", "vPCRegion", vpc_regions())?;
    let request = ListHostedZonesByVpc {
        vpc: Vpc {
            id: Some(id.ok_or_else(|| missing("vpcid"))?),
            region: Some(region.ok_or_else(|| missing("vpcregion"))?.to_owned()),
        },
        token: query.checked("nexttoken", &PAGINATION_TOKEN)?,
        max_items: query.max_items(MAX_ITEMS)?,
    };
    let page = call
        .operations
        .list_hosted_zones_by_vpc(call.caller, &request)?;
    Ok(Reply::ok("ListHostedZonesByVPCResponse", |doc| {
        doc.element("HostedZoneSummaries", |doc| {
            for zone in &page.zones {
                doc.element("HostedZoneSummary", |doc| {
                    doc.text("HostedZoneId", &zone.id);
                    doc.text("Name", &zone.name);
                    // No service has zones of its own here.
                    doc.element("Owner", |doc| doc.text("OwningAccount", &zone.account));
                });
            }
        });
        doc.text("MaxItems", request.max_items);
        doc.optional("NextToken", page.next.as_ref());
    }))
}
