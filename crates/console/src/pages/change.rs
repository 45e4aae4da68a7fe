//! How far a change is.

use askama::Template;
use axum::http::StatusCode;
use meridian_control::{ChangeOutcome, ChangeStatus};

use super::Shell;
use crate::reply::Reply;
use crate::visit::{Call, Visit};
use crate::words::Problem;

#[derive(Template)]
#[template(path = "change.html")]
struct ChangePage {
    shell: Shell,
    change: ChangeOutcome,
    submitted: String,
}

impl ChangePage {
    fn is_in_sync(&self) -> bool {
        self.change.status == ChangeStatus::Insync
    }
}

/// The change of this id.
pub(super) fn show(visit: &Visit<'_>, id: &str) -> Result<Reply, Problem> {
    let call = Call::about("GetChange", "id", id);
    let change = visit.read(call, |control, caller| control.change(caller, id))?;
    let submitted = jiff::Timestamp::from_millisecond(change.change.submitted_at.0);
    let page = ChangePage {
        shell: Shell::of(visit, format!("Change {}", change.change.id)),
        submitted: submitted
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .strftime("%Y-%m-%d %H:%M:%S UTC")
            .to_string(),
        change,
    };
    Ok(Reply::page(StatusCode::OK, &page))
}
