//! `AccountLimit`, `HostedZoneLimit` and the like: the same elements under different names.

use meridian_control::Limit;
use meridian_model::Quota;

use crate::fault::ErrorResponse;
use crate::route53::query;
use crate::xml::Document;

/// The kind of limit that a path names, one of those that the operation knows.
pub(in crate::route53) fn limit_type<const N: usize>(
    text: &str,
    known: [Quota; N],
) -> Result<Quota, ErrorResponse> {
    query::choose(text, "type", known.map(|quota| (quota.as_str(), quota)))
}

/// Writes `<Limit>` and `<Count>`.
pub(in crate::route53) fn limit(doc: &mut Document, limit: &Limit) {
    doc.element("Limit", |doc| {
        doc.text("Type", limit.quota.as_str());
        doc.text("Value", limit.value);
    });
    doc.text("Count", limit.count);
}
