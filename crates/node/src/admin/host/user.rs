//! `meridian user`.

use anyhow::Result;
use meridian_control::{NewPolicy, NewUser, ReadyMade};
use meridian_model::{Policy, User};
use serde_json::{Value, json};

use super::{Host, key, time};
use crate::admin::command::PolicySource;

pub(super) fn create(
    host: &Host,
    account: String,
    name: String,
    policies: Vec<PolicySource>,
) -> Result<Value> {
    let new = NewUser {
        account,
        name,
        policies: read(policies)?,
    };
    Ok(shown(&host.control()?.create_user(&new)?))
}

pub(super) fn list(host: &Host, account: Option<&str>) -> Result<Value> {
    Ok(host.control()?.users(account)?.iter().map(shown).collect())
}

pub(super) fn show(host: &Host, account: &str, name: &str) -> Result<Value> {
    let found = host.control()?.user(account, name)?;
    let mut shown = shown(&found.user);
    shown["created_at"] = time(found.user.created_at).into();
    let keys = found.keys.iter().map(|each| key::shown(host, each));
    shown["access_keys"] = keys.collect();
    Ok(shown)
}

pub(super) fn delete(host: &Host, account: &str, name: &str) -> Result<Value> {
    let gone = host.control()?.delete_user(account, name)?;
    let keys: Vec<&str> = gone.keys.iter().map(|key| key.id.as_str()).collect();
    let account = gone.user.account.as_str();
    Ok(json!({ "account": account, "deleted": gone.user.name, "deleted_access_keys": keys }))
}

pub(super) fn attach(
    host: &Host,
    account: &str,
    name: &str,
    policies: Vec<PolicySource>,
) -> Result<Value> {
    let policies = read(policies)?;
    let user = host.control()?.attach_policies(account, name, &policies)?;
    Ok(shown(&user))
}

pub(super) fn detach(host: &Host, account: &str, name: &str, policies: &[String]) -> Result<Value> {
    let user = host.control()?.detach_policies(account, name, policies)?;
    Ok(shown(&user))
}

fn read(policies: Vec<PolicySource>) -> Result<Vec<NewPolicy>> {
    let read = policies.into_iter().map(|policy| match policy {
        PolicySource::ReadyMade(text) => Ok(NewPolicy::ReadyMade(ReadyMade::parse(&text)?)),
        PolicySource::Document { name, document } => {
            Ok(NewPolicy::Document(Policy { name, document }))
        }
    });
    read.collect()
}

fn shown(user: &User) -> Value {
    let policies: Vec<&str> = user
        .policies
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    json!({ "account": user.account.as_str(), "name": user.name, "policies": policies })
}
