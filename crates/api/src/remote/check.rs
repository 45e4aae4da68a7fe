//! The configuration of a health check as a text, so that it can be handed on: the API's own XML.

use meridian_model::{HealthCheckConfig, HealthCheckDraft};

use crate::route53::{health_check_config, read_config};
use crate::xml::{Document, parse};

const ROOT: &str = "HealthCheckConfig";

/// A `HealthCheckConfig` document.
pub fn write_check_config(config: &HealthCheckConfig) -> String {
    Document::render(ROOT, |doc| health_check_config(doc, config))
}

/// What such a document says.
///
/// # Errors
/// What is wrong with it.
pub fn read_check_config(text: &str) -> Result<HealthCheckDraft, String> {
    let config = parse(text.as_bytes(), ROOT, "HealthCheck").and_then(|root| read_config(&root));
    config.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::NAMESPACE;

    #[test]
    fn what_is_written_is_read_again() {
        let inner = "<IPAddress>192.0.2.1</IPAddress><Port>8443</Port><Type>HTTPS_STR_MATCH</Type>\
                     <ResourcePath>/a?b&amp;c</ResourcePath><FullyQualifiedDomainName>a.example\
                     </FullyQualifiedDomainName><SearchString> &lt;ok&gt; </SearchString>\
                     <RequestInterval>10</RequestInterval><FailureThreshold>2</FailureThreshold>\
                     <MeasureLatency>true</MeasureLatency><Inverted>true</Inverted>\
                     <Disabled>true</Disabled><EnableSNI>false</EnableSNI><Regions>\
                     <Region>us-east-1</Region><Region>eu-west-1</Region>\
                     <Region>sa-east-1</Region></Regions>";
        let text = format!("<{ROOT} xmlns=\"{NAMESPACE}\">{inner}</{ROOT}>");
        let config = read_check_config(&text).unwrap().into_config().unwrap();
        assert!(config.inverted && config.disabled);
        let again = write_check_config(&config);
        let again = read_check_config(&again).unwrap().into_config();
        assert_eq!(again, Ok(config));
        assert!(read_check_config("<x/>").is_err());
    }
}
