//! GetReusableDelegationSetLimit.

use meridian_model::Quota;

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{limit, limit_type};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetReusableDelegationSetLimit",
    method: "GET",
    pattern: "/reusabledelegationsetlimit/{}/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    let known = [Quota::ZonesByReusableDelegationSet];
    limit_type(call.ids.get(1).map_or("", String::as_str), known)?;
    let found = call
        .operations
        .reusable_delegation_set_limit(call.caller, &id)?;
    Ok(Reply::ok("GetReusableDelegationSetLimitResponse", |doc| {
        limit(doc, &found);
    }))
}
