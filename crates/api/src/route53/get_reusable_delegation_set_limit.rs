//! GetReusableDelegationSetLimit.

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use crate::fault::{ErrorResponse, Failure};

pub(super) const ROUTE: Route = Route {
    operation: "GetReusableDelegationSetLimit",
    method: "GET",
    pattern: "/reusabledelegationsetlimit/{}/{}",
    handler: Some(handle),
};

/// The one limit there is.
const LIMIT: &str = "MAX_ZONES_BY_REUSABLE_DELEGATION_SET";

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&RESOURCE_ID)?;
    let kind = call.ids.get(1).map_or("", String::as_str);
    if kind != LIMIT {
        return Err(ErrorResponse::invalid_input(format!(
            "1 validation error detected: Value '{kind}' at 'type' failed to satisfy constraint: \
             Member must satisfy enum value set: [{LIMIT}]"
        ))
        .into());
    }
    let limit = call
        .operations
        .reusable_delegation_set_limit(call.caller, &id)?;
    Ok(Reply::ok("GetReusableDelegationSetLimitResponse", |doc| {
        doc.element("Limit", |doc| {
            doc.text("Type", LIMIT);
            doc.text("Value", limit.value);
        });
        doc.text("Count", limit.count);
    }))
}
