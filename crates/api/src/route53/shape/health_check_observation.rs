//! `HealthCheckObservations`.

use meridian_control::Observation;

use super::time::Iso8601;
use crate::xml::Document;

/// Writes `<HealthCheckObservations>`.
pub(in crate::route53) fn health_check_observations(
    doc: &mut Document,
    observations: &[Observation],
) {
    doc.element("HealthCheckObservations", |doc| {
        for observation in observations {
            doc.element("HealthCheckObservation", |doc| {
                doc.text("Region", &observation.region);
                doc.text("IPAddress", observation.address);
                doc.element("StatusReport", |doc| {
                    doc.text("Status", &observation.status);
                    doc.text("CheckedTime", Iso8601(observation.checked_at));
                });
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use meridian_model::Timestamp;

    #[test]
    fn elements_come_in_the_order_of_the_model() {
        let seen = Observation {
            region: "eu-west-1".to_owned(),
            address: "2001:db8::1".parse().unwrap(),
            status: "Failure: <none> & nothing".to_owned(),
            checked_at: Timestamp(1_490_636_896_751),
        };
        let text = Document::render("R", |doc| health_check_observations(doc, &[seen]));
        let list = text.split_once("2013-04-01/\">").unwrap().1;
        assert_eq!(
            list,
            "<HealthCheckObservations><HealthCheckObservation><Region>eu-west-1</Region>\
             <IPAddress>2001:db8::1</IPAddress><StatusReport><Status>Failure: &lt;none&gt; &amp; \
             nothing</Status><CheckedTime>2017-03-27T17:48:16.751Z</CheckedTime></StatusReport>\
             </HealthCheckObservation></HealthCheckObservations></R>"
        );
        let none = Document::render("R", |doc| health_check_observations(doc, &[]));
        assert!(none.contains("<HealthCheckObservations></HealthCheckObservations>"));
    }
}
