//! Who may do what: IAM JSON policies, as much of them as means something here.
//!
//! The account itself may do everything in itself; a user what the attached policies allow and
//! none denies. A document with anything that is not understood is refused when it is attached,
//! and allows nothing should it be met all the same. Rights end at the account: see [`own_zone`].

#![warn(clippy::indexing_slicing)]

mod actions;
mod condition;
mod context;
mod document;
mod evaluate;
mod key;
mod moment;
mod operator;
mod pattern;
mod place;
mod range;
mod ready_made;
#[cfg(test)]
mod tests;

use meridian_log::Snapshot;
use meridian_model::Zone;

pub use actions::odd_question;
pub use context::{Context, ContextError};
pub use document::Effect;
pub use evaluate::{Decision, Matched, Question, UnreadablePolicy, Verdict, evaluate};
pub use place::PolicyError;
pub use ready_made::{ReadyMade, ReadyMadeError, ReadyMadePolicy};

use crate::caller::Caller;
use crate::refusal::{Denial, OperationError, Refusal};

/// The most characters of a policy document, white space not counted, as for IAM's managed ones.
pub const MAX_CHARACTERS: usize = 6144;
/// The most characters of a policy's name, as in IAM.
pub(crate) const MAX_NAME: usize = 128;

/// Refuses unless the caller may do `action` (as in `route53:GetHostedZone`) to `resource`: an
/// ARN, or `*` where IAM's reference of Route 53's actions names no type of resource.
pub(crate) fn authorize(
    snapshot: &Snapshot,
    caller: &Caller,
    action: &str,
    resource: &str,
) -> Result<(), OperationError> {
    authorize_with(snapshot, caller, action, resource, Context::default)
}

/// The same for a request that brings more than every request does.
pub(crate) fn authorize_with(
    snapshot: &Snapshot,
    caller: &Caller,
    action: &str,
    resource: &str,
    context: impl FnOnce() -> Context,
) -> Result<(), OperationError> {
    // A request may be on its way when its account is deleted: nothing must be made in it then.
    let account = snapshot.account(&caller.account)?;
    let Some(name) = &caller.user else {
        return match account {
            Some(_) => Ok(()),
            None => Err(denied(caller, action, resource, Denial::Implicit)),
        };
    };
    let user = snapshot.user(&caller.account, name)?;
    let policies = user.map(|user| user.policies).unwrap_or_default();
    let context = context().of_caller(caller, name);
    let question = Question {
        action,
        resource,
        context: &context,
    };
    let why = match evaluate(&policies, &question).map(|verdict| verdict.decision) {
        Ok(Decision::Allowed) => return Ok(()),
        Ok(Decision::ImplicitDeny) => Denial::Implicit,
        Ok(Decision::ExplicitDeny) => Denial::Explicit,
        Err(UnreadablePolicy { policy, .. }) => Denial::Unreadable(policy),
    };
    Err(denied(caller, action, resource, why))
}

fn denied(caller: &Caller, action: &str, resource: &str, why: Denial) -> OperationError {
    Refusal::AccessDenied {
        principal: caller.arn(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        why,
    }
    .into()
}

/// The zone, if it exists and belongs to the caller's account. One of another account is refused
/// in the very words for one that does not exist.
pub(crate) fn own_zone(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Result<Zone, OperationError> {
    use meridian_model::{State, ZoneId};
    let missing = || Refusal::NoSuchHostedZone(id.to_owned());
    let id = ZoneId::new(id).map_err(|_| missing())?;
    let zone = snapshot.zone(&id)?;
    let own = zone.filter(|zone| zone.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The ARN of a hosted zone.
pub(crate) fn zone_arn(id: &str) -> String {
    format!("arn:aws:route53:::hostedzone/{id}")
}

/// Whether a document can be kept to.
///
/// # Errors
/// [`PolicyError`] says what is wrong with it, and where.
pub fn check_policy(document: &str) -> Result<(), PolicyError> {
    document::parse(document).map(drop)
}

/// The statements of a document, from 0, that are about no action of Route 53's: they do nothing
/// here, which may be a slip of the pen.
///
/// # Errors
/// [`PolicyError`] when the document cannot be kept to.
pub fn idle_statements(document: &str) -> Result<Vec<usize>, PolicyError> {
    let statements = document::parse(document)?.statements;
    let idle = |statement: &document::Statement| {
        !actions::names().any(|action| statement.is_about_action(&action))
    };
    let places = statements.iter().enumerate();
    Ok(places
        .filter(|(_, statement)| idle(statement))
        .map(|(place, _)| place)
        .collect())
}
