//! `ResourceRecordSet`, read into a draft and written from what is stored.

use meridian_dns::RecordType;
use meridian_model::{
    Coordinates, Draft, DraftAlias, FailoverRole, GeoLocation, GeoproximityLocation,
    GeoproximityPlace, RecordSet, Region, Routing, SetData, ZoneId,
};

use super::{
    COLLECTION_ID, CONTINENT, COUNTRY, DNS_NAME, HEALTH_CHECK_ID, SET_IDENTIFIER, SUBDIVISION,
};
use crate::route53::call::{PREFIXED_ID, RESOURCE_ID, bare};
use crate::xml::Field::{Optional, Required};
use crate::xml::{Document, Element, Field, Fields, TextFacets, XmlError, list};

const RECORD_SET: [Field; 15] = [
    Required("Name"),
    Required("Type"),
    Optional("SetIdentifier"),
    Optional("Weight"),
    Optional("Region"),
    Optional("GeoLocation"),
    Optional("Failover"),
    Optional("MultiValueAnswer"),
    Optional("TTL"),
    Optional("ResourceRecords"),
    Optional("AliasTarget"),
    Optional("HealthCheckId"),
    Optional("TrafficPolicyInstanceId"),
    Optional("CidrRoutingConfig"),
    Optional("GeoProximityLocation"),
];
const ALIAS_TARGET: [Field; 3] = [
    Required("HostedZoneId"),
    Required("DNSName"),
    Required("EvaluateTargetHealth"),
];
const GEO_LOCATION: [Field; 3] = [
    Optional("ContinentCode"),
    Optional("CountryCode"),
    Optional("SubdivisionCode"),
];
const CIDR_ROUTING_CONFIG: [Field; 2] = [Required("CollectionId"), Required("LocationName")];
const GEO_PROXIMITY_LOCATION: [Field; 4] = [
    Optional("AWSRegion"),
    Optional("LocalZoneGroup"),
    Optional("Coordinates"),
    Optional("Bias"),
];
const COORDINATES: [Field; 2] = [Required("Latitude"), Required("Longitude")];

const REGION: TextFacets = TextFacets::new("ResourceRecordSetRegion", 1, 64);
const R_DATA: TextFacets = TextFacets::new("RData", 0, 4000);
const TRAFFIC_POLICY_INSTANCE_ID: TextFacets = TextFacets::new("TrafficPolicyInstanceId", 1, 36);
const ALIAS_ZONE_ID: TextFacets =
    RESOURCE_ID.pattern("[A-Z0-9]+", |text| ZoneId::new(text).is_ok());
const AWS_REGION: TextFacets = TextFacets::new("AWSRegion", 1, 64);
const LOCAL_ZONE_GROUP: TextFacets = TextFacets::new("LocalZoneGroup", 1, 64);
const CIDR_LOCATION: TextFacets = TextFacets::new("CidrLocationNameDefaultAllowed", 1, 16).pattern(
    r"[0-9A-Za-z_\-\*]+",
    |text| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-*".contains(&b))
    },
);
const LATITUDE: TextFacets = TextFacets::new("Latitude", 1, 6)
    .pattern(r"[-+]?[0-9]{1,2}(\.[0-9]{0,2})?", |text| {
        is_degrees(text, 2)
    });
const LONGITUDE: TextFacets = TextFacets::new("Longitude", 1, 7)
    .pattern(r"[-+]?[0-9]{1,3}(\.[0-9]{0,2})?", |text| {
        is_degrees(text, 3)
    });

