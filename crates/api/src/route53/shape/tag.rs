//! `ResourceTagSet`, and which resource a request about tags means.

use meridian_model::{TagSet, TaggedKind, TaggedResource};

use crate::fault::ErrorResponse;
use crate::route53::call::{Call, RESOURCE_ID, bare};
use crate::route53::query;
use crate::xml::{Document, TextFacets, XmlError};

/// `TagResourceId`.
const TAG_RESOURCE_ID: TextFacets = TextFacets::new("TagResourceId", 0, 64);

/// The kind in the path.
pub(in crate::route53) fn tagged_kind(call: &Call<'_>) -> Result<TaggedKind, ErrorResponse> {
    let text = call.ids.first().map_or("", String::as_str);
    let kinds = TaggedKind::ALL.map(|kind| (kind.as_str(), kind));
    query::choose(text, "resourceType", kinds)
}

/// The resource of this kind. Its id may have the kind in front; clients do not take it off here as
/// they do elsewhere.
pub(in crate::route53) fn tagged_resource(
    kind: TaggedKind,
    id: &str,
) -> Result<TaggedResource, XmlError> {
    let facets = match kind {
        TaggedKind::HostedZone => RESOURCE_ID,
        TaggedKind::HealthCheck => TAG_RESOURCE_ID,
    };
    Ok(TaggedResource {
        kind,
        id: facets.check(bare(id))?,
    })
}

/// Writes `<ResourceTagSet>`.
pub(in crate::route53) fn tag_set(doc: &mut Document, set: &TagSet) {
    doc.element("ResourceTagSet", |doc| {
        doc.text("ResourceType", set.resource.kind.as_str());
        doc.text("ResourceId", &set.resource.id);
        doc.element("Tags", |doc| {
            for tag in &set.tags {
                doc.element("Tag", |doc| {
                    doc.text("Key", &tag.key);
                    doc.text("Value", &tag.value);
                });
            }
        });
    });
}
