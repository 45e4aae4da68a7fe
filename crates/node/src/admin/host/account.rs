//! `meridian account`.

use anyhow::Result;
use meridian_model::Account;
use serde_json::{Value, json};

use super::Host;

pub(super) fn create(host: &Host, name: &str) -> Result<Value> {
    Ok(shown(&host.control.create_account(name)?))
}

pub(super) fn list(host: &Host) -> Result<Value> {
    Ok(host.control.accounts()?.iter().map(shown).collect())
}

fn shown(account: &Account) -> Value {
    json!({ "id": account.id.as_str(), "name": account.name, "operator": account.operator })
}
