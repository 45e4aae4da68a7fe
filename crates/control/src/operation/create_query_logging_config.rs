//! CreateQueryLoggingConfig. Log groups are files here: which ones is the node's business.

use meridian_model::{
    AlreadyLogged, Effect, LogGroupArn, QueryLoggingConfig, plan_create_query_logging,
};

use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::query_logging::QueryLogging;
use crate::refusal::{Fault, Refusal};
use crate::request::CreateQueryLoggingConfig;
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// CreateQueryLoggingConfig: the queries of a public zone are logged from now on.
    ///
    /// # Errors
    /// `NoSuchHostedZone`; `InvalidInput` for a private zone and for what is no ARN of a log group
    /// in us-east-1; `NoSuchCloudWatchLogsLogGroup` for another account's log group;
    /// `InsufficientCloudWatchLogsResourcePolicy` where the operator does not have it;
    /// `QueryLoggingConfigAlreadyExists`.
    pub fn create_query_logging_config(
        &self,
        caller: &Caller,
        request: &CreateQueryLoggingConfig,
    ) -> Outcome<QueryLoggingConfig> {
        let id = request.hosted_zone_id.as_str();
        let effects = self.write_to(Some(id), caller, |snapshot, facts| {
            let action = "route53:CreateQueryLoggingConfig";
            authorize(snapshot, caller, action, &zone_arn(id))?;
            let zone = own_zone(snapshot, caller, id)?;
            if zone.private {
                let text = "Queries can be logged for public hosted zones only.";
                return Err(Refusal::InvalidInput(text.to_owned()).into());
            }
            let log_group = LogGroupArn::parse(&request.log_group_arn).map_err(|_| {
                let text = "The ARN for the CloudWatch Logs log group is invalid";
                Refusal::InvalidInput(text.to_owned())
            })?;
            if log_group.account() != caller.account.as_str() {
                return Err(Refusal::NoSuchCloudWatchLogsLogGroup.into());
            }
            if self.query_logging == QueryLogging::Refused {
                return Err(Refusal::InsufficientCloudWatchLogsResourcePolicy.into());
            }
            let words = |AlreadyLogged| Refusal::QueryLoggingConfigAlreadyExists;
            plan_create_query_logging(snapshot, facts, &zone, log_group)
                .map_err(|error| refused(error, words))
        })?;
        let made = effects.into_iter().find_map(|effect| match effect {
            Effect::PutQueryLoggingConfig(config) => Some(config),
            _ => None,
        });
        Ok(made.ok_or_else(|| Fault::Storage("a commit lost its configuration".to_owned()))?)
    }
}
