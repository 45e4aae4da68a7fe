//! AssociateVPCWithHostedZone.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{change_info, read_zone_and_vpc};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "AssociateVPCWithHostedZone",
    method: "POST",
    pattern: "/hostedzone/{}/associatevpc",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read_zone_and_vpc(call, "AssociateVPCWithHostedZoneRequest")?;
    let change = call.operations.associate_vpc(call.caller, &request)?;
    Ok(Reply::ok("AssociateVPCWithHostedZoneResponse", |doc| {
        change_info(doc, &change);
    }))
}
