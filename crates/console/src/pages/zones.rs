//! The zones of the account.

use askama::Template;
use axum::http::StatusCode;
use meridian_control::{HostedZone, ListHostedZonesByName};

use super::{ROOT, Shell};
use crate::fields::{Fields, link};
use crate::reply::Reply;
use crate::visit::{Call, Visit};
use crate::words::Problem;

/// How many stand on a page.
const MAX_ZONES: usize = 50;

#[derive(Template)]
#[template(path = "zones.html")]
struct ZonesPage {
    shell: Shell,
    zones: Vec<HostedZone>,
    /// Whether the list begins before this page.
    is_later: bool,
    next: Option<String>,
}

/// A page of them, by their names.
pub(super) fn show(visit: &Visit<'_>, query: &Fields) -> Result<Reply, Problem> {
    let request = ListHostedZonesByName {
        dns_name: query.said("name").map(str::to_owned),
        hosted_zone_id: query.said("id").map(str::to_owned),
        max_items: MAX_ZONES,
    };
    let call = Call {
        operation: "ListHostedZonesByName",
        ..Call::default()
    };
    let listed = visit.read(call, |control, caller| {
        control.list_hosted_zones_by_name(caller, &request)
    })?;
    let next = listed.next.as_ref().map(|zone| {
        let name = zone.name.to_string();
        link(
            ROOT,
            &[("name", Some(&name)), ("id", Some(zone.id.as_str()))],
        )
    });
    let page = ZonesPage {
        shell: Shell::of(visit, "Hosted zones"),
        zones: listed.zones,
        is_later: request.dns_name.is_some(),
        next,
    };
    Ok(Reply::page(StatusCode::OK, &page))
}
