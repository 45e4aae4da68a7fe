//! CreateVPCAssociationAuthorization.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{read_zone_and_vpc, vpc};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "CreateVPCAssociationAuthorization",
    method: "POST",
    pattern: "/hostedzone/{}/authorizevpcassociation",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read_zone_and_vpc(call, "CreateVPCAssociationAuthorizationRequest")?;
    let authorized = call
        .operations
        .create_vpc_authorization(call.caller, &request)?;
    Ok(Reply::ok(
        "CreateVPCAssociationAuthorizationResponse",
        |doc| {
            doc.text("HostedZoneId", &request.hosted_zone_id);
            vpc(doc, &authorized);
        },
    ))
}
