//! `meridian health webhook`. It holds on to no file: who is told may take their time.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use serde_json::Value;

use crate::webhooks::{self, Hook};

/// Tells those of this name, or all, that they would be told. All are tried; it has to go well with
/// each.
pub(super) async fn test(hooks: &[Arc<Hook>], name: Option<&str>) -> Result<Value> {
    let wanted = |hook: &&Arc<Hook>| name.is_none_or(|name| name == hook.name);
    let (mut told, mut failed) = (Vec::new(), Vec::new());
    for hook in hooks.iter().filter(wanted) {
        match webhooks::test(hook).await {
            Ok(row) => told.push(row),
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    match (failed.is_empty(), told.is_empty(), name) {
        (false, true, _) => bail!(failed.join("; ")),
        (false, false, _) => {
            let taken = told.iter().filter_map(|row| row["webhook"].as_str());
            let taken: Vec<&str> = taken.collect();
            Err(anyhow!(
                "{}; taken by {}",
                failed.join("; "),
                taken.join(", ")
            ))
        }
        (true, true, Some(name)) => bail!("there is no webhook '{name}' in the configuration"),
        (true, true, None) => bail!("there are no [[webhooks]] in the configuration"),
        (true, false, _) => Ok(told.into()),
    }
}
