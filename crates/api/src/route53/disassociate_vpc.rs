//! DisassociateVPCFromHostedZone.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{change_info, read_zone_and_vpc};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DisassociateVPCFromHostedZone",
    method: "POST",
    pattern: "/hostedzone/{}/disassociatevpc",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read_zone_and_vpc(call, "DisassociateVPCFromHostedZoneRequest")?;
    let change = call.operations.disassociate_vpc(call.caller, &request)?;
    Ok(Reply::ok("DisassociateVPCFromHostedZoneResponse", |doc| {
        change_info(doc, &change);
    }))
}
