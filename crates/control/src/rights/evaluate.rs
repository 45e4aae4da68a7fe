//! What a user's policies say to a request, and which statements say it. Pure: the same policies
//! and question give the same answer.

use std::collections::BTreeSet;

use meridian_model::Policy;

use super::context::Context;
use super::document::{self, Effect};
use super::place::PolicyError;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// As in `route53:GetHostedZone`.
    pub action: &'a str,
    /// An ARN, or `*` for what concerns nothing in particular.
    pub resource: &'a str,
    /// What else the request brings.
    pub context: &'a Context,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it, whatever others say.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

impl Decision {
    /// IAM's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicitDeny",
            Self::ImplicitDeny => "implicitDeny",
        }
    }
}

/// The answer and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// The statements that are about the question, denials too.
    pub matched: Vec<Matched>,
    /// Context keys that statements about this action ask for and the question does not have.
    pub missing: Vec<&'static str>,
}

/// A statement that is about a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The policy's name.
    pub policy: String,
    /// Its place in the document, from 0.
    pub statement: usize,
    /// Its name, if it has one.
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
}

/// A policy that is attached cannot be kept to, so nothing is allowed beside it: it might deny.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy '{policy}' cannot be kept to: {error}")]
pub struct UnreadablePolicy {
    /// The policy's name.
    pub policy: String,
    /// What is wrong with it.
    pub error: PolicyError,
}

/// What the policies say to the question.
///
/// # Errors
/// [`UnreadablePolicy`] when one of them is not understood.
pub fn evaluate(policies: &[Policy], question: &Question<'_>) -> Result<Verdict, UnreadablePolicy> {
    let (mut matched, mut missing) = (Vec::new(), BTreeSet::new());
    for policy in policies {
        let document = document::parse(&policy.document).map_err(|error| UnreadablePolicy {
            policy: policy.name.clone(),
            error,
        })?;
        for (index, statement) in document.statements.into_iter().enumerate() {
            if statement.is_about_action(question.action) {
                let absent = |key: &_| question.context.values(*key).is_empty();
                missing.extend(statement.keys().filter(absent));
            }
            if statement.is_about(question) {
                matched.push(Matched {
                    policy: policy.name.clone(),
                    statement: index,
                    effect: statement.effect,
                    sid: statement.sid,
                });
            }
        }
    }
    let some = |effect| matched.iter().any(|each: &Matched| each.effect == effect);
    let decision = if some(Effect::Deny) {
        Decision::ExplicitDeny
    } else if some(Effect::Allow) {
        Decision::Allowed
    } else {
        Decision::ImplicitDeny
    };
    Ok(Verdict {
        decision,
        matched,
        missing: missing.into_iter().map(super::key::Key::name).collect(),
    })
}
