//! ListCidrBlocks.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{COLLECTION_ID, LOCATION, cidr_page_start};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListCidrBlocks",
    method: "GET",
    pattern: "/cidrcollection/{}/cidrblocks",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&COLLECTION_ID)?;
    let location = call.query.checked("location", &LOCATION)?;
    let start = cidr_page_start(&call.query)?;
    let page = call
        .operations
        .list_cidr_blocks(call.caller, &id, location.as_deref(), &start)?;
    Ok(Reply::ok("ListCidrBlocksResponse", |doc| {
        doc.optional("NextToken", page.next_token.as_ref());
        doc.element("CidrBlocks", |doc| {
            for (location, block) in &page.items {
                doc.element("member", |doc| {
                    doc.text("CidrBlock", block);
                    doc.text("LocationName", location);
                });
            }
        });
    }))
}
