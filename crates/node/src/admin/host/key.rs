//! `meridian key`.

use anyhow::Result;
use meridian_model::{AccessKey, KeyStatus};
use serde_json::{Value, json};

use super::Host;

pub(super) fn create(host: &Host, account: &str, user: Option<&str>) -> Result<Value> {
    let new = host.control.create_access_key(account, user)?;
    let mut shown = shown(&new.key);
    shown["secret_access_key"] = new.secret.0.as_str().into();
    Ok(shown)
}

pub(super) fn list(host: &Host, account: Option<&str>) -> Result<Value> {
    let keys = host.control.access_keys(account)?;
    Ok(keys.iter().map(shown).collect())
}

pub(super) fn set_status(host: &Host, id: &str, status: KeyStatus) -> Result<Value> {
    Ok(shown(&host.control.set_access_key_status(id, status)?))
}

pub(super) fn delete(host: &Host, id: &str) -> Result<Value> {
    host.control.delete_access_key(id)?;
    Ok(json!({ "deleted": id }))
}

fn shown(key: &AccessKey) -> Value {
    json!({
        "access_key_id": key.id.as_str(),
        "account": key.account.as_str(),
        "user": key.user,
        "status": match key.status {
            KeyStatus::Active => "Active",
            KeyStatus::Inactive => "Inactive",
        },
    })
}
