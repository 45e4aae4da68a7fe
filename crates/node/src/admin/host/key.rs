//! `meridian key`.

use anyhow::Result;
use meridian_control::NewKey;
use meridian_model::{AccessKey, KeyStatus};
use serde_json::{Value, json};

use super::{Host, time};

pub(super) fn create(host: &Host, account: &str, user: Option<&str>) -> Result<Value> {
    let new = host.control()?.create_access_key(account, user)?;
    Ok(with_secret(host, &new))
}

pub(super) fn list(host: &Host, account: Option<&str>) -> Result<Value> {
    let keys = host.control()?.access_keys(account)?;
    Ok(keys.iter().map(|key| shown(host, key)).collect())
}

pub(super) fn rotate(host: &Host, id: &str) -> Result<Value> {
    let new = host.control()?.rotate_access_key(id)?;
    let mut shown = with_secret(host, &new);
    shown["replaces"] = id.into();
    Ok(shown)
}

pub(super) fn set_status(host: &Host, id: &str, status: KeyStatus) -> Result<Value> {
    let key = host.control()?.set_access_key_status(id, status)?;
    Ok(shown(host, &key))
}

pub(super) fn delete(host: &Host, id: &str) -> Result<Value> {
    host.control()?.delete_access_key(id)?;
    Ok(json!({ "deleted": id }))
}

pub(super) fn shown(host: &Host, key: &AccessKey) -> Value {
    let used = host.control().ok();
    let used = used.and_then(|control| control.last_use(&key.id));
    json!({
        "access_key_id": key.id.as_str(),
        "account": key.account.as_str(),
        "user": key.user,
        "status": match key.status {
            KeyStatus::Active => "Active",
            KeyStatus::Inactive => "Inactive",
        },
        "created_at": time(key.created_at),
        "last_used_at": used.as_ref().map(|used| time(used.at)),
        "last_used_from": used.map(|used| used.source),
    })
}

fn with_secret(host: &Host, new: &NewKey) -> Value {
    let mut shown = shown(host, &new.key);
    shown["secret_access_key"] = new.secret.0.as_str().into();
    shown
}
