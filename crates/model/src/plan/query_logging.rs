//! CreateQueryLoggingConfig. One goes when it is deleted, or with its zone.

use super::PlanError;
use crate::effect::Effect;
use crate::facts::Facts;
use crate::query_logging::{LogGroupArn, QueryLoggingConfig};
use crate::state::State;
use crate::zone::Zone;

/// The zone has a configuration: `QueryLoggingConfigAlreadyExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyLogged;

/// The effects that have a zone's queries logged.
///
/// # Errors
/// [`AlreadyLogged`], or the state's error.
pub fn plan_create_query_logging<S: State>(
    state: &S,
    facts: &mut Facts,
    zone: &Zone,
    log_group: LogGroupArn,
) -> Result<Vec<Effect>, PlanError<AlreadyLogged, S::Error>> {
    if state.query_logging_of(&zone.id)?.is_some() {
        return Err(PlanError::Refused(AlreadyLogged));
    }
    Ok(vec![Effect::PutQueryLoggingConfig(QueryLoggingConfig {
        id: facts.query_logging_config_id(),
        account: zone.account.clone(),
        zone: zone.id.clone(),
        log_group,
    })])
}
