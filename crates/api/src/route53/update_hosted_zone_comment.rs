//! UpdateHostedZoneComment.

use meridian_control::UpdateHostedZoneComment;

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{COMMENT, hosted_zone};
use crate::fault::Failure;
use crate::xml::Field::Optional;
use crate::xml::{Fields, parse_optional};

pub(super) const ROUTE: Route = Route {
    operation: "UpdateHostedZoneComment",
    method: "POST",
    pattern: "/hostedzone/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let root = parse_optional(call.body, "UpdateHostedZoneCommentRequest", "HostedZone")?;
    let fields = Fields::of(&root, &[Optional("Comment")])?;
    let request = UpdateHostedZoneComment {
        hosted_zone_id: call.id(&RESOURCE_ID)?,
        comment: fields.optional_text("Comment", &COMMENT)?,
    };
    let zone = call
        .operations
        .update_hosted_zone_comment(call.caller, &request)?;
    Ok(Reply::ok("UpdateHostedZoneCommentResponse", |doc| {
        hosted_zone(doc, &zone);
    }))
}
