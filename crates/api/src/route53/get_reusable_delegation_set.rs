//! GetReusableDelegationSet.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::delegation_set;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetReusableDelegationSet",
    method: "GET",
    pattern: "/delegationset/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    let set = call.operations.reusable_delegation_set(call.caller, &id)?;
    Ok(Reply::ok("GetReusableDelegationSetResponse", |doc| {
        delegation_set(doc, &set.delegation_set());
    }))
}
