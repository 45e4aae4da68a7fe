//! GetQueryLoggingConfig.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::query_logging_config;
use crate::fault::Failure;
use crate::xml::TextFacets;

pub(super) const ROUTE: Route = Route {
    operation: "GetQueryLoggingConfig",
    method: "GET",
    pattern: "/queryloggingconfig/{}",
    handler: Some(handle),
};

/// `QueryLoggingConfigId`.
pub(super) const QUERY_LOGGING_CONFIG_ID: TextFacets =
    TextFacets::new("QueryLoggingConfigId", 1, 36);

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&QUERY_LOGGING_CONFIG_ID)?;
    let config = call.operations.query_logging_config(call.caller, &id)?;
    Ok(Reply::ok("GetQueryLoggingConfigResponse", |doc| {
        query_logging_config(doc, &config);
    }))
}
