//! What requests and responses about protections of record sets have in common.

use meridian_control::ChangeProtections;
use meridian_dns::RecordType;
use meridian_model::{Protection, ProtectionDraft};

use super::{COMMENT, DNS_NAME};
use crate::xml::Field::{Optional, Required};
use crate::xml::{Document, Element, Field, Fields, XmlError, list, parse};

/// `ResourceRecordSetProtectionConfig`, with a comment.
pub(in crate::route53) const CONFIG: Entry = Entry {
    name: "ResourceRecordSetProtectionConfig",
    fields: &[
        Required("RecordName"),
        Required("RecordType"),
        Optional("Comment"),
    ],
};
/// `ResourceRecordSetProtectionKey`, without.
pub(in crate::route53) const KEY: Entry = Entry {
    name: "ResourceRecordSetProtectionKey",
    fields: &[Required("RecordName"), Required("RecordType")],
};

/// How an entry of a request looks.
#[derive(Debug, Clone, Copy)]
pub(in crate::route53) struct Entry {
    name: &'static str,
    fields: &'static [Field],
}

/// Reads a request whose root is `root`. How many entries there may be is checked by the operation.
pub(in crate::route53) fn read_protections(
    hosted_zone_id: String,
    body: &[u8],
    root: &str,
    entry: Entry,
) -> Result<ChangeProtections, XmlError> {
    let root = parse(body, root, "Protections")?;
    let protections = Fields::of(&root, &[Required("Protections")])?.required("Protections")?;
    let entries = list(protections, entry.name)?.iter();
    Ok(ChangeProtections {
        hosted_zone_id,
        protections: entries
            .map(|element| read_entry(element, entry))
            .collect::<Result<_, _>>()?,
    })
}

fn read_entry(element: &Element, entry: Entry) -> Result<ProtectionDraft, XmlError> {
    let fields = Fields::of(element, entry.fields)?;
    let types = RecordType::ALL.map(|rtype| (rtype.as_str(), rtype));
    Ok(ProtectionDraft {
        name: fields.text("RecordName", &DNS_NAME)?,
        rtype: fields.choice("RecordType", types)?,
        comment: fields.optional_text("Comment", &COMMENT)?,
    })
}

/// Writes `<ResourceRecordSetProtection>`.
pub(in crate::route53) fn protection(doc: &mut Document, protection: &Protection) {
    doc.element("ResourceRecordSetProtection", |doc| {
        doc.text("RecordName", &protection.key.name);
        doc.text("RecordType", protection.key.rtype);
        doc.optional("Comment", protection.comment.as_ref());
    });
}
