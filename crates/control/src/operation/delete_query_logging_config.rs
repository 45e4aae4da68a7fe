//! DeleteQueryLoggingConfig. What was logged stays.

use meridian_model::{Effect, ZoneId};

use super::Outcome;
use super::get_query_logging_config::{own_query_logging_config, query_logging_config_arn};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::OperationError;
use crate::rights::authorize;

impl Control {
    /// DeleteQueryLoggingConfig: the queries of its zone are logged no more.
    ///
    /// # Errors
    /// `NoSuchQueryLoggingConfig`.
    pub fn delete_query_logging_config(&self, caller: &Caller, id: &str) -> Outcome<()> {
        let zone = self.zone_of(caller, id)?;
        let zone = zone.as_ref().map(ZoneId::as_str);
        self.write_to(zone, caller, |snapshot, _| {
            let resource = query_logging_config_arn(id);
            let action = "route53:DeleteQueryLoggingConfig";
            authorize(snapshot, caller, action, &resource)?;
            let config = own_query_logging_config(snapshot, caller, id)?;
            Ok(vec![Effect::DeleteQueryLoggingConfig(config.id)])
        })?;
        Ok(())
    }

    /// In whose line the request stands: that of the zone, if the caller has such a configuration.
    fn zone_of(&self, caller: &Caller, id: &str) -> Outcome<Option<ZoneId>> {
        match own_query_logging_config(&self.fresh()?, caller, id) {
            Ok(config) => Ok(Some(config.zone)),
            // The caller may have no right to hear of it.
            Err(OperationError::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
