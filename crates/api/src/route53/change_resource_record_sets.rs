//! ChangeResourceRecordSets.

use meridian_control::ChangeRecordSets;
use meridian_model::{Action, DraftChange};

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use super::shape::{COMMENT, change_info, read_record_set};
use crate::fault::Failure;
use crate::xml::Field::{Optional, Required};
use crate::xml::{Element, Fields, XmlError, list, parse};

/// The documented path ends with a slash; paths are compared without.
pub(super) const ROUTE: Route = Route {
    operation: "ChangeResourceRecordSets",
    method: "POST",
    pattern: "/hostedzone/{}/rrset",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call.id(&RESOURCE_ID)?, call.body)?;
    let outcome = call.operations.change_record_sets(call.caller, &request)?;
    Ok(Reply::ok("ChangeResourceRecordSetsResponse", |doc| {
        change_info(doc, &outcome);
    }))
}

fn read(hosted_zone_id: String, body: &[u8]) -> Result<ChangeRecordSets, XmlError> {
    let root = parse(body, "ChangeResourceRecordSetsRequest", "ChangeBatch")?;
    let batch = Fields::of(&root, &[Required("ChangeBatch")])?.required("ChangeBatch")?;
    let fields = Fields::of(batch, &[Optional("Comment"), Required("Changes")])?;
    let changes = fields.required("Changes")?;
    let items = list(changes, "Change")?;
    if items.is_empty() {
        return Fields::of(changes, &[])?.incomplete(&["Change"]);
    }
    Ok(ChangeRecordSets {
        hosted_zone_id,
        comment: fields.optional_text("Comment", &COMMENT)?,
        changes: items.iter().map(read_change).collect::<Result<_, _>>()?,
    })
}