/// Reads a `<ResourceRecordSet>`. How its fields go together is not looked at here.
pub(crate) fn read_record_set(element: &Element) -> Result<Draft, XmlError> {
    let fields = Fields::of(element, &RECORD_SET)?;
    let types = RecordType::ALL.map(|rtype| (rtype.as_str(), rtype));
    let roles = [FailoverRole::Primary, FailoverRole::Secondary].map(|role| (role.as_str(), role));
    let weight = fields.optional_number("Weight", "ResourceRecordSetWeight", (0, 255))?;
    let ttl = fields.optional_number("TTL", "TTL", (0, i64::from(i32::MAX)))?;
    Ok(Draft {
        name: fields.text("Name", &DNS_NAME)?,
        rtype: fields.choice("Type", types)?,
        set_identifier: fields.optional_text("SetIdentifier", &SET_IDENTIFIER)?,
        weight: weight.and_then(|weight| u8::try_from(weight).ok()),
        region: read_region(&fields)?,
        geo_location: fields
            .element("GeoLocation")
            .map(read_geo_location)
            .transpose()?,
        failover: fields.optional_choice("Failover", roles)?,
        multi_value_answer: fields.optional_boolean("MultiValueAnswer")?,
        ttl: ttl.and_then(|ttl| u32::try_from(ttl).ok()),
        records: read_records(&fields)?,
        alias_target: fields
            .element("AliasTarget")
            .map(read_alias_target)
            .transpose()?,
        health_check_id: fields.optional_text("HealthCheckId", &HEALTH_CHECK_ID)?,
        traffic_policy_instance_id: fields
            .optional_text("TrafficPolicyInstanceId", &TRAFFIC_POLICY_INSTANCE_ID)?,
        cidr_routing_config: fields
            .element("CidrRoutingConfig")
            .map(read_cidr)
            .transpose()?,
        geo_proximity_location: fields
            .element("GeoProximityLocation")
            .map(read_geo_proximity)
            .transpose()?,
    })
}

/// One of AWS's regions, or a name that one of the operator's own may have: whether there is one is
/// for those to say who know all.
fn read_region(fields: &Fields<'_>) -> Result<Option<Region>, XmlError> {
    let regions = Region::known().filter_map(|name| Some((name, Region::new(name)?)));
    fields
        .optional_choice("Region", regions)
        .or_else(|refused| {
            let text = fields.optional_text("Region", &REGION).ok().flatten();
            let own = text.and_then(|text| Region::possible(&text));
            own.map(Some).ok_or(refused)
        })
}

fn read_records(fields: &Fields<'_>) -> Result<Option<Vec<String>>, XmlError> {
    let Some(element) = fields.element("ResourceRecords") else {
        return Ok(None);
    };
    let values: Result<Vec<String>, XmlError> = list(element, "ResourceRecord")?
        .iter()
        .map(|record| Fields::of(record, &[Required("Value")])?.text("Value", &R_DATA))
        .collect();
    values.map(|values| Some(values).filter(|values| !values.is_empty()))
}

fn read_alias_target(element: &Element) -> Result<DraftAlias, XmlError> {
    let fields = Fields::of(element, &ALIAS_TARGET)?;
    let id = fields.text("HostedZoneId", &PREFIXED_ID)?;
    let id = ALIAS_ZONE_ID.check(bare(&id))?;
    Ok(DraftAlias {
        hosted_zone_id: ZoneId::new(&id).or_else(|_| fields.incomplete(&["HostedZoneId"]))?,
        dns_name: fields.text("DNSName", &DNS_NAME)?,
        evaluate_target_health: fields.boolean("EvaluateTargetHealth")?,
    })
}

fn read_geo_location(element: &Element) -> Result<GeoLocation, XmlError> {
    let fields = Fields::of(element, &GEO_LOCATION)?;
    let place = GeoLocation {
        continent: fields.optional_text("ContinentCode", &CONTINENT)?,
        country: fields.optional_text("CountryCode", &COUNTRY)?,
        subdivision: fields.optional_text("SubdivisionCode", &SUBDIVISION)?,
    };
    if place.continent.is_none() && place.country.is_none() && place.subdivision.is_none() {
        return fields.incomplete(&["ContinentCode", "CountryCode", "SubdivisionCode"]);
    }
    Ok(place)
}

fn read_cidr(element: &Element) -> Result<(String, String), XmlError> {
    let fields = Fields::of(element, &CIDR_ROUTING_CONFIG)?;
    Ok((
        fields.text("CollectionId", &COLLECTION_ID)?,
        fields.text("LocationName", &CIDR_LOCATION)?,
    ))
}

