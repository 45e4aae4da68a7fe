//! ListTagsForResource.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{tag_set, tagged_kind, tagged_resource};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListTagsForResource",
    method: "GET",
    pattern: "/tags/{}/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let kind = tagged_kind(call)?;
    let id = call.ids.get(1).map_or("", String::as_str);
    let resource = tagged_resource(kind, id)?;
    let set = call.operations.list_tags(call.caller, resource)?;
    Ok(Reply::ok("ListTagsForResourceResponse", |doc| {
        tag_set(doc, &set);
    }))
}