fn read_change(element: &Element) -> Result<DraftChange, XmlError> {
    let fields = Fields::of(
        element,
        &[Required("Action"), Required("ResourceRecordSet")],
    )?;
    let actions = [Action::Create, Action::Delete, Action::Upsert];
    Ok(DraftChange {
        action: fields.choice("Action", actions.map(|action| (action.as_str(), action)))?,
        set: read_record_set(fields.required("ResourceRecordSet")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::MAX_LEN;
    use meridian_model::{Draft, GeoproximityPlace};
    use proptest::prelude::*;

    fn batch(sets: &str) -> Result<Vec<DraftChange>, String> {
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
             <ChangeBatch><Comment/><Changes>{sets}</Changes></ChangeBatch>\
             </ChangeResourceRecordSetsRequest>"
        );
        read("Z1".to_owned(), body.as_bytes())
            .map(|request| request.changes)
            .map_err(|error| error.to_string())
    }

    fn set(inner: &str) -> Result<Draft, String> {
        let change = format!(
            "<Change><Action>UPSERT</Action><ResourceRecordSet><Name>a.b</Name><Type>A</Type>{inner}\
             </ResourceRecordSet></Change>"
        );
        batch(&change).map(|mut changes| changes.remove(0).set)
    }

    #[test]
    fn every_field_is_read() {
        let simple = set(
            "<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>1.2.3.4</Value></ResourceRecord>\
             </ResourceRecords><HealthCheckId>h</HealthCheckId>",
        )
        .unwrap();
        assert_eq!(simple.records.unwrap(), ["1.2.3.4"]);
        assert_eq!(
            (simple.ttl, simple.health_check_id.as_deref()),
            (Some(60), Some("h"))
        );
        let alias = set(
            "<AliasTarget><EvaluateTargetHealth>false</EvaluateTargetHealth><DNSName>x.</DNSName>\
             <HostedZoneId>/hostedzone/Z2</HostedZoneId></AliasTarget>\
             <SetIdentifier>s</SetIdentifier><Weight>255</Weight>",
        )
        .unwrap();
        assert_eq!(alias.alias_target.unwrap().hosted_zone_id.as_str(), "Z2");
        assert_eq!(
            (alias.weight, alias.set_identifier.as_deref()),
            (Some(255), Some("s"))
        );
        let geo = set("<GeoLocation><CountryCode>*</CountryCode></GeoLocation>").unwrap();
        assert_eq!(geo.geo_location.unwrap().country.as_deref(), Some("*"));
        let place = "<GeoProximityLocation><Coordinates><Latitude>-12.3</Latitude><Longitude>+123.45\
                     </Longitude></Coordinates><Bias>-99</Bias></GeoProximityLocation>";
        let place = set(place).unwrap().geo_proximity_location.unwrap();
        assert_eq!(place.bias, Some(-99));
        assert!(matches!(place.place, GeoproximityPlace::Coordinates(_)));
        let cidr = set(
            "<CidrRoutingConfig><CollectionId>01234567-89ab-cdef-0123-456789abcdef</CollectionId>\
             <LocationName>*</LocationName></CidrRoutingConfig>",
        );
        assert_eq!(cidr.unwrap().cidr_routing_config.unwrap().1, "*");
    }

    /// Each tag on a line of its own, further in the deeper it is, and each with its namespace.
    fn written_at_length(changes: &str) -> String {
        let mut text = String::new();
        let mut depth = 2;
        for tag in changes.split('\n') {
            depth -= usize::from(tag.starts_with("</"));
            text.push('\n');
            text.push_str(&"    ".repeat(depth));
            let end = tag.find('>').unwrap();
            let (name, rest) = tag.split_at(end);
            text.push_str(name);
            if !name.starts_with("</") {
                text.push_str(&format!(" xmlns=\"{}\"", crate::xml::NAMESPACE));
            }
            text.push_str(rest);
            depth += usize::from(!tag.contains("</"));
        }
        text
    }

    #[test]
    fn a_legal_batch_of_long_names_was_too_large() {
        let labels = [63, 63, 63, 61].map(|len| "&quot;".repeat(len));
        let name = labels.join(".") + ".";
        let identifier = "&#1114109;".repeat(128);
        let check = "h".repeat(64);
        let change = format!(
            "<Change>\n<Action>CREATE</Action>\n<ResourceRecordSet>\n<Name>{name}</Name>\n\
             <Type>AAAA</Type>\n<SetIdentifier>{identifier}</SetIdentifier>\n\
             <GeoProximityLocation>\n<Coordinates>\n<Latitude>-12.34</Latitude>\n\
             <Longitude>-123.45</Longitude>\n</Coordinates>\n<Bias>-99</Bias>\n\
             </GeoProximityLocation>\n<AliasTarget>\n\
             <HostedZoneId>Z0123456789ABCDEFGHIJKLMNOPQRSTU</HostedZoneId>\n\
             <DNSName>{name}</DNSName>\n<EvaluateTargetHealth>false</EvaluateTargetHealth>\n\
             </AliasTarget>\n<HealthCheckId>{check}</HealthCheckId>\n</ResourceRecordSet>\n</Change>"
        );
        let changes = written_at_length(&change).repeat(1000);
        assert!(
            (5_000_000..MAX_LEN).contains(&changes.len()),
            "{}",
            changes.len()
        );
        let read = batch(&changes).unwrap();
        let last = read.last().map(|change| change.set.name.len());
        assert_eq!((read.len(), last), (1000, Some(254)));
        // And the longest document of a traffic policy, which stands beside a comment.
        assert!(102_400 * "&#1114109;".len() + 1024 * "&#1114109;".len() < MAX_LEN);
    }

    #[test]
    fn empty_optional_elements_are_absent() {
        let draft =
            set("<SetIdentifier/><Weight/><TTL/><ResourceRecords/><HealthCheckId/>").unwrap();
        assert_eq!(
            draft,
            Draft {
                ttl: None,
                records: None,
                ..Draft::simple("a.b", "A".parse().unwrap(), 0, &[])
            }
        );
    }

    #[test]
    fn what_the_schema_does_not_allow_is_refused_in_its_words() {
        let message = |inner: &str| set(inner).unwrap_err();
        assert_eq!(
            message(
                "<AliasTarget><HostedZoneId>Z</HostedZoneId><DNSName>x</DNSName></AliasTarget>"
            ),
            "Invalid XML ; cvc-complex-type.2.4.b: The content of element 'AliasTarget' is not \
             complete. One of '{\"https://route53.amazonaws.com/doc/2013-04-01/\":\
             EvaluateTargetHealth}' is expected."
        );
        for (inner, part) in [
            ("<Weight>256</Weight>", "maxInclusive '255'"),
            ("<Weight>-1</Weight>", "minInclusive '0'"),
            ("<TTL>2147483648</TTL>", "maxInclusive '2147483647'"),
            ("<TTL>1.5</TTL>", "'1.5' is not a valid value for 'integer'"),
            ("<Region>Mars 1</Region>", "enumeration '[us-east-1, "),
            ("<Failover>THIRD</Failover>", "'[PRIMARY, SECONDARY]'"),
            ("<GeoLocation/>", "'GeoLocation' is not complete"),
            (
                "<GeoProximityLocation/>",
                "'GeoProximityLocation' is not complete",
            ),
            (
                "<GeoProximityLocation><AWSRegion>a</AWSRegion><LocalZoneGroup>b</LocalZoneGroup>\
              </GeoProximityLocation>",
                "starting with element 'LocalZoneGroup'",
            ),
            (
                "<CidrRoutingConfig><CollectionId>x</CollectionId><LocationName>a</LocationName>\
              </CidrRoutingConfig>",
                "for type 'UUID'",
            ),
            ("<Wieght>1</Wieght>", "starting with element 'Wieght'"),
            (
                "<AliasTarget><HostedZoneId>z-1</HostedZoneId><DNSName>x</DNSName>\
              <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>",
                "for type 'ResourceId'",
            ),
        ] {
            assert!(message(inner).contains(part), "{}", message(inner));
        }
        let long = format!("<SetIdentifier>{}</SetIdentifier>", "é".repeat(129));
        assert!(message(&long).contains("with length = '129'"));
        assert_eq!(
            batch("<Change><Action>PUT</Action><ResourceRecordSet><Name/><Type>A</Type></ResourceRecordSet></Change>").unwrap_err(),
            "Invalid XML ; cvc-enumeration-valid: Value 'PUT' is not facet-valid with respect to \
             enumeration '[CREATE, DELETE, UPSERT]'. It must be a value from the enumeration."
        );
        assert!(
            batch("")
                .unwrap_err()
                .contains("The content of element 'Changes' is not complete")
        );
    }

    proptest! {
        #[test]
        fn nothing_made_of_known_elements_panics(parts in prop::collection::vec(prop::sample::select(vec![
            "<Change>", "</Change>", "<Action>", "</Action>", "CREATE", "<ResourceRecordSet>", "</ResourceRecordSet>",
            "<Name>", "</Name>", "<Type>A</Type>", "<TTL>", "</TTL>", "7", "<AliasTarget/>", "<GeoLocation/>",
            "<ResourceRecords>", "</ResourceRecords>", "<ResourceRecord>", "</ResourceRecord>", "<Value>x</Value>",
        ]), 0..20)) {
            let _ = batch(&parts.concat());
        }
    }
}
