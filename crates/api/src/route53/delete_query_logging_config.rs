//! DeleteQueryLoggingConfig.

use super::call::{Call, Reply};
use super::get_query_logging_config::QUERY_LOGGING_CONFIG_ID;
use super::route::Route;
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "DeleteQueryLoggingConfig",
    method: "DELETE",
    pattern: "/queryloggingconfig/{}",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let id = call.id(&QUERY_LOGGING_CONFIG_ID)?;
    call.operations
        .delete_query_logging_config(call.caller, &id)?;
    Ok(Reply::ok("DeleteQueryLoggingConfigResponse", |_| {}))
}
