//! `TrafficPolicy`, and what requests say about one.

use meridian_control::PolicyVersion;
use meridian_model::{NewPolicyVersion, TrafficPolicy};

use crate::fault::ErrorResponse;
use crate::route53::call::Call;
use crate::xml::{Document, Fields, TextFacets, XmlError};

/// `TrafficPolicyId`.
pub(in crate::route53) const POLICY_ID: TextFacets = TextFacets::new("TrafficPolicyId", 1, 36);
/// `TrafficPolicyName`. An empty one would be told by nobody from another.
pub(in crate::route53) const POLICY_NAME: TextFacets = TextFacets::new("TrafficPolicyName", 1, 512);
/// `TrafficPolicyDocument`.
const POLICY_DOCUMENT: TextFacets = TextFacets::new("TrafficPolicyDocument", 0, 102_400);
/// `TrafficPolicyComment`.
pub(in crate::route53) const POLICY_COMMENT: TextFacets =
    TextFacets::new("TrafficPolicyComment", 0, 1024);

/// Writes a version.
pub(in crate::route53) fn traffic_policy(doc: &mut Document, policy: &TrafficPolicy) {
    doc.element("TrafficPolicy", |doc| {
        doc.text("Id", &policy.id);
        doc.text("Version", policy.version);
        doc.text("Name", &policy.name);
        doc.text("Type", policy.rtype);
        doc.text("Document", &policy.document);
        doc.optional("Comment", policy.comment.as_ref());
    });
}

/// `Document` and `Comment` of a request.
pub(in crate::route53) fn new_version(fields: &Fields<'_>) -> Result<NewPolicyVersion, XmlError> {
    Ok(NewPolicyVersion {
        document: fields.text("Document", &POLICY_DOCUMENT)?,
        comment: fields.optional_text("Comment", &POLICY_COMMENT)?,
    })
}

/// The version that a path names.
pub(in crate::route53) fn policy_version(call: &Call<'_>) -> Result<PolicyVersion, ErrorResponse> {
    let id = call.id(&POLICY_ID);
    let version = call.ids.get(1).map_or("", String::as_str);
    Ok(PolicyVersion {
        id: id.map_err(|error| ErrorResponse::new(error.code(), error.to_string()))?,
        version: version_number(version, "version")?,
    })
}

/// `TrafficPolicyVersion`: 1 to 1000, in digits. `member` is what the model calls it.
pub(in crate::route53) fn version_number(text: &str, member: &str) -> Result<u32, ErrorResponse> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    let known = number.filter(|number| (1..=TrafficPolicy::MAX_VERSIONS).contains(number));
    known.ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        ErrorResponse::invalid_input(format!(
            "1 validation error detected: Value '{shown}' at '{member}' failed to satisfy \
             constraint: Member must be a number from 1 to {}",
            TrafficPolicy::MAX_VERSIONS
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_that_there_can_be() {
        let read = |text: &str| version_number(text, "version").map_err(|error| error.code);
        assert_eq!(read("1"), Ok(1));
        assert_eq!(read("1000"), Ok(1000));
        for wrong in [
            "",
            "0",
            "1001",
            "-1",
            "+1",
            "1.0",
            "one",
            "99999999999999999999",
        ] {
            assert_eq!(read(wrong), Err("InvalidInput"), "{wrong}");
        }
    }
}
