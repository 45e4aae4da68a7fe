//! `meridian user`.

use anyhow::Result;
use meridian_control::{NewUser, check_policy};
use meridian_model::{Policy, User};
use serde_json::{Value, json};

use super::Host;
use crate::admin::command::PolicyText;

pub(super) fn create(
    host: &Host,
    account: String,
    name: String,
    policies: Vec<PolicyText>,
) -> Result<Value> {
    let new = NewUser {
        account,
        name,
        policies: checked(policies)?,
    };
    Ok(shown(&host.control.create_user(&new)?))
}

pub(super) fn list(host: &Host, account: Option<&str>) -> Result<Value> {
    Ok(host.control.users(account)?.iter().map(shown).collect())
}

fn checked(policies: Vec<PolicyText>) -> Result<Vec<Policy>> {
    let checked = policies.into_iter().map(|PolicyText { name, document }| {
        check_policy(&document)?;
        Ok(Policy { name, document })
    });
    checked.collect()
}

fn shown(user: &User) -> Value {
    let policies: Vec<&str> = user
        .policies
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    json!({ "account": user.account.as_str(), "name": user.name, "policies": policies })
}
