//! CreateQueryLoggingConfig.

use meridian_control::CreateQueryLoggingConfig;

use super::call::{Call, PREFIXED_ID, RESOURCE_ID, Reply, bare};
use super::route::Route;
use super::shape::query_logging_config;
use crate::fault::Failure;
use crate::xml::Field::Required;
use crate::xml::{Fields, TextFacets, XmlError, parse};

pub(super) const ROUTE: Route = Route {
    operation: "CreateQueryLoggingConfig",
    method: "POST",
    pattern: "/queryloggingconfig",
    handler: Some(handle),
};

/// What it has to be is the operation's to say.
const ARN: TextFacets = TextFacets::new("CloudWatchLogsLogGroupArn", 0, usize::MAX);

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.body)?;
    let config = call
        .operations
        .create_query_logging_config(call.caller, &request)?;
    let location = format!(
        "{}/2013-04-01/queryloggingconfig/{}",
        call.endpoint, config.id
    );
    Ok(Reply::created(
        location,
        "CreateQueryLoggingConfigResponse",
        |doc| query_logging_config(doc, &config),
    ))
}

fn read(body: &[u8]) -> Result<CreateQueryLoggingConfig, XmlError> {
    let root = parse(
        body,
        "CreateQueryLoggingConfigRequest",
        "QueryLoggingConfig",
    )?;
    let fields = Fields::of(
        &root,
        &[
            Required("HostedZoneId"),
            Required("CloudWatchLogsLogGroupArn"),
        ],
    )?;
    let hosted_zone_id = fields.text("HostedZoneId", &PREFIXED_ID)?;
    Ok(CreateQueryLoggingConfig {
        hosted_zone_id: RESOURCE_ID.check(bare(&hosted_zone_id))?,
        log_group_arn: fields.text("CloudWatchLogsLogGroupArn", &ARN)?,
    })
}
