//! From a request's fields to a record set: which fields go together.
//!
//! Breaking these rules is `InvalidInput` for the whole request; what the set does to its zone is
//! checked by the batch.

use meridian_dns::{Name, RecordType};

use crate::draft::{Action, Draft, DraftChange};
use crate::geo::GeoPlace;
use crate::local_zone_group::local_zone_groups;
use crate::record_set::{AliasTarget, RecordSet, SetData, SetKey};
use crate::routing::{GeoLocation, GeoproximityLocation, GeoproximityPlace, Region, Routing};
use crate::xml_char::is_xml_char;

/// Why a change makes no sense, in Route 53's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nonsense {
    /// `InvalidInput`: fields are missing or exclude each other.
    Input(String),
    /// `InvalidChangeBatch`: a name is no domain name.
    Name(String),
}

/// The longest `SetIdentifier`, in characters.
const MAX_IDENTIFIER: usize = 128;
const POLICIES: &str = "[Weight, Region, Failover, GeoLocation, MultiValueAnswer, \
                        CidrRoutingConfig, or GeoProximityLocation]";
const DATA: &str = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]";

/// The record set that a change is about.
pub(super) fn record_set(change: &DraftChange) -> Result<RecordSet, Nonsense> {
    let draft = &change.set;
    check_bounds(change)?;
    let data = data(change)?;
    let routing = routing(change)?;
    check_policy_against_type(change, &routing, &data)?;
    Ok(RecordSet {
        key: SetKey {
            name: name(&draft.name)?,
            rtype: draft.rtype,
            set_identifier: draft.set_identifier.clone(),
        },
        routing,
        data,
        health_check_id: draft.health_check_id.clone(),
        traffic_policy_instance_id: None,
    })
}

fn name(text: &str) -> Result<Name, Nonsense> {
    Name::parse(text)
        .map(|name| name.to_lowercase())
        .map_err(|error| Nonsense::Name(format!("FATAL problem: {error}")))
}

/// What the API's schema says of texts and numbers, for changes that come by other doors. Of what goes
/// beyond it no client of the API could read or delete the set again.
fn check_bounds(change: &DraftChange) -> Result<(), Nonsense> {
    let Draft {
        set_identifier,
        ttl,
        ..
    } = &change.set;
    let wrong = |what: &str| {
        Err(Nonsense::Input(format!(
            "Invalid request: {what} in Change with [Action={}, Name={}, Type={}]",
            change.action.as_str(),
            change.set.name,
            change.set.rtype,
        )))
    };
    // What was written by other rules can still be taken away.
    if change.action == Action::Delete {
        return Ok(());
    }
    if let Some(identifier) = set_identifier {
        if !(1..=MAX_IDENTIFIER).contains(&identifier.chars().count()) {
            return wrong("SetIdentifier must have 1 to 128 characters");
        }
        if !identifier.chars().all(is_xml_char) {
            return wrong("SetIdentifier has characters that XML does not allow");
        }
    }
    if ttl.is_some_and(|ttl| i32::try_from(ttl).is_err()) {
        return wrong("TTL must lie between 0 and 2147483647");
    }
    Ok(())
}

fn data(change: &DraftChange) -> Result<SetData, Nonsense> {
    let draft = &change.set;
    let records = draft.records.as_ref().filter(|values| !values.is_empty());
    if let Some(instance) = &draft.traffic_policy_instance_id {
        if draft.alias_target.is_some() || draft.ttl.is_some() || records.is_some() {
            return Err(expected(change, DATA, "more than one"));
        }
        return Err(Nonsense::Input(format!(
            "Invalid request: The resource record sets of the traffic policy instance {instance} \
             are made, changed and deleted with it alone, in {}",
            described(change)
        )));
    }
    match (&draft.alias_target, draft.ttl, records) {
        (None, Some(ttl), Some(values)) => Ok(SetData::Records {
            ttl,
            values: values.clone(),
        }),
        (Some(alias), None, None) => Ok(SetData::Alias(AliasTarget {
            zone: alias.hosted_zone_id.clone(),
            name: name(&alias.dns_name)?,
            evaluate_target_health: alias.evaluate_target_health,
        })),
        (Some(_), _, _) => Err(expected(change, DATA, "more than one")),
        (None, _, _) => Err(expected(change, DATA, "none")),
    }
}

