//! `ChangeInfo`.

use meridian_control::ChangeOutcome;

use super::time::Iso8601;
use crate::xml::Document;

/// Writes `<ChangeInfo>`.
pub(in crate::route53) fn change_info(doc: &mut Document, outcome: &ChangeOutcome) {
    let change = &outcome.change;
    doc.element("ChangeInfo", |doc| {
        doc.text("Id", format_args!("/change/{}", change.id));
        doc.text("Status", outcome.status.as_str());
        doc.text("SubmittedAt", Iso8601(change.submitted_at));
        doc.optional("Comment", change.comment.as_ref());
    });
}
