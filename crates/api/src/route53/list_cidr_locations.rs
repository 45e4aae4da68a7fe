//! ListCidrLocations.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{COLLECTION_ID, cidr_page_start};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListCidrLocations",
    method: "GET",
    pattern: "/cidrcollection/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&COLLECTION_ID)?;
    let start = cidr_page_start(&call.query)?;
    let page = call
        .operations
        .list_cidr_locations(call.caller, &id, &start)?;
    Ok(Reply::ok("ListCidrLocationsResponse", |doc| {
        doc.optional("NextToken", page.next_token.as_ref());
        doc.element("CidrLocations", |doc| {
            for location in &page.items {
                doc.element("member", |doc| doc.text("LocationName", location));
            }
        });
    }))
}