fn routing(change: &DraftChange) -> Result<Routing, Nonsense> {
    let mut policies = change.set.policies();
    let policy = policies.pop();
    if !policies.is_empty() {
        return Err(expected(change, POLICIES, "more than one"));
    }
    match (policy, &change.set.set_identifier) {
        (None, None) => Ok(Routing::Simple),
        (None, Some(_)) => Err(expected(change, POLICIES, "none")),
        (Some(_), None) => Err(Nonsense::Input(format!(
            "Invalid request: Missing field 'SetIdentifier' in {}",
            described(change)
        ))),
        (Some(Routing::Geolocation(place)), Some(_)) => {
            check_place(change, &place)?;
            Ok(Routing::Geolocation(place))
        }
        (Some(Routing::Geoproximity(location)), Some(_)) => {
            check_location(change, &location)?;
            Ok(Routing::Geoproximity(location))
        }
        (Some(policy), Some(_)) => Ok(policy),
    }
}

fn check_place(change: &DraftChange, place: &GeoLocation) -> Result<(), Nonsense> {
    let wrong = |what: &str| {
        Err(Nonsense::Input(format!(
            "Invalid request: {what} in {}",
            described(change)
        )))
    };
    // What was written by other rules can still be taken away.
    let known = change.action == Action::Delete || GeoPlace::of(place).is_some();
    match (&place.continent, &place.country, &place.subdivision) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            wrong("ContinentCode cannot be combined with CountryCode or SubdivisionCode")
        }
        (None, Some(country), Some(_)) if country == "*" => {
            wrong("SubdivisionCode cannot be combined with the default location")
        }
        (None, None, Some(_)) => wrong("SubdivisionCode needs a CountryCode"),
        (None, None, None) => wrong("GeoLocation needs a ContinentCode or a CountryCode"),
        (Some(_), None, None) if !known => wrong("Unknown ContinentCode"),
        (None, Some(_), None) if !known => wrong("CountryCode is not supported"),
        (None, Some(_), Some(_)) if !known => {
            wrong("SubdivisionCode is not supported for the CountryCode")
        }
        _ => Ok(()),
    }
}

