//! `meridian account`.

use anyhow::{Result, anyhow};
use meridian_model::{Account, ProbeRights};
use serde_json::{Value, json};

use super::{Host, time};

pub(super) fn create(host: &Host, name: &str) -> Result<Value> {
    Ok(shown(&host.control()?.create_account(name)?))
}

pub(super) fn list(host: &Host) -> Result<Value> {
    Ok(host.control()?.accounts()?.iter().map(shown).collect())
}

pub(super) fn show(host: &Host, account: &str) -> Result<Value> {
    let summary = host.control()?.account(account)?;
    let mut shown = shown(&summary.account);
    shown["created_at"] = time(summary.account.created_at).into();
    for (_, things, number) in summary.contents {
        shown[things.replace(' ', "_")] = number.into();
    }
    Ok(shown)
}

pub(super) fn rename(host: &Host, account: &str, name: &str) -> Result<Value> {
    Ok(shown(&host.control()?.rename_account(account, name)?))
}

pub(super) fn set(host: &Host, account: &str, probes: &str) -> Result<Value> {
    let mut all = ProbeRights::ALL.into_iter();
    let known = all.find(|rights| rights.as_str() == probes);
    let probes = known.ok_or_else(|| anyhow!("'{probes}' says nothing of what may be probed"))?;
    Ok(shown(&host.control()?.set_probe_rights(account, probes)?))
}

pub(super) fn delete(host: &Host, account: &str) -> Result<Value> {
    let gone = host.control()?.delete_account(account)?;
    Ok(json!({ "deleted": gone.id.as_str(), "name": gone.name }))
}

fn shown(account: &Account) -> Value {
    json!({
        "id": account.id.as_str(),
        "name": account.name,
        "operator": account.operator,
        "probes": account.probe_rights().as_str(),
    })
}