/// Exactly one of the three ways to name a place; several are refused like an unknown element.
fn read_geo_proximity(element: &Element) -> Result<GeoproximityLocation, XmlError> {
    let fields = Fields::of(element, &GEO_PROXIMITY_LOCATION)?;
    let region = fields.optional_text("AWSRegion", &AWS_REGION)?;
    let group = fields.optional_text("LocalZoneGroup", &LOCAL_ZONE_GROUP)?;
    let coordinates = fields
        .element("Coordinates")
        .map(read_coordinates)
        .transpose()?;
    let bias = fields.optional_number("Bias", "Bias", (-99, 99))?;
    let place = match (region, group, coordinates) {
        (Some(region), None, None) => GeoproximityPlace::Region(region),
        (None, Some(group), None) => GeoproximityPlace::LocalZoneGroup(group),
        (None, None, Some(coordinates)) => GeoproximityPlace::Coordinates(coordinates),
        (None, None, None) => {
            return fields.incomplete(&["AWSRegion", "LocalZoneGroup", "Coordinates"]);
        }
        (Some(_), Some(_), _) => return fields.unexpected("LocalZoneGroup", &["Bias"]),
        (_, _, Some(_)) => return fields.unexpected("Coordinates", &["Bias"]),
    };
    Ok(GeoproximityLocation {
        place,
        bias: bias.and_then(|bias| i8::try_from(bias).ok()),
    })
}

fn read_coordinates(element: &Element) -> Result<Coordinates, XmlError> {
    let fields = Fields::of(element, &COORDINATES)?;
    Ok(Coordinates {
        latitude: fields.text("Latitude", &LATITUDE)?,
        longitude: fields.text("Longitude", &LONGITUDE)?,
    })
}

/// A sign, up to `digits` digits before the point and up to two after it.
fn is_degrees(text: &str, digits: usize) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (1..=digits).contains(&whole.len())
        && fraction.len() <= 2
        && all_digits(whole)
        && all_digits(fraction)
}

/// Writes a `<ResourceRecordSet>`.
pub(in crate::route53) fn record_set(doc: &mut Document, set: &RecordSet) {
    doc.element("ResourceRecordSet", |doc| {
        doc.text("Name", &set.key.name);
        doc.text("Type", set.key.rtype);
        doc.optional("SetIdentifier", set.key.set_identifier.as_ref());
        if let Some(instance) = &set.traffic_policy_instance_id {
            // What it answers with is the instance's business.
            doc.text("TrafficPolicyInstanceId", instance);
            return;
        }
        write_routing(doc, &set.routing);
        match &set.data {
            SetData::Records { ttl, values } => {
                doc.text("TTL", ttl);
                doc.element("ResourceRecords", |doc| {
                    for value in values {
                        doc.element("ResourceRecord", |doc| doc.text("Value", value));
                    }
                });
            }
            SetData::Alias(target) => doc.element("AliasTarget", |doc| {
                doc.text("HostedZoneId", &target.zone);
                doc.text("DNSName", &target.name);
                doc.text("EvaluateTargetHealth", target.evaluate_target_health);
            }),
        }
        doc.optional("HealthCheckId", set.health_check_id.as_ref());
        write_late_routing(doc, &set.routing);
    });
}

/// The policies that stand between the identifier and the data.
fn write_routing(doc: &mut Document, routing: &Routing) {
    match routing {
        Routing::Weighted(weight) => doc.text("Weight", weight),
        Routing::Latency(region) => doc.text("Region", region.as_str()),
        Routing::Geolocation(place) => doc.element("GeoLocation", |doc| {
            doc.optional("ContinentCode", place.continent.as_ref());
            doc.optional("CountryCode", place.country.as_ref());
            doc.optional("SubdivisionCode", place.subdivision.as_ref());
        }),
        Routing::Failover(role) => doc.text("Failover", role.as_str()),
        Routing::Multivalue => doc.text("MultiValueAnswer", true),
        Routing::Simple | Routing::Cidr { .. } | Routing::Geoproximity(_) => {}
    }
}

/// The policies that stand at the end.
fn write_late_routing(doc: &mut Document, routing: &Routing) {
    match routing {
        Routing::Cidr {
            collection_id,
            location,
        } => doc.element("CidrRoutingConfig", |doc| {
            doc.text("CollectionId", collection_id);
            doc.text("LocationName", location);
        }),
        Routing::Geoproximity(location) => doc.element("GeoProximityLocation", |doc| {
            match &location.place {
                GeoproximityPlace::Region(region) => doc.text("AWSRegion", region),
                GeoproximityPlace::LocalZoneGroup(group) => doc.text("LocalZoneGroup", group),
                GeoproximityPlace::Coordinates(point) => doc.element("Coordinates", |doc| {
                    doc.text("Latitude", &point.latitude);
                    doc.text("Longitude", &point.longitude);
                }),
            }
            doc.optional("Bias", location.bias);
        }),
        _ => {}
    }
}
