//! One zone and its record sets.

use askama::Template;
use axum::http::StatusCode;
use meridian_control::{HostedZone, ListRecordSets};
use meridian_dns::RecordType;
use meridian_model::RecordSet;

use super::Shell;
use super::set::ShownSet;
use crate::fields::{Fields, link};
use crate::reply::Reply;
use crate::visit::{Call, Visit};
use crate::words::Problem;

/// How many stand on a page.
const MAX_SETS: usize = 100;

/// The code of a record set that is not there.
pub(super) const GONE: &str = "NoSuchRecordSet";

#[derive(Template)]
#[template(path = "zone.html")]
struct ZonePage {
    shell: Shell,
    zone: HostedZone,
    sets: Vec<ShownSet>,
    /// The name that was asked for, if the list begins before this page.
    from: Option<String>,
    next: Option<String>,
}

/// A page of its record sets.
pub(super) fn show(visit: &Visit<'_>, id: &str, query: &Fields) -> Result<Reply, Problem> {
    let found = hosted(visit, id)?;
    let from = Start {
        name: query.said("name"),
        rtype: query.said("type"),
        identifier: query.said("identifier"),
    };
    let (sets, next) = listed(visit, id, &from, MAX_SETS)?;
    let next = next.map(|key| {
        let name = key.name.to_string();
        let fields = [
            ("name", Some(name.as_str())),
            ("type", Some(key.rtype.as_str())),
            ("identifier", key.set_identifier.as_deref()),
        ];
        link(&format!("/console/zones/{id}"), &fields)
    });
    let shown = sets.iter().map(|set| {
        let mut shown = ShownSet::of(set, id);
        let of_zone = matches!(set.key.rtype, RecordType::Ns | RecordType::Soa);
        if of_zone && set.key.name == found.zone.name || set.traffic_policy_instance_id.is_some() {
            // Those it is made with stay; those of an instance go with it.
            shown.remove = None;
        }
        shown
    });
    let page = ZonePage {
        shell: Shell::of(visit, found.zone.name.to_string()),
        sets: shown.collect(),
        zone: found,
        from: query.said("name").map(str::to_owned),
        next,
    };
    Ok(Reply::page(StatusCode::OK, &page))
}

/// The record set of a name, type and identifier.
pub(super) fn stored(
    visit: &Visit<'_>,
    id: &str,
    place: &Start<'_>,
) -> Result<Option<RecordSet>, Problem> {
    let (sets, _) = listed(visit, id, place, 1)?;
    Ok(sets.into_iter().find(|set| {
        place.name == Some(&*set.key.name.to_string())
            && place.rtype == Some(set.key.rtype.as_str())
            && place.identifier == set.key.set_identifier.as_deref()
    }))
}

/// The record set that a link names.
pub(super) fn found(visit: &Visit<'_>, id: &str, query: &Fields) -> Result<RecordSet, Problem> {
    let place = Start {
        name: query.said("name"),
        rtype: query.said("type"),
        identifier: query.said("identifier"),
    };
    let missing = || {
        let text = "There is no such record set in the zone any more.";
        Problem::new(StatusCode::NOT_FOUND, GONE, text)
    };
    stored(visit, id, &place)?.ok_or_else(missing)
}

/// Where a list of record sets begins.
pub(super) struct Start<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) rtype: Option<&'a str>,
    pub(super) identifier: Option<&'a str>,
}

/// The zone itself.
pub(super) fn hosted(visit: &Visit<'_>, id: &str) -> Result<HostedZone, Problem> {
    let call = Call::about("GetHostedZone", "hostedZoneId", id);
    visit.read(call, |control, caller| control.hosted_zone(caller, id))
}

/// Its record sets from a place on, and the first of those behind them.
pub(super) fn listed(
    visit: &Visit<'_>,
    id: &str,
    from: &Start<'_>,
    max_items: usize,
) -> Result<(Vec<RecordSet>, Option<meridian_model::SetKey>), Problem> {
    let rtype = match from.rtype.map(str::parse) {
        Some(Ok(rtype)) => Some(rtype),
        Some(Err(_)) => return Err(Problem::input("There is no such record type.")),
        None => None,
    };
    let request = ListRecordSets {
        hosted_zone_id: id.to_owned(),
        name: from.name.map(str::to_owned),
        rtype,
        identifier: from.identifier.map(str::to_owned),
        max_items,
    };
    let call = Call::about("ListResourceRecordSets", "hostedZoneId", id);
    let page = visit.read(call, |control, caller| {
        control.list_record_sets(caller, &request)
    })?;
    Ok((page.sets, page.next))
}
