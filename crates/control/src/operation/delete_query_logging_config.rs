//! DeleteQueryLoggingConfig. What was logged stays.

use meridian_model::Effect;

use super::Outcome;
use super::get_query_logging_config::{own_query_logging_config, query_logging_config_arn};
use crate::caller::Caller;
use crate::control::Control;
use crate::rights::authorize;

impl Control {
    /// DeleteQueryLoggingConfig: the queries of its zone are logged no more.
    ///
    /// # Errors
    /// `NoSuchQueryLoggingConfig`.
    pub fn delete_query_logging_config(&self, caller: &Caller, id: &str) -> Outcome<()> {
        self.write(caller, |snapshot, _| {
            let resource = query_logging_config_arn(id);
            let action = "route53:DeleteQueryLoggingConfig";
            authorize(snapshot, caller, action, &resource)?;
            let config = own_query_logging_config(snapshot, caller, id)?;
            Ok(vec![Effect::DeleteQueryLoggingConfig(config.id)])
        })?;
        Ok(())
    }
}
