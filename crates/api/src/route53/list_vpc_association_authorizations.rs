//! ListVPCAssociationAuthorizations.

use meridian_control::ListVpcAuthorizations;

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{PAGINATION_TOKEN, vpcs};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListVPCAssociationAuthorizations",
    method: "GET",
    pattern: "/hostedzone/{}/authorizevpcassociation",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_RESULTS: usize = 50;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = ListVpcAuthorizations {
        hosted_zone_id: call.id(&RESOURCE_ID)?,
        token: call.query.checked("nexttoken", &PAGINATION_TOKEN)?,
        max_results: call.query.max_results(MAX_RESULTS)?,
    };
    let page = call
        .operations
        .list_vpc_authorizations(call.caller, &request)?;
    Ok(Reply::ok(
        "ListVPCAssociationAuthorizationsResponse",
        |doc| {
            doc.text("HostedZoneId", &page.zone);
            doc.optional("NextToken", page.next.as_ref());
            vpcs(doc, &page.vpcs);
        },
    ))
}
