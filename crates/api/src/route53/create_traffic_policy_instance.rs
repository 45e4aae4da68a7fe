//! CreateTrafficPolicyInstance.

use meridian_control::CreateTrafficPolicyInstance;

use super::call::{Call, PREFIXED_ID, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::{DNS_NAME, read_policy_version, read_ttl, traffic_policy_instance};
use crate::fault::Failure;
use crate::xml::Field::Required;
use crate::xml::{Fields, XmlError, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateTrafficPolicyInstance",
    method: "POST",
    pattern: "/trafficpolicyinstance",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.body)?;
    let operations = call.operations;
    let status = operations.create_traffic_policy_instance(call.caller, &request)?;
    let location = format!(
        "{}/2013-04-01/trafficpolicyinstance/{}",
        call.endpoint, status.instance.id
    );
    Ok(Reply::created(
        location,
        "CreateTrafficPolicyInstanceResponse",
        |doc| traffic_policy_instance(doc, &status),
    ))
}

fn read(body: &[u8]) -> Result<CreateTrafficPolicyInstance, XmlError> {
    let root = parse(
        body,
        "CreateTrafficPolicyInstanceRequest",
        "TrafficPolicyInstance",
    )?;
    let fields = Fields::of(
        &root,
        &[
            Required("HostedZoneId"),
            Required("Name"),
            Required("TTL"),
            Required("TrafficPolicyId"),
            Required("TrafficPolicyVersion"),
        ],
    )?;
    let zone = fields.text("HostedZoneId", &PREFIXED_ID)?;
    Ok(CreateTrafficPolicyInstance {
        hosted_zone_id: RESOURCE_ID.check(bare(&zone))?,
        name: fields.text("Name", &DNS_NAME)?,
        ttl: read_ttl(&fields)?,
        policy: read_policy_version(&fields)?,
    })
}
