//! DeleteHostedZone.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::change_info;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteHostedZone",
    method: "DELETE",
    pattern: "/hostedzone/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    let outcome = call.operations.delete_hosted_zone(call.caller, &id)?;
    Ok(Reply::ok("DeleteHostedZoneResponse", |doc| {
        change_info(doc, &outcome);
    }))
}
