//! UpdateTrafficPolicyComment.

use meridian_control::UpdateTrafficPolicyComment;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{POLICY_COMMENT, policy_version, traffic_policy};
use crate::fault::Failure;
use crate::xml::Field::Required;
use crate::xml::{Fields, parse};

pub(super) const ROUTE: Route = Route {
    operation: "UpdateTrafficPolicyComment",
    method: "POST",
    pattern: "/trafficpolicy/{}/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let root = "UpdateTrafficPolicyCommentRequest";
    let root = parse(call.body, root, "TrafficPolicy")?;
    let fields = Fields::of(&root, &[Required("Comment")])?;
    let request = UpdateTrafficPolicyComment {
        of: policy_version(call)?,
        comment: fields.text("Comment", &POLICY_COMMENT)?,
    };
    let policy = call
        .operations
        .update_traffic_policy_comment(call.caller, &request)?;
    Ok(Reply::ok("UpdateTrafficPolicyCommentResponse", |doc| {
        traffic_policy(doc, &policy);
    }))
}
