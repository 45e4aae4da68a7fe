//! CreateReusableDelegationSet.

use meridian_control::CreateDelegationSet;

use super::call::{Call, PREFIXED_ID, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::{NONCE, delegation_set};
use crate::fault::Failure;
use crate::xml::Field::{Optional, Required};
use crate::xml::{Fields, XmlError, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateReusableDelegationSet",
    method: "POST",
    pattern: "/delegationset",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.body)?;
    let set = call
        .operations
        .create_reusable_delegation_set(call.caller, &request)?;
    let location = format!("{}/2013-04-01/delegationset/{}", call.endpoint, set.id);
    Ok(Reply::created(
        location,
        "CreateReusableDelegationSetResponse",
        |doc| delegation_set(doc, &set.delegation_set()),
    ))
}

fn read(body: &[u8]) -> Result<CreateDelegationSet, XmlError> {
    let root = parse(body, "CreateReusableDelegationSetRequest", "DelegationSet")?;
    let fields = Fields::of(
        &root,
        &[Required("CallerReference"), Optional("HostedZoneId")],
    )?;
    let hosted_zone_id = fields.optional_text("HostedZoneId", &PREFIXED_ID)?;
    Ok(CreateDelegationSet {
        caller_reference: fields.text("CallerReference", &NONCE)?,
        hosted_zone_id: hosted_zone_id
            .map(|id| RESOURCE_ID.check(bare(&id)))
            .transpose()?,
    })
}
