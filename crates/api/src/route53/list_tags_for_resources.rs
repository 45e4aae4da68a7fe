//! ListTagsForResources.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{tag_set, tagged_kind, tagged_resource};
use crate::fault::{ErrorResponse, Failure};
use crate::xml::Field::Required;
use crate::xml::{Fields, TextFacets, list, parse};

pub(super) const ROUTE: Route = Route {
    operation: "ListTagsForResources",
    method: "POST",
    pattern: "/tags/{}",
    handler: Some(handle),
};

/// The most resources that one request asks about.
const MAX_RESOURCES: usize = 10;
/// Measured when it is bare.
const PREFIXED: TextFacets = TextFacets::new("TagResourceId", 0, usize::MAX);

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let kind = tagged_kind(call)?;
    let root = parse(call.body, "ListTagsForResourcesRequest", "ResourceIds")?;
    let ids = Fields::of(&root, &[Required("ResourceIds")])?.required("ResourceIds")?;
    let items = list(ids, "ResourceId")?;
    if items.is_empty() || items.len() > MAX_RESOURCES {
        return Err(ErrorResponse::invalid_input(format!(
            "ResourceIds has {} members; it must have 1 to {MAX_RESOURCES}.",
            items.len()
        ))
        .into());
    }
    let mut resources = Vec::with_capacity(items.len());
    for item in items {
        resources.push(tagged_resource(kind, &PREFIXED.check_leaf(item)?)?);
    }
    let sets = call.operations.list_tags_of_all(call.caller, resources)?;
    Ok(Reply::ok("ListTagsForResourcesResponse", |doc| {
        doc.element("ResourceTagSets", |doc| {
            for set in &sets {
                tag_set(doc, set);
            }
        });
    }))
}
