//! Endpoints: a value of the document's type, or a host that the document takes for a service of
//! AWS. Which host it is is not checked: any may be resolved.

use std::net::IpAddr;

use meridian_dns::{Name, RecordType, rdata};

use super::fault::{Faults, Path, echo};
use super::fields::Fields;
use super::{EndpointService, EndpointTarget, PolicyEndpoint};
use crate::json::Json;
use crate::routing::Region;

/// The regions whose websites in S3 are at `s3-website-REGION`; those of the others are at
/// `s3-website.REGION`.
const DASHED: [&str; 9] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
    "us-gov-west-1",
];

/// Reads an endpoint. Values are checked where the type is known.
pub(super) fn read(
    id: &str,
    json: &Json,
    path: &Path<'_>,
    record_type: Option<RecordType>,
    faults: &mut Faults,
) -> Option<PolicyEndpoint> {
    let fields = Fields::of(json, path, &["Type", "Value", "Region"], faults)?;
    let of_type = fields.required_text("Type", faults);
    let value = fields.required_text("Value", faults);
    let region = fields.text("Region", faults);
    let (of_type, value) = (of_type?, value?);
    let target = if of_type == "value" {
        self::value(&fields, value, record_type?, faults)?
    } else {
        let mut all = EndpointService::ALL.into_iter();
        let Some(service) = all.find(|service| service.as_str() == of_type) else {
            let words = EndpointService::ALL.map(EndpointService::as_str).join(", ");
            let text = format!("'{}' is not one of value, {words}", echo(of_type));
            faults.add(&path.field("Type"), text);
            return None;
        };
        check_type(&fields, service, record_type, faults);
        let name = match service {
            EndpointService::S3Website => website(&fields, value, region, faults)?,
            _ => host(&fields, value, faults)?,
        };
        EndpointTarget::Host { service, name }
    };
    Some(PolicyEndpoint {
        id: id.to_owned(),
        target,
        region: region.map(str::to_owned),
    })
}

fn value(
    fields: &Fields<'_>,
    value: &str,
    record_type: RecordType,
    faults: &mut Faults,
) -> Option<EndpointTarget> {
    match rdata::parse(record_type, value) {
        Ok(_) => Some(EndpointTarget::Value(value.to_owned())),
        Err(error) => {
            let text = echo_error(&error.to_string());
            faults.add(
                &fields.path.field("Value"),
                format!("is no value of type {record_type}: {text}"),
            );
            None
        }
    }
}

/// Errors of record data repeat the value, which may be long.
fn echo_error(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn check_type(
    fields: &Fields<'_>,
    service: EndpointService,
    record_type: Option<RecordType>,
    faults: &mut Faults,
) {
    let addresses = [RecordType::A, RecordType::Aaaa];
    if let Some(record_type) = record_type
        && !addresses.contains(&record_type)
    {
        let text = format!(
            "{} has addresses, so RecordType has to be A or AAAA",
            service.as_str()
        );
        faults.add(&fields.path.field("Type"), text);
    }
}

fn host(fields: &Fields<'_>, text: &str, faults: &mut Faults) -> Option<Name> {
    let name = Name::parse(text).ok().filter(|name| {
        let is_address = text.parse::<IpAddr>().is_ok();
        !is_address && !name.is_root() && !name.is_wildcard()
    });
    if name.is_none() {
        let text = format!("'{}' is not the name of a host", echo(text));
        faults.add(&fields.path.field("Value"), text);
    }
    name.map(|name| name.to_lowercase())
}

/// A website is given by its own name, which has the region in it, or by its bucket's and the region.
fn website(
    fields: &Fields<'_>,
    value: &str,
    region: Option<&str>,
    faults: &mut Faults,
) -> Option<Name> {
    let name = host(fields, value, faults)?;
    if let Some(of_region) = whole_website(&name) {
        return Some(of_region);
    }
    let Some(given) = region else {
        let text = "is missing: the website is found by it where Value is a bucket's name";
        faults.add(&fields.path.field("Region"), text);
        return None;
    };
    let region = Region::new(given);
    if region.is_none() {
        let text = format!("there is no region '{}'", echo(given));
        faults.add(&fields.path.field("Region"), text);
    }
    Name::parse(&website_of(region?.as_str())).ok()
}

/// The host of all websites of a region, out of one website's name.
fn whole_website(name: &Name) -> Option<Name> {
    let mut rest = name.clone();
    // As many steps as the name has labels.
    loop {
        let first = rest.labels().next()?;
        let first = std::str::from_utf8(first).ok()?;
        let is_dashed = first.starts_with("s3-website-");
        if is_dashed || first == "s3-website" {
            return is_in_aws(&rest).then_some(rest);
        }
        rest = rest.parent()?;
    }
}

fn is_in_aws(name: &Name) -> bool {
    ["amazonaws.com", "amazonaws.com.cn"]
        .into_iter()
        .filter_map(|text| Name::parse(text).ok())
        .any(|aws| name.is_within(&aws))
}

fn website_of(region: &str) -> String {
    let between = if DASHED.contains(&region) { '-' } else { '.' };
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("s3-website{between}{region}.amazonaws.com{end}")
}
