//! Adding a record, or changing one: the form, what would be written with what was filled in, and writing it.

use std::fmt;

use askama::Template;
use axum::http::StatusCode;
use meridian_control::{DraftedSets, HostedZone, Unfilled};
use meridian_dns::RecordType;
use meridian_model::{Draft, Region};

use super::Shell;
use super::form::RecordForm;
use super::set::ShownSet;
use super::zone::{Start, found, hosted, stored};
use crate::fields::Fields;
use crate::random;
use crate::reply::Reply;
use crate::visit::{Call, Visit};
use crate::words::Problem;

const DRAFT: &str = "DraftResourceRecordSets";

/// The policies by their names in the form and for people.
const POLICIES: [(&str, &str); 8] = [
    ("simple", "Simple"),
    ("latency", "Latency"),
    ("weighted", "Weighted"),
    ("failover", "Failover"),
    ("geolocation", "Geolocation"),
    ("geoproximity", "Geoproximity"),
    ("ip-based", "IP-based"),
    ("multivalue", "Multivalue"),
];
const CONTINENTS: [(&str, &str); 7] = [
    ("AF", "Africa"),
    ("AN", "Antarctica"),
    ("AS", "Asia"),
    ("EU", "Europe"),
    ("NA", "North America"),
    ("OC", "Oceania"),
    ("SA", "South America"),
];

#[derive(Template)]
#[template(path = "add.html")]
struct AddPage {
    shell: Shell,
    heading: &'static str,
    zone: HostedZone,
    form: RecordForm,
    /// AWS's, and those of the operator's own.
    regions: Vec<String>,
    problem: Option<Problem>,
}

impl AddPage {
    /// All types but that which each zone has one of, unless it is that one.
    fn types(&self) -> impl Iterator<Item = &'static str> {
        let types = RecordType::ALL.into_iter().map(RecordType::as_str);
        let soa = RecordType::Soa.as_str();
        types.filter(move |rtype| *rtype != soa || self.form.rtype == soa)
    }

    fn policies(&self) -> [(&'static str, &'static str); 8] {
        POLICIES
    }

    fn continents(&self) -> [(&'static str, &'static str); 7] {
        CONTINENTS
    }
}

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage {
    shell: Shell,
    zone: HostedZone,
    form: RecordForm,
    sets: Vec<ShownSet>,
    /// Of what is there of them, as far as that is to be replaced.
    replaced: Vec<ShownSet>,
    /// Digests of what is shown.
    shown: String,
    present: String,
    once: String,
    has_changed: bool,
}

impl PreviewPage {
    fn is_marked(&self) -> bool {
        self.sets.iter().any(ShownSet::is_marked)
    }
}

/// The empty form.
pub(super) fn show(visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let zone = hosted(visit, id)?;
    Ok(form(visit, zone, RecordForm::empty(), None))
}

/// The form of a record set that is there.
pub(super) fn edit(visit: &Visit<'_>, id: &str, query: &Fields) -> Result<Reply, Problem> {
    let set = found(visit, id, query)?;
    let zone = hosted(visit, id)?;
    let filled = RecordForm::of(&Draft::from(&set), &zone.zone.name.to_string());
    Ok(form(visit, zone, filled, None))
}

/// Shows what the form stands for, or writes it; or goes back to the form.
pub(super) fn take(visit: &Visit<'_>, id: &str, fields: &Fields) -> Result<Reply, Problem> {
    let typed = RecordForm::read(fields);
    let zone = hosted(visit, id)?;
    if fields.text("step") == "edit" {
        return Ok(form(visit, zone, typed, None));
    }
    let step = match fields.text("step") {
        "write" => Step::Write {
            shown: fields.text("shown"),
            present: fields.text("present"),
        },
        _ => Step::Show,
    };
    match taken(visit, id, &typed, step) {
        Ok(Taken::Drafted(drafted, present)) => {
            let has_changed = matches!(step, Step::Write { .. });
            Ok(preview(
                visit,
                zone,
                typed,
                (&drafted, &present),
                has_changed,
            ))
        }
        Ok(Taken::Written(change)) => Ok(Reply::to(&format!("/console/changes/{change}"))),
        Err(problem) if problem.is_refusal() => Ok(form(visit, zone, typed, Some(problem))),
        Err(problem) => Err(problem),
    }
}

