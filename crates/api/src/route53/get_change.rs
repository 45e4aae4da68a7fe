//! GetChange.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::change_info;
use crate::fault::Failure;
use crate::xml::TextFacets;

pub(super) const ROUTE: Route = Route {
    operation: "GetChange",
    method: "GET",
    pattern: "/change/{}",
    handler: Some(handle),
};

const CHANGE_ID: TextFacets = TextFacets::new("ChangeId", 1, 6500);

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&CHANGE_ID)?;
    let outcome = call.operations.change(call.caller, &id)?;
    Ok(Reply::ok("GetChangeResponse", |doc| {
        change_info(doc, &outcome);
    }))
}