fn check_location(change: &DraftChange, location: &GeoproximityLocation) -> Result<(), Nonsense> {
    let wrong = |what: String| {
        Err(Nonsense::Input(format!(
            "Invalid request: {what} in {}",
            described(change)
        )))
    };
    // What was written by other rules can still be taken away.
    if change.action == Action::Delete {
        return Ok(());
    }
    match &location.place {
        GeoproximityPlace::Region(name) if Region::new(name).is_none() => {
            wrong(format!("Unknown AWSRegion {name}"))
        }
        GeoproximityPlace::LocalZoneGroup(name)
            if !local_zone_groups().any(|group| group == name) =>
        {
            wrong(format!("Unknown LocalZoneGroup {name}"))
        }
        GeoproximityPlace::Coordinates(point) if point.degrees().is_none() => wrong(
            "Latitude must lie between -90 and 90 and Longitude between -180 and 180, with two \
             decimals at most"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

fn check_policy_against_type(
    change: &DraftChange,
    routing: &Routing,
    data: &SetData,
) -> Result<(), Nonsense> {
    use RecordType::{Cname, Ds, Ns, Soa};
    let rtype = change.set.rtype;
    let wrong = |what: String| {
        Err(Nonsense::Input(format!(
            "Invalid request: {what} in {}",
            described(change)
        )))
    };
    let alias = matches!(data, SetData::Alias(_));
    if matches!(routing, Routing::Multivalue) && (alias || rtype == Cname) {
        return wrong("MultiValueAnswer cannot be used with AliasTarget or type CNAME".to_owned());
    }
    if *routing != Routing::Simple && matches!(rtype, Ns | Soa | Ds) {
        return wrong(format!("Type {rtype} only supports simple routing"));
    }
    if alias && matches!(rtype, Ns | Soa) {
        return wrong(format!("AliasTarget cannot be used with type {rtype}"));
    }
    Ok(())
}

fn expected(change: &DraftChange, of: &str, found: &str) -> Nonsense {
    Nonsense::Input(format!(
        "Invalid request: Expected exactly one of {of}, but found {found} in {}",
        described(change)
    ))
}

fn described(change: &DraftChange) -> String {
    let Draft {
        name,
        rtype,
        set_identifier,
        ..
    } = &change.set;
    format!(
        "Change with [Action={}, Name={name}, Type={rtype}, SetIdentifier={}]",
        change.action.as_str(),
        set_identifier.as_deref().unwrap_or("null"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::Coordinates;

    fn refusal(edit: impl FnOnce(&mut Draft)) -> String {
        let mut set = Draft::simple("N.z", RecordType::A, 60, &["192.0.2.1"]);
        edit(&mut set);
        match record_set(&DraftChange {
            action: Action::Create,
            set,
        }) {
            Err(Nonsense::Input(text) | Nonsense::Name(text)) => text,
            Ok(set) => format!("accepted: {set:?}"),
        }
    }

    #[test]
    fn data_is_exactly_one_of_alias_and_records() {
        assert_eq!(
            refusal(|set| set.ttl = None),
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and \
             ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with \
             [Action=CREATE, Name=N.z, Type=A, SetIdentifier=null]"
        );
        assert!(refusal(|set| set.records = Some(vec![])).contains("but found none"));
        assert!(
            refusal(|set| {
                set.alias_target = Some(crate::DraftAlias {
                    hosted_zone_id: crate::ZoneId::new("Z1").unwrap(),
                    dns_name: "t.z".to_owned(),
                    evaluate_target_health: false,
                });
            })
            .contains("but found more than one")
        );
    }

    /// By the console and the command line sets could be written that the API could not delete.
    #[test]
    fn identifiers_and_ttls_are_those_that_the_api_can_read() {
        let identified = |action, identifier: &str| {
            let mut set = Draft::simple("N.z", RecordType::A, 60, &["192.0.2.1"]);
            set.weight = Some(1);
            set.set_identifier = Some(identifier.to_owned());
            record_set(&DraftChange { action, set })
        };
        for (identifier, wrong) in [
            ("", "1 to 128 characters"),
            (&"x".repeat(129), "1 to 128 characters"),
            (&"ü".repeat(129), "1 to 128 characters"),
            ("a\0", "characters that XML does not allow"),
            ("\u{1}", "characters that XML does not allow"),
            ("\u{fffe}", "characters that XML does not allow"),
        ] {
            for action in [Action::Create, Action::Upsert] {
                match identified(action, identifier) {
                    Err(Nonsense::Input(text)) => assert!(text.contains(wrong), "{text}"),
                    other => panic!("{identifier:?}: {other:?}"),
                }
            }
            assert!(identified(Action::Delete, identifier).is_ok());
        }
        for identifier in ["a", " ", "\t\n", "ü&<\u{10ffff}", &"ü".repeat(128)] {
            assert!(
                identified(Action::Create, identifier).is_ok(),
                "{identifier:?}"
            );
        }
        let max = i32::MAX.unsigned_abs();
        assert!(refusal(|set| set.ttl = Some(max)).starts_with("accepted"));
        let beyond = refusal(|set| set.ttl = Some(max + 1));
        assert!(beyond.contains("between 0 and 2147483647"), "{beyond}");
    }

    #[test]
    fn a_policy_needs_an_identifier_and_the_other_way_round() {
        assert!(refusal(|set| set.weight = Some(1)).contains("Missing field 'SetIdentifier'"));
        assert!(
            refusal(|set| set.set_identifier = Some("a".to_owned()))
                .contains("GeoProximityLocation], but found none")
        );
        assert!(
            refusal(|set| {
                set.set_identifier = Some("a".to_owned());
                set.weight = Some(1);
                set.region = Region::new("eu-west-1");
            })
            .contains("but found more than one")
        );
    }

    #[test]
    fn places_are_those_of_route_53() {
        let place = |continent: Option<&str>, country: Option<&str>, part: Option<&str>| {
            refusal(|set| {
                set.set_identifier = Some("a".to_owned());
                set.geo_location = Some(GeoLocation {
                    continent: continent.map(str::to_owned),
                    country: country.map(str::to_owned),
                    subdivision: part.map(str::to_owned),
                });
            })
        };
        for (continent, country, part, text) in [
            (Some("EU"), None, None, "accepted"),
            (None, Some("*"), None, "accepted"),
            (None, Some("UA"), Some("11"), "accepted"),
            (None, Some("US"), Some("CA"), "accepted"),
            (Some("XX"), None, None, "Unknown ContinentCode"),
            (
                Some("EU"),
                None,
                Some("CA"),
                "cannot be combined with Country",
            ),
            (
                Some("EU"),
                Some("DE"),
                None,
                "cannot be combined with Country",
            ),
            (None, Some("BV"), None, "CountryCode is not supported"),
            (None, Some("QQ"), None, "CountryCode is not supported"),
            (None, Some("de"), None, "CountryCode is not supported"),
            (
                None,
                Some("US"),
                Some("PR"),
                "SubdivisionCode is not supported",
            ),
            (None, Some("*"), Some("CA"), "with the default location"),
            (None, None, Some("CA"), "SubdivisionCode needs"),
            (None, None, None, "GeoLocation needs"),
        ] {
            let said = place(continent, country, part);
            assert!(said.contains(text), "{said}");
        }
    }

    #[test]
    fn geoproximity_is_around_known_regions_and_points_on_earth() {
        let at = |place| {
            refusal(|set| {
                set.set_identifier = Some("a".to_owned());
                set.geo_proximity_location = Some(GeoproximityLocation { place, bias: None });
            })
        };
        let region = |name: &str| at(GeoproximityPlace::Region(name.to_owned()));
        let group = |name: &str| at(GeoproximityPlace::LocalZoneGroup(name.to_owned()));
        let point = |latitude: &str, longitude: &str| {
            at(GeoproximityPlace::Coordinates(Coordinates {
                latitude: latitude.to_owned(),
                longitude: longitude.to_owned(),
            }))
        };
        for (said, text) in [
            (region("eu-west-1"), "accepted"),
            (
                region("us-west-2-den-1"),
                "Unknown AWSRegion us-west-2-den-1",
            ),
            (group("us-west-2-den-1"), "accepted"),
            (
                group("us-west-2-den-1a"),
                "Unknown LocalZoneGroup us-west-2-den-1a",
            ),
            (group("eu-west-1"), "Unknown LocalZoneGroup eu-west-1"),
            (point("-90", "+180.00"), "accepted"),
            (point("90.01", "0"), "Latitude must lie"),
            (point("0", "-181"), "Latitude must lie"),
            (point("50.", "8"), "accepted"),
            (point("50.123", "8"), "two decimals"),
            (point("5e1", "8"), "two decimals"),
            (point("", "8"), "two decimals"),
        ] {
            assert!(said.contains(text), "{said}");
        }
    }

    #[test]
    fn what_is_stored_can_be_taken_away_by_newer_rules() {
        let mut set = Draft::simple("n.z", RecordType::A, 60, &["192.0.2.1"]);
        set.set_identifier = Some("a".to_owned());
        set.geo_proximity_location = Some(GeoproximityLocation {
            place: GeoproximityPlace::Region("mars-1".to_owned()),
            bias: None,
        });
        let action = Action::Delete;
        assert!(record_set(&DraftChange { action, set }).is_ok());
    }

    #[test]
    fn names_are_folded_and_bad_ones_named() {
        assert!(refusal(|set| set.name = "a b.z".to_owned()).starts_with("FATAL problem: Unsupp"));
        assert!(refusal(|_| ()).contains("n.z."));
    }
}
