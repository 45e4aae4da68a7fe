//! ChangeTagsForResource.

use meridian_control::ChangeTags;
use meridian_model::{Tag, TagChange};

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{tagged_kind, tagged_resource};
use crate::fault::Failure;
use crate::xml::Field::{Optional, Required};
use crate::xml::{Element, Fields, TextFacets, XmlError, list, parse_optional};

pub(super) const ROUTE: Route = Route {
    operation: "ChangeTagsForResource",
    method: "POST",
    pattern: "/tags/{}/{}",
    handler: Some(handle),
};

/// Empty keys are told from those that are too long by the operation.
const TAG_KEY: TextFacets = TextFacets::new("TagKey", 0, 128);
const TAG_VALUE: TextFacets = TextFacets::new("TagValue", 0, 256);

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let kind = tagged_kind(call)?;
    let id = call.ids.get(1).map_or("", String::as_str);
    let request = ChangeTags {
        resource: tagged_resource(kind, id)?,
        change: read(call.body)?,
    };
    call.operations.change_tags(call.caller, &request)?;
    Ok(Reply::ok("ChangeTagsForResourceResponse", |_| {}))
}

fn read(body: &[u8]) -> Result<TagChange, XmlError> {
    let root = parse_optional(body, "ChangeTagsForResourceRequest", "Tags")?;
    let fields = Fields::of(&root, &[Optional("AddTags"), Optional("RemoveTagKeys")])?;
    let put = items(&fields, "AddTags", "Tag")?.iter().map(read_tag);
    let remove = items(&fields, "RemoveTagKeys", "Key")?.iter().map(read_key);
    Ok(TagChange {
        put: put.collect::<Result<_, _>>()?,
        remove: remove.collect::<Result<_, _>>()?,
    })
}

/// The items of a list that may be absent, but not empty.
fn items<'a>(
    fields: &Fields<'a>,
    name: &str,
    item: &'static str,
) -> Result<&'a [Element], XmlError> {
    let Some(element) = fields.element(name) else {
        return Ok(&[]);
    };
    match list(element, item)? {
        [] => Fields::of(element, &[])?.incomplete(&[item]),
        items => Ok(items),
    }
}

/// A tag without a value has an empty one.
fn read_tag(element: &Element) -> Result<Tag, XmlError> {
    let fields = Fields::of(element, &[Required("Key"), Optional("Value")])?;
    Ok(Tag {
        key: fields.text("Key", &TAG_KEY)?,
        value: fields
            .optional_text("Value", &TAG_VALUE)?
            .unwrap_or_default(),
    })
}

fn read_key(element: &Element) -> Result<String, XmlError> {
    TAG_KEY.check_leaf(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(inner: &str) -> Result<TagChange, String> {
        let body = format!("<ChangeTagsForResourceRequest>{inner}</ChangeTagsForResourceRequest>");
        read(body.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn tags_and_keys_are_read_as_they_are() {
        let read = change(
            "<RemoveTagKeys><Key> a </Key><Key/></RemoveTagKeys><AddTags><Tag><Value>é &lt;</Value>\
             <Key>k</Key></Tag><Tag><Key>empty</Key></Tag></AddTags>",
        )
        .unwrap();
        let put: Vec<(&str, &str)> = read
            .put
            .iter()
            .map(|tag| (tag.key.as_str(), tag.value.as_str()))
            .collect();
        assert_eq!(put, [("k", "é <"), ("empty", "")]);
        assert_eq!(read.remove, [" a ", ""]);
        assert_eq!(super::read(b""), Ok(TagChange::default()));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let long = "k".repeat(129);
        for (inner, text) in [
            ("<AddTags><Tag/></AddTags>".to_owned(), ":Key}'"),
            ("<AddTags><Key>k</Key></AddTags>".to_owned(), "'Key'"),
            (
                format!("<AddTags><Tag><Key>{long}</Key></Tag></AddTags>"),
                "'TagKey'",
            ),
            (
                format!("<RemoveTagKeys><Key>{long}</Key></RemoveTagKeys>"),
                "'TagKey'",
            ),
            (
                "<RemoveTagKeys><Key><a/></Key></RemoveTagKeys>".to_owned(),
                "'Key'",
            ),
            ("<AddTags/>".to_owned(), ":Tag}' is expected"),
            (
                "<RemoveTagKeys></RemoveTagKeys>".to_owned(),
                ":Key}' is expected",
            ),
            ("<Tags/>".to_owned(), "'Tags'"),
        ] {
            let error = change(&inner).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
