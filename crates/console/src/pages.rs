//! The pages, one file each, and which path is whose. What they all have around them is here.

mod add;
mod change;
mod form;
mod remove;
mod set;
mod sign_in;
mod zone;
mod zones;

use askama::Template;
use axum::http::StatusCode;
use axum::http::request::Parts;

pub(crate) use self::sign_in::sign_in;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::visit::Visit;
use crate::words::Problem;

/// Where all begins.
pub(crate) const ROOT: &str = "/console/";
/// Where one signs in.
pub(crate) const SIGN_IN: &str = "/console/sign-in";

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// Our root, without the slash that paths of pages go on from.
    Bare,
    Style,
    SignIn,
    SignOut,
    Zones,
    /// With the zone's id.
    Zone(&'a str),
    Add(&'a str),
    Edit(&'a str),
    Remove(&'a str),
    /// With the change's id.
    Change(&'a str),
    Nothing,
}

impl<'a> Route<'a> {
    /// By a path as it was sent. No id has a character in it that would be escaped there.
    pub(crate) fn of(path: &'a str) -> Self {
        let Some(rest) = path.strip_prefix(ROOT) else {
            return Self::Bare;
        };
        let mut parts = rest.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(""), None, ..) => Self::Zones,
            (Some("style.css"), None, ..) => Self::Style,
            (Some("sign-in"), None, ..) => Self::SignIn,
            (Some("sign-out"), None, ..) => Self::SignOut,
            (Some("zones"), Some(id), None, _) => Self::Zone(id),
            (Some("zones"), Some(id), Some("add"), None) => Self::Add(id),
            (Some("zones"), Some(id), Some("edit"), None) => Self::Edit(id),
            (Some("zones"), Some(id), Some("remove"), None) => Self::Remove(id),
            (Some("changes"), Some(id), None, _) => Self::Change(id),
            _ => Self::Nothing,
        }
    }

    /// What is asked of control there; empty for nothing.
    pub(crate) const fn operation(self) -> &'static str {
        match self {
            Self::Zones => "ListHostedZonesByName",
            Self::Zone(_) => "ListResourceRecordSets",
            Self::Add(_) | Self::Edit(_) | Self::Remove(_) => "ChangeResourceRecordSets",
            Self::Change(_) => "GetChange",
            Self::SignOut => "ConsoleLogout",
            Self::Bare | Self::Style | Self::SignIn | Self::Nothing => "",
        }
    }
}

/// A page for somebody who is signed in; `fields` are of a form of this session.
pub(crate) fn answer(
    visit: &Visit<'_>,
    parts: &Parts,
    route: Route<'_>,
    query: &Fields,
    fields: Option<&Fields>,
) -> Result<Reply, Problem> {
    match (route, fields) {
        (Route::Zones, None) => zones::show(visit, query),
        (Route::Zone(id), None) => zone::show(visit, id, query),
        (Route::Add(id), None) => add::show(visit, id),
        (Route::Add(id), Some(fields)) => add::take(visit, id, fields),
        (Route::Edit(id), None) => add::edit(visit, id, query),
        (Route::Remove(id), None) => remove::show(visit, id, query),
        (Route::Remove(id), Some(fields)) => remove::take(visit, id, query, fields),
        (Route::Change(id), None) => change::show(visit, id),
        (Route::SignOut, Some(_)) => Ok(sign_in::sign_out(visit, parts)),
        (Route::Nothing | Route::SignOut | Route::Bare | Route::Style | Route::SignIn, _) => {
            let text = "There is no such page here.";
            Err(Problem::new(StatusCode::NOT_FOUND, "NoSuchPage", text))
        }
        (Route::Zones | Route::Zone(_) | Route::Edit(_) | Route::Change(_), Some(_)) => {
            let text = "This page takes no form.";
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Err(Problem::new(status, "MethodNotAllowed", text))
        }
    }
}

/// What is around a page.
#[derive(Debug, Clone)]
struct Shell {
    title: String,
    /// Whose page it is; none for nobody's.
    who: Option<Who>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
struct Who {
    /// The user; none for the account itself.
    user: Option<String>,
    account: String,
    token: String,
}

impl Shell {
    fn of(visit: &Visit<'_>, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            who: Some(Who {
                user: visit.caller.user.clone(),
                account: visit.caller.account.to_string(),
                token: visit.token.clone(),
            }),
        }
    }

    fn of_nobody(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            who: None,
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    shell: Shell,
    problem: &'a Problem,
    request_id: &'a str,
}

/// Says why there is no page.
pub(crate) fn problem(problem: &Problem, request_id: &str, visit: Option<&Visit<'_>>) -> Reply {
    const TITLE: &str = "That did not work";
    let shell = visit.map_or_else(|| Shell::of_nobody(TITLE), |visit| Shell::of(visit, TITLE));
    let page = ProblemPage {
        shell,
        problem,
        request_id,
    };
    Reply::page(problem.status, &page)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_lead_to_pages() {
        for (path, route) in [
            ("/console", Route::Bare),
            ("/console/", Route::Zones),
            ("/console/sign-in", Route::SignIn),
            ("/console/zones/Z1", Route::Zone("Z1")),
            ("/console/zones/Z1/add", Route::Add("Z1")),
            ("/console/zones/Z1/edit", Route::Edit("Z1")),
            ("/console/zones/Z1/remove", Route::Remove("Z1")),
            ("/console/zones/Z1/add/more", Route::Nothing),
            ("/console/changes/C1", Route::Change("C1")),
            ("/console/zones", Route::Nothing),
            ("/console//", Route::Nothing),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_people_wrote_is_text_in_every_page(text in "[<>\"'& a-z=/]{1,40}") {
            let wild = format!("<i>{text}\"'");
            let problem = Problem::input(wild.clone());
            let page = ProblemPage {
                shell: Shell {
                    title: wild.clone(),
                    who: Some(Who {
                        user: Some(wild.clone()),
                        account: "1".to_owned(),
                        token: "t".to_owned(),
                    }),
                },
                problem: &problem,
                request_id: "r",
            };
            let page = page.render().unwrap();
            prop_assert!(!page.contains("<i>") && !page.contains(&wild), "{page}");
        }

        #[test]
        fn any_path_leads_somewhere(path in "/console(/[a-zA-Z0-9%./-]{0,20}){0,6}") {
            let _ = Route::of(&path).operation();
        }
    }
}
