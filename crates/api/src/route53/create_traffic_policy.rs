//! CreateTrafficPolicy.

use meridian_control::CreateTrafficPolicy;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{POLICY_NAME, new_version, traffic_policy};
use crate::fault::Failure;
use crate::xml::Field::{Optional, Required};
use crate::xml::{Fields, XmlError, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateTrafficPolicy",
    method: "POST",
    pattern: "/trafficpolicy",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.body)?;
    let policy = call
        .operations
        .create_traffic_policy(call.caller, &request)?;
    let location = format!(
        "{}/2013-04-01/trafficpolicy/{}/{}",
        call.endpoint, policy.id, policy.version
    );
    let root = "CreateTrafficPolicyResponse";
    Ok(Reply::created(location, root, |doc| {
        traffic_policy(doc, &policy);
    }))
}

fn read(body: &[u8]) -> Result<CreateTrafficPolicy, XmlError> {
    let root = parse(body, "CreateTrafficPolicyRequest", "TrafficPolicy")?;
    let shape = [Required("Name"), Required("Document"), Optional("Comment")];
    let fields = Fields::of(&root, &shape)?;
    Ok(CreateTrafficPolicy {
        name: fields.text("Name", &POLICY_NAME)?,
        first: new_version(&fields)?,
    })
}
