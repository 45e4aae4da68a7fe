//! TestDNSAnswer. With `explain=json`, which is ours and not Route 53's, it answers why.

use std::net::{IpAddr, Ipv6Addr};

use meridian_control::{Supposed, TestDnsAnswer, TestProtocol};
use meridian_dns::RecordType;

use super::call::{Call, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::DNS_NAME;
use crate::fault::{ErrorResponse, Failure};
use crate::xml::TextFacets;

pub(super) const ROUTE: Route = Route {
    operation: "TestDNSAnswer",
    method: "GET",
    pattern: "/testdnsanswer",
    handler: Some(handle),
};

/// `IPAddress`; what it must look like is found out by reading it.
const IP_ADDRESS: TextFacets = TextFacets::new("IPAddress", 0, 45);
/// `SubnetMask`.
const SUBNET_MASK: TextFacets = TextFacets::new("SubnetMask", 0, 3);

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let types = RecordType::ALL.map(|rtype| (rtype.as_str(), rtype));
    let zone = bare(
        query
            .text("hostedzoneid")
            .ok_or_else(|| absent("hostedZoneId"))?,
    );
    let name = query.checked("recordname", &DNS_NAME)?;
    let rtype = query.choice("recordtype", "recordType", types)?;
    let request = TestDnsAnswer {
        hosted_zone_id: RESOURCE_ID.check(zone)?,
        record_name: name.ok_or_else(|| absent("recordName"))?,
        record_type: rtype.ok_or_else(|| absent("recordType"))?,
        resolver: address(call, "resolverip")?,
        client: address(call, "edns0clientsubnetip")?,
        client_mask: mask(call)?,
    };
    if query
        .choice("explain", "explain", [("json", ())])?
        .is_some()
    {
        let supposed = supposed(call)?;
        let operations = call.operations;
        let told = operations.explain_dns_answer(call.caller, &request, &supposed)?;
        return Ok(Reply::json(told));
    }
    let answer = call.operations.test_dns_answer(call.caller, &request)?;
    Ok(Reply::ok("TestDNSAnswerResponse", |doc| {
        let name_server = answer.name_server.to_string();
        doc.text("Nameserver", name_server.trim_end_matches('.'));
        doc.text("RecordName", &request.record_name);
        doc.text("RecordType", request.record_type);
        doc.element("RecordData", |doc| {
            for data in &answer.data {
                doc.text("RecordDataEntry", data);
            }
        });
        doc.text("ResponseCode", &answer.rcode);
        doc.text(
            "Protocol",
            match answer.protocol {
                TestProtocol::Udp => "UDP",
                TestProtocol::Tcp => "TCP",
            },
        );
    }))
}

/// `region=REGION` and `health=ID:up,ID:down`, of which there may be this many.
fn supposed(call: &Call<'_>) -> Result<Supposed, Failure> {
    const MOST: usize = 256;
    let health = call.query.text("health").unwrap_or_default().split(',');
    let health = health.filter(|part| !part.is_empty()).map(|part| {
        let state = match part.split_once(':') {
            Some((id, "up")) => Some((id, true)),
            Some((id, "down")) => Some((id, false)),
            _ => None,
        };
        let invalid = || ErrorResponse::invalid_input(format!("'{part}' is not ID:up or ID:down."));
        let (id, up) = state.ok_or_else(invalid)?;
        Ok::<_, Failure>((id.to_owned(), up))
    });
    let health: Vec<_> = health.take(MOST + 1).collect::<Result<_, _>>()?;
    if health.len() > MOST {
        let text = format!("At most {MOST} health checks can be supposed to be up or down.");
        return Err(ErrorResponse::invalid_input(text).into());
    }
    Ok(Supposed {
        region: call.query.text("region").map(str::to_owned),
        health,
    })
}

fn absent(member: &str) -> ErrorResponse {
    ErrorResponse::invalid_input(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
         Member must not be null"
    ))
}

fn address(call: &Call<'_>, parameter: &str) -> Result<Option<IpAddr>, Failure> {
    let Some(text) = call.query.checked(parameter, &IP_ADDRESS)? else {
        return Ok(None);
    };
    let address: Result<IpAddr, _> = match text.split_once('%') {
        // A link-local address may say which link, which means nothing here.
        Some((address, _)) => address.parse::<Ipv6Addr>().map(IpAddr::V6),
        None => text.parse(),
    };
    let invalid = |_| ErrorResponse::invalid_input(format!("'{text}' is not an IP address."));
    Ok(Some(address.map_err(invalid)?.to_canonical()))
}

fn mask(call: &Call<'_>) -> Result<Option<u8>, Failure> {
    let text = call.query.checked("edns0clientsubnetmask", &SUBNET_MASK)?;
    let number = |text: String| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = text.parse().ok().filter(|_| digits);
        let invalid = || ErrorResponse::invalid_input(format!("'{text}' is not a subnet mask."));
        parsed.ok_or_else(invalid)
    };
    Ok(text.map(number).transpose()?)
}
