//! DeleteCidrCollection.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::COLLECTION_ID;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteCidrCollection",
    method: "DELETE",
    pattern: "/cidrcollection/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&COLLECTION_ID)?;
    call.operations.delete_cidr_collection(call.caller, &id)?;
    Ok(Reply::ok("DeleteCidrCollectionResponse", |_| {}))
}
