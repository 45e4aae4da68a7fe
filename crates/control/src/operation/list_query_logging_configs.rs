//! ListQueryLoggingConfigs.

use meridian_model::{QueryLoggingConfig, QueryLoggingConfigId, State};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::page_token;
use crate::refusal::Refusal;
use crate::request::{ListQueryLoggingConfigs, QueryLoggingConfigPage};
use crate::rights::{authorize, own_zone, zone_arn};

/// What its tokens are told by.
const LIST: &str = "query logging configs";
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
        let from = request.next_token.as_deref().map(first_of).transpose()?;
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
        let next_token = rest.first().map(|config| token_of(&config.id));
        Ok(QueryLoggingConfigPage {
            configs,
            next_token,
        })
    }
}

/// A token is the id of the first configuration of the next page.
fn token_of(id: &QueryLoggingConfigId) -> String {
    page_token::write(LIST, &[id.as_str().as_bytes()])
}

fn first_of(token: &str) -> Result<QueryLoggingConfigId, Refusal> {
    let [id] = page_token::read(LIST, token)?;
    let id = String::from_utf8(id).ok();
    id.and_then(|id| QueryLoggingConfigId::new(&id).ok())
        .ok_or(Refusal::InvalidPaginationToken)
}
