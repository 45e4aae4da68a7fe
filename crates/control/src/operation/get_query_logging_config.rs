//! GetQueryLoggingConfig, and how every operation finds a configuration that a caller names.

use meridian_log::Snapshot;
use meridian_model::{QueryLoggingConfig, QueryLoggingConfigId};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::rights::authorize;

impl Control {
    /// GetQueryLoggingConfig.
    ///
    /// # Errors
    /// `NoSuchQueryLoggingConfig`, for those of other accounts too.
    pub fn query_logging_config(&self, caller: &Caller, id: &str) -> Outcome<QueryLoggingConfig> {
        let snapshot = self.fresh()?;
        let resource = query_logging_config_arn(id);
        authorize(
            &snapshot,
            caller,
            "route53:GetQueryLoggingConfig",
            &resource,
        )?;
        own_query_logging_config(&snapshot, caller, id)
    }
}

/// The configuration, if it exists and belongs to the caller's account.
pub(super) fn own_query_logging_config(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Outcome<QueryLoggingConfig> {
    let missing = || Refusal::NoSuchQueryLoggingConfig;
    let id = QueryLoggingConfigId::new(id).map_err(|_| missing())?;
    let config = snapshot.query_logging_config(&id)?;
    let own = config.filter(|config| config.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The ARN of a query logging configuration.
pub(super) fn query_logging_config_arn(id: &str) -> String {
    format!("arn:aws:route53:::queryloggingconfig/{id}")
}
