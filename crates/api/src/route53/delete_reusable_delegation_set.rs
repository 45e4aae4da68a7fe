//! DeleteReusableDelegationSet.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteReusableDelegationSet",
    method: "DELETE",
    pattern: "/delegationset/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    call.operations
        .delete_reusable_delegation_set(call.caller, &id)?;
    Ok(Reply::ok("DeleteReusableDelegationSetResponse", |_| {}))
}
