//! ListQueryLoggingConfigs.

use meridian_control::ListQueryLoggingConfigs;

use super::call::{Call, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::{PAGINATION_TOKEN, query_logging_config};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListQueryLoggingConfigs",
    method: "GET",
    pattern: "/queryloggingconfig",
    handler: Some(handle),
};

/// The page size, and the largest there is.
const MAX_RESULTS: usize = 100;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let zone = query
        .text("hostedzoneid")
        .map(|id| RESOURCE_ID.check(bare(id)));
    let request = ListQueryLoggingConfigs {
        hosted_zone_id: zone.transpose()?,
        next_token: query.checked("nexttoken", &PAGINATION_TOKEN)?,
        max_results: query.max_results(MAX_RESULTS)?,
    };
    let page = call
        .operations
        .list_query_logging_configs(call.caller, &request)?;
    Ok(Reply::ok("ListQueryLoggingConfigsResponse", |doc| {
        doc.element("QueryLoggingConfigs", |doc| {
            for config in &page.configs {
                query_logging_config(doc, config);
            }
        });
        doc.optional("NextToken", page.next_token.as_ref());
    }))
}
