//! CreateHostedZone.

use meridian_control::CreateHostedZone;

use super::call::{Call, PREFIXED_ID, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::{
    COMMENT, DNS_NAME, NONCE, change_info, delegation_set, hosted_zone, read_vpc, vpc,
};
use crate::fault::Failure;
use crate::xml::Field::{Optional, Required};
use crate::xml::{Element, Field, Fields, XmlError, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateHostedZone",
    method: "POST",
    pattern: "/hostedzone",
    handler: Some(handle),
};

const REQUEST: [Field; 5] = [
    Required("Name"),
    Optional("VPC"),
    Required("CallerReference"),
    Optional("HostedZoneConfig"),
    Optional("DelegationSetId"),
];

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.body)?;
    let created = call.operations.create_hosted_zone(call.caller, &request)?;
    let zone = &created.zone.zone;
    let location = format!("{}/2013-04-01/hostedzone/{}", call.endpoint, zone.id);
    Ok(Reply::created(
        location,
        "CreateHostedZoneResponse",
        |doc| {
            hosted_zone(doc, &created.zone);
            change_info(doc, &created.change);
            match zone.vpcs.first() {
                Some(first) => vpc(doc, first),
                None => delegation_set(doc, &zone.delegation_set),
            }
        },
    ))
}

fn read(body: &[u8]) -> Result<CreateHostedZone, XmlError> {
    let root = parse(body, "CreateHostedZoneRequest", "HostedZone")?;
    let fields = Fields::of(&root, &REQUEST)?;
    let (comment, private_zone) = match fields.element("HostedZoneConfig") {
        Some(config) => read_config(config)?,
        None => (None, false),
    };
    let delegation_set_id = fields.optional_text("DelegationSetId", &PREFIXED_ID)?;
    Ok(CreateHostedZone {
        name: fields.text("Name", &DNS_NAME)?,
        caller_reference: fields.text("CallerReference", &NONCE)?,
        comment,
        private_zone,
        vpc: fields.element("VPC").map(read_vpc).transpose()?.flatten(),
        delegation_set_id: delegation_set_id
            .map(|id| RESOURCE_ID.check(bare(&id)))
            .transpose()?,
    })
}

fn read_config(element: &Element) -> Result<(Option<String>, bool), XmlError> {
    let fields = Fields::of(element, &[Optional("Comment"), Optional("PrivateZone")])?;
    Ok((
        fields.optional_text("Comment", &COMMENT)?,
        fields.optional_boolean("PrivateZone")?.unwrap_or(false),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_absent() {
        let read = |inner: &str| {
            let body = format!("<CreateHostedZoneRequest>{inner}</CreateHostedZoneRequest>");
            read(body.as_bytes())
        };
        let request = read(
            "<CallerReference>r</CallerReference><Name>a.b</Name><VPC/>\
             <HostedZoneConfig><Comment/></HostedZoneConfig>\
             <DelegationSetId>/delegationset/N1</DelegationSetId>",
        )
        .unwrap();
        let expected = CreateHostedZone {
            name: "a.b".to_owned(),
            caller_reference: "r".to_owned(),
            comment: None,
            private_zone: false,
            vpc: None,
            delegation_set_id: Some("N1".to_owned()),
        };
        assert_eq!(request, expected);
        let message = |inner: &str| read(inner).unwrap_err().to_string();
        assert!(message("<Name>a</Name>").contains(":CallerReference}' is expected"));
        assert!(message("<Name>a</Name><CallerReference/>").contains("minLength '1'"));
    }
}
