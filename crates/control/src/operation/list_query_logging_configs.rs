//! ListQueryLoggingConfigs.

use meridian_model::{QueryLoggingConfig, QueryLoggingConfigId, State};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ListQueryLoggingConfigs, QueryLoggingConfigPage};
use crate::rights::{authorize, own_zone, zone_arn};

/// The longest page.
const MAX_CONFIGS: usize = 100;

impl Control {
    /// ListQueryLoggingConfigs: a page of the account's configurations by id, or that of one zone.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidPaginationToken`.
    pub fn list_query_logging_configs(
        &self,
        caller: &Caller,
        request: &ListQueryLoggingConfigs,
    ) -> Outcome<QueryLoggingConfigPage> {
        let snapshot = self.fresh()?;
        let zone = request.hosted_zone_id.as_deref();
        let resource = zone.map_or_else(|| "*".to_owned(), zone_arn);
        authorize(
            &snapshot,
            caller,
            "route53:ListQueryLoggingConfigs",
            &resource,
        )?;
        let zone = zone.map(|id| own_zone(&snapshot, caller, id)).transpose()?;
        // A token is the id of the first configuration of the next page.
        let from = request.next_token.as_deref().map(|token| {
            QueryLoggingConfigId::new(token).map_err(|_| Refusal::InvalidPaginationToken)
        });
        let from = from.transpose()?;
        let limit = request.max_results.clamp(1, MAX_CONFIGS);
        let mut configs = match &zone {
            Some(zone) => {
                let config = snapshot.query_logging_of(&zone.id)?;
                let in_page = |config: &QueryLoggingConfig| {
                    from.as_ref().is_none_or(|from| *from <= config.id)
                };
                config.into_iter().filter(in_page).collect()
            }
            None => snapshot.query_logging_configs_of(&caller.account, from.as_ref(), limit + 1)?,
        };
        let rest = configs.split_off(limit.min(configs.len()));
        let next_token = rest.into_iter().next().map(|config| config.id.to_string());
        Ok(QueryLoggingConfigPage {
            configs,
            next_token,
        })
    }
}