/// What is to become of a form.
#[derive(Clone, Copy)]
enum Step<'a> {
    Show,
    /// If it still means what was shown, and replaces what was shown, by their marks.
    Write {
        shown: &'a str,
        present: &'a str,
    },
}

/// What has become of it.
enum Taken {
    /// With what is there of it, and would be replaced.
    Drafted(DraftedSets, Vec<Draft>),
    /// The id of the change.
    Written(String),
}

fn taken(
    visit: &Visit<'_>,
    id: &str,
    typed: &RecordForm,
    step: Step<'_>,
) -> Result<Taken, Problem> {
    let call = || Call::about(DRAFT, "hostedZoneId", id);
    let addition = typed.addition(id)?;
    let (drafted, is_same) = visit.read(call(), |control, caller| {
        let drafted = control.draft_record_sets(caller, &addition)?;
        let is_same = matches!(step, Step::Write { shown, .. } if shown == mark(&drafted.batch));
        if !is_same {
            control.check_record_sets(caller, &drafted.batch)?;
        }
        Ok::<_, Unfilled>((drafted, is_same))
    })?;
    let present = match typed.replace {
        true => present(visit, id, &drafted)?,
        false => Vec::new(),
    };
    if let Step::Write { present: seen, .. } = step
        && is_same
    {
        // Where all is there already, this is the same form once more.
        let is_there = drafted.sets.iter().all(|set| present.contains(&set.draft));
        if is_there || seen == mark(&present) {
            return visit.change_record_sets(&drafted.batch).map(Taken::Written);
        }
        visit.read(call(), |control, caller| {
            control.check_record_sets(caller, &drafted.batch)
        })?;
    }
    Ok(Taken::Drafted(drafted, present))
}

/// What is there under the names, types and identifiers of these.
fn present(visit: &Visit<'_>, id: &str, drafted: &DraftedSets) -> Result<Vec<Draft>, Problem> {
    let found = drafted.sets.iter().filter_map(|set| {
        let place = Start {
            name: Some(&set.draft.name),
            rtype: Some(set.draft.rtype.as_str()),
            identifier: set.draft.set_identifier.as_deref(),
        };
        stored(visit, id, &place).transpose()
    });
    found.map(|set| Ok(Draft::from(&set?))).collect()
}

fn form(visit: &Visit<'_>, zone: HostedZone, form: RecordForm, problem: Option<Problem>) -> Reply {
    let heading = match form.replace {
        false => "Add a record",
        true => "Change a record",
    };
    let title = match problem {
        None => heading.to_owned(),
        Some(_) => format!("Refused: {}", heading.to_ascii_lowercase()),
    };
    let own = visit.desk.control.own_regions().unwrap_or_default();
    let own = own
        .into_iter()
        .map(|region| region.name.as_str().to_owned());
    let page = AddPage {
        shell: Shell::of(visit, title),
        heading,
        zone,
        form,
        regions: Region::known().map(str::to_owned).chain(own).collect(),
        problem,
    };
    let status = page.problem.as_ref().map_or(StatusCode::OK, |it| it.status);
    Reply::page(status, &page)
}

fn preview(
    visit: &Visit<'_>,
    zone: HostedZone,
    form: RecordForm,
    (drafted, present): (&DraftedSets, &[Draft]),
    has_changed: bool,
) -> Reply {
    let sets = drafted.sets.iter().map(|set| {
        let shown = ShownSet::of_draft(&set.draft).with_region_from(set.region_source);
        shown.with_marks(&form)
    });
    let page = PreviewPage {
        shell: Shell::of(visit, "What would be written"),
        sets: sets.collect(),
        replaced: present.iter().map(ShownSet::of_draft).collect(),
        shown: mark(&drafted.batch),
        present: mark(&present),
        once: random::request_id(),
        zone,
        form,
        has_changed,
    };
    let status = match has_changed {
        true => StatusCode::CONFLICT,
        false => StatusCode::OK,
    };
    Reply::page(status, &page)
}

/// What tells this from anything else that might be shown.
pub(super) fn mark(shown: &impl fmt::Debug) -> String {
    random::mark_of(&[format!("{shown:?}").as_bytes()])
}
