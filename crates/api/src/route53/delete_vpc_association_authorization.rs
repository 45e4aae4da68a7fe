//! DeleteVPCAssociationAuthorization.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::read_zone_and_vpc;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteVPCAssociationAuthorization",
    method: "POST",
    pattern: "/hostedzone/{}/deauthorizevpcassociation",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read_zone_and_vpc(call, "DeleteVPCAssociationAuthorizationRequest")?;
    call.operations
        .delete_vpc_authorization(call.caller, &request)?;
    Ok(Reply::ok(
        "DeleteVPCAssociationAuthorizationResponse",
        |_| {},
    ))
}
