//! GetHostedZone.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{delegation_set, hosted_zone, vpcs};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetHostedZone",
    method: "GET",
    pattern: "/hostedzone/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    let zone = call.operations.hosted_zone(call.caller, &id)?;
    Ok(Reply::ok("GetHostedZoneResponse", |doc| {
        hosted_zone(doc, &zone);
        // Private zones have networks instead.
        if zone.zone.private {
            vpcs(doc, &zone.zone.vpcs);
        } else {
            delegation_set(doc, &zone.zone.delegation_set);
        }
    }))
}
