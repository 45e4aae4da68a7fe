//! CreateResourceRecordSetProtections.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{CONFIG, read_protections};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "CreateResourceRecordSetProtections",
    method: "POST",
    pattern: "/hostedzone/{}/rrsetprotection",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let root = "CreateResourceRecordSetProtectionsRequest";
    let request = read_protections(call.id(&RESOURCE_ID)?, call.body, root, CONFIG)?;
    call.operations.create_protections(call.caller, &request)?;
    Ok(Reply::ok(
        "CreateResourceRecordSetProtectionsResponse",
        |_| {},
    ))
}
