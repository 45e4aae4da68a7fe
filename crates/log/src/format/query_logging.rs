//! The stored form of query logging configurations.

use meridian_model::{LogGroupArn, QueryLoggingConfig, QueryLoggingConfigId};
use prost::Message;

use super::zone::zone_id;
use super::{DecodeError, Stored, account_id};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct QueryLoggingConfigMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(string, tag = "3")]
    zone: String,
    #[prost(string, tag = "4")]
    log_group: String,
}

impl Stored for QueryLoggingConfig {
    type Message = QueryLoggingConfigMessage;

    fn to_message(&self) -> QueryLoggingConfigMessage {
        QueryLoggingConfigMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            zone: self.zone.as_str().into(),
            log_group: self.log_group.as_str().into(),
        }
    }

    fn from_message(message: QueryLoggingConfigMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            id: query_logging_config_id(&message.id)?,
            account: account_id(&message.account)?,
            zone: zone_id(&message.zone)?,
            log_group: LogGroupArn::stored(message.log_group),
        })
    }
}

pub(super) fn query_logging_config_id(text: &str) -> Result<QueryLoggingConfigId, DecodeError> {
    QueryLoggingConfigId::new(text).map_err(|_| DecodeError::Field("query logging config"))
}
