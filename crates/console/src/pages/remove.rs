//! Taking a record set away: what it is, once more, and then doing it.

use askama::Template;
use axum::http::StatusCode;
use meridian_control::ChangeRecordSets;
use meridian_model::{Action, Draft, DraftChange, RecordSet};

use super::Shell;
use super::add::mark;
use super::set::ShownSet;
use super::zone::{GONE, found};
use crate::fields::{Fields, link};
use crate::random;
use crate::reply::Reply;
use crate::visit::Visit;
use crate::words::Problem;

#[derive(Template)]
#[template(path = "remove.html")]
struct RemovePage {
    shell: Shell,
    zone: String,
    set: ShownSet,
    /// Where the form goes.
    action: String,
    /// A digest of what is shown.
    shown: String,
    once: String,
    problem: Option<Problem>,
}

/// Asks whether this is meant.
pub(super) fn show(visit: &Visit<'_>, id: &str, query: &Fields) -> Result<Reply, Problem> {
    let set = found(visit, id, query)?;
    Ok(page(visit, id, query, &set, None))
}

/// Takes it away, if it is what was shown.
pub(super) fn take(
    visit: &Visit<'_>,
    id: &str,
    query: &Fields,
    fields: &Fields,
) -> Result<Reply, Problem> {
    let set = match found(visit, id, query) {
        // A second click finds what the first has done.
        Err(problem) if problem.code == GONE => return Ok(Reply::to(&zone_page(id))),
        found => found?,
    };
    let draft = Draft::from(&set);
    if fields.text("shown") != mark(&draft) {
        let text = "The record set has been changed since it was shown. This is what it is now.";
        let problem = Problem::new(StatusCode::CONFLICT, "Changed", text);
        return Ok(page(visit, id, query, &set, Some(problem)));
    }
    let batch = ChangeRecordSets {
        hosted_zone_id: id.to_owned(),
        comment: None,
        changes: vec![DraftChange {
            action: Action::Delete,
            set: draft,
        }],
    };
    match visit.change_record_sets(&batch) {
        Ok(change) => Ok(Reply::to(&format!("/console/changes/{change}"))),
        Err(problem) if problem.is_refusal() => Ok(page(visit, id, query, &set, Some(problem))),
        Err(problem) => Err(problem),
    }
}

fn page(
    visit: &Visit<'_>,
    id: &str,
    query: &Fields,
    set: &RecordSet,
    problem: Option<Problem>,
) -> Reply {
    let fields = ["name", "type", "identifier"].map(|name| (name, query.said(name)));
    let page = RemovePage {
        shell: Shell::of(visit, "Remove a record set"),
        zone: id.to_owned(),
        action: link(&(zone_page(id) + "/remove"), &fields),
        shown: mark(&Draft::from(set)),
        once: random::request_id(),
        set: ShownSet::of(set, id),
        problem,
    };
    let status = page.problem.as_ref().map_or(StatusCode::OK, |it| it.status);
    Reply::page(status, &page)
}

fn zone_page(id: &str) -> String {
    format!("/console/zones/{id}")
}
