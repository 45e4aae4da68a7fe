//! `QueryLoggingConfig`.

use meridian_model::QueryLoggingConfig;

use crate::xml::Document;

/// Writes `<QueryLoggingConfig>`.
pub(in crate::route53) fn query_logging_config(doc: &mut Document, config: &QueryLoggingConfig) {
    doc.element("QueryLoggingConfig", |doc| {
        doc.text("Id", &config.id);
        doc.text("HostedZoneId", &config.zone);
        doc.text("CloudWatchLogsLogGroupArn", config.log_group.as_str());
    });
}
