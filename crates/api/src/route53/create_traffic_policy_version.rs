//! CreateTrafficPolicyVersion.

use meridian_control::CreateTrafficPolicyVersion;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{POLICY_ID, new_version, traffic_policy};
use crate::fault::Failure;
use crate::xml::Field::{Optional, Required};
use crate::xml::{Fields, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateTrafficPolicyVersion",
    method: "POST",
    pattern: "/trafficpolicy/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let root = "CreateTrafficPolicyVersionRequest";
    let root = parse(call.body, root, "TrafficPolicy")?;
    let fields = Fields::of(&root, &[Required("Document"), Optional("Comment")])?;
    let request = CreateTrafficPolicyVersion {
        id: call.id(&POLICY_ID)?,
        next: new_version(&fields)?,
    };
    let policy = call
        .operations
        .create_traffic_policy_version(call.caller, &request)?;
    let location = format!(
        "{}/2013-04-01/trafficpolicy/{}/{}",
        call.endpoint, policy.id, policy.version
    );
    let root = "CreateTrafficPolicyVersionResponse";
    Ok(Reply::created(location, root, |doc| {
        traffic_policy(doc, &policy);
    }))
}
