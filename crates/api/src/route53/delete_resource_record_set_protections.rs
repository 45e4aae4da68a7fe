//! DeleteResourceRecordSetProtections.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{KEY, read_protections};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteResourceRecordSetProtections",
    method: "POST",
    pattern: "/hostedzone/{}/rrsetprotection/delete",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let root = "DeleteResourceRecordSetProtectionsRequest";
    let request = read_protections(call.id(&RESOURCE_ID)?, call.body, root, KEY)?;
    call.operations.delete_protections(call.caller, &request)?;
    Ok(Reply::ok(
        "DeleteResourceRecordSetProtectionsResponse",
        |_| {},
    ))
}
