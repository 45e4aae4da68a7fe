//! `meridian quota`.

use anyhow::{Result, anyhow};
use meridian_model::Quota;
use serde_json::{Value, json};

use super::Host;

pub(super) fn list(host: &Host, account: &str) -> Result<Value> {
    let quotas = host.control()?.quotas(account)?;
    let shown = quotas.into_iter().map(|known| {
        json!({
            "quota": known.quota.as_str(),
            "used": known.used,
            "used_by": known.by,
            "limit": known.limit,
            "default": known.quota.default_limit(),
        })
    });
    Ok(shown.collect())
}

pub(super) fn set(host: &Host, account: &str, quota: &str, limit: u64) -> Result<Value> {
    host.control()?.put_quota(account, known(quota)?, limit)?;
    Ok(json!({ "account": account, "quota": quota, "limit": limit }))
}

fn known(name: &str) -> Result<Quota> {
    let known = Quota::ALL
        .iter()
        .copied()
        .find(|known| known.as_str() == name);
    known.ok_or_else(|| {
        let names: Vec<&str> = Quota::ALL.iter().map(|quota| quota.as_str()).collect();
        let names = names.join(", ");
        anyhow!("there is no quota '{name}'; there are {names}")
    })
}
