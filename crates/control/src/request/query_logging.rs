//! What the operations on query logging configurations take and give.

use meridian_model::QueryLoggingConfig;

/// `CreateQueryLoggingConfigRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateQueryLoggingConfig {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// `CloudWatchLogsLogGroupArn`, as sent.
    pub log_group_arn: String,
}

/// `ListQueryLoggingConfigsRequest`. Page sizes are clamped by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQueryLoggingConfigs {
    /// Only that of this zone, bare.
    pub hosted_zone_id: Option<String>,
    /// The token of the page before.
    pub next_token: Option<String>,
    /// 1 to 100.
    pub max_results: usize,
}

/// A page of configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLoggingConfigPage {
    /// In order of their ids.
    pub configs: Vec<QueryLoggingConfig>,
    /// What the next page is asked for with.
    pub next_token: Option<String>,
}
