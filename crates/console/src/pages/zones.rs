//! The zones of the account.

use askama::Template;
use axum::http::StatusCode;
use meridian_control::{HostedZone, ListHostedZonesByName};
use meridian_model::ZoneId;

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
    /// Why there is no list: somebody may see single zones all the same.
    problem: Option<Problem>,
}

/// A page of them, by their names.
pub(super) fn show(visit: &Visit<'_>, query: &Fields) -> Result<Reply, Problem> {
    if let Some(id) = query.said("open") {
        let id = id.trim().trim_start_matches("/hostedzone/");
        let id = ZoneId::new(id).map_err(|_| Problem::input("This is no id of a zone."))?;
        return Ok(Reply::to(&format!("/console/zones/{id}")));
    }
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
    });
    let (zones, next, problem) = match listed {
        Ok(listed) => (listed.zones, listed.next, None),
        Err(problem) if problem.status == StatusCode::FORBIDDEN => {
            (Vec::new(), None, Some(problem))
        }
        Err(problem) => return Err(problem),
    };
    let next = next.map(|zone| {
        let name = zone.name.to_string();
        link(
            ROOT,
            &[("name", Some(&name)), ("id", Some(zone.id.as_str()))],
        )
    });
    let page = ZonesPage {
        shell: Shell::of(visit, "Hosted zones"),
        zones,
        is_later: request.dns_name.is_some(),
        next,
        problem,
    };
    let status = page.problem.as_ref().map_or(StatusCode::OK, |it| it.status);
    Ok(Reply::page(status, &page))
}
