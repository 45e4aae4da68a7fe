//! `meridian policy`, as far as it is about users of this server.

use anyhow::{Result, anyhow};
use serde_json::{Value, from_str, json};

use super::Host;
use crate::admin::command::Question;
use crate::admin::policy;

pub(super) fn show(host: &Host, account: &str, user: &str, name: &str) -> Result<Value> {
    let found = host.control()?.user(account, user)?.user;
    let found = found.policies.into_iter().find(|other| other.name == name);
    let found = found.ok_or_else(|| {
        anyhow!("the user '{user}' has no policy '{name}'; `meridian user show` names all")
    })?;
    let document: Value = from_str(&found.document)?;
    Ok(json!({ "name": found.name, "document": document }))
}

pub(super) fn test(host: &Host, account: &str, user: &str, question: &Question) -> Result<Value> {
    let (action, resource) = (question.action.as_str(), question.resource.as_str());
    let context = question.context()?;
    let verdict = host
        .control()?
        .simulate((account, user), (action, resource), context)?;
    Ok(policy::shown(question, &verdict))
}
