//! GetDNSSEC, as long as no zone can be signed.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetDNSSEC",
    method: "GET",
    pattern: "/hostedzone/{}/dnssec",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    call.operations.dnssec(call.caller, &id)?;
    Ok(Reply::ok("GetDNSSECResponse", |doc| {
        doc.element("Status", |doc| doc.text("ServeSignature", "NOT_SIGNING"));
        doc.element("KeySigningKeys", |_| {});
    }))
}
