//! ListCidrCollections.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{cidr_collection, cidr_page_start};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListCidrCollections",
    method: "GET",
    pattern: "/cidrcollection",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let start = cidr_page_start(&call.query)?;
    let page = call.operations.list_cidr_collections(call.caller, &start)?;
    Ok(Reply::ok("ListCidrCollectionsResponse", |doc| {
        doc.optional("NextToken", page.next_token.as_ref());
        doc.element("CidrCollections", |doc| {
            for collection in &page.items {
                doc.element("member", |doc| cidr_collection(doc, collection));
            }
        });
    }))
}
