//! A record set as JSON: in the form that `aws route53 list-resource-record-sets` prints.

use std::ops::RangeInclusive;

use meridian_dns::{Name, RecordType};
use meridian_model::{
    Coordinates, Draft, DraftAlias, FailoverRole, GeoLocation, GeoproximityLocation,
    GeoproximityPlace, RecordSet, Region, ZoneId,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// `ResourceRecordSet`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JsonSet {
    pub(crate) name: String,
    #[serde(rename = "Type")]
    pub(crate) rtype: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) set_identifier: Option<String>,
    #[serde(
        default,
        deserialize_with = "weight",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) weight: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) geo_location: Option<JsonPlace>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failover: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) multi_value_answer: Option<bool>,
    #[serde(rename = "TTL", default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource_records: Option<Vec<JsonValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alias_target: Option<JsonAlias>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) health_check_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) traffic_policy_instance_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cidr_routing_config: Option<JsonCidr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) geo_proximity_location: Option<JsonProximity>,
}

/// `ResourceRecord`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JsonValue {
    pub(crate) value: String,
}

/// `AliasTarget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JsonAlias {
    pub(crate) hosted_zone_id: String,
    #[serde(rename = "DNSName")]
    pub(crate) dns_name: String,
    evaluate_target_health: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct JsonPlace {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    continent_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subdivision_code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JsonCidr {
    pub(crate) collection_id: String,
    location_name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct JsonProximity {
    #[serde(rename = "AWSRegion", default, skip_serializing_if = "Option::is_none")]
    aws_region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local_zone_group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coordinates: Option<JsonPoint>,
    #[serde(
        default,
        deserialize_with = "bias",
        skip_serializing_if = "Option::is_none"
    )]
    bias: Option<i8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct JsonPoint {
    latitude: String,
    longitude: String,
}

/// A set on its way to the server, with its place in its file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlacedSet {
    pub(crate) place: u64,
    pub(crate) set: JsonSet,
}

/// What an import sends: sets in the order of their names, then the end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Portion {
    Sets(Vec<PlacedSet>),
    End,
}

impl From<&RecordSet> for JsonSet {
    fn from(set: &RecordSet) -> Self {
        Draft::from(set).into()
    }
}

impl From<Draft> for JsonSet {
    fn from(draft: Draft) -> Self {
        let values = |values: Vec<String>| {
            let values = values.into_iter();
            values.map(|value| JsonValue { value }).collect()
        };
        Self {
            name: draft.name,
            rtype: draft.rtype.to_string(),
            set_identifier: draft.set_identifier,
            weight: draft.weight,
            region: draft.region.map(|region| region.as_str().to_owned()),
            geo_location: draft.geo_location.map(|place| JsonPlace {
                continent_code: place.continent,
                country_code: place.country,
                subdivision_code: place.subdivision,
            }),
            failover: draft.failover.map(|role| role.as_str().to_owned()),
            multi_value_answer: draft.multi_value_answer,
            ttl: draft.ttl,
            resource_records: draft.records.map(values),
            alias_target: draft.alias_target.map(|alias| JsonAlias {
                hosted_zone_id: alias.hosted_zone_id.to_string(),
                dns_name: alias.dns_name,
                evaluate_target_health: alias.evaluate_target_health,
            }),
            health_check_id: draft.health_check_id,
            traffic_policy_instance_id: draft.traffic_policy_instance_id,
            cidr_routing_config: draft
                .cidr_routing_config
                .map(|(collection_id, location_name)| JsonCidr {
                    collection_id,
                    location_name,
                }),
            geo_proximity_location: draft.geo_proximity_location.map(JsonProximity::from),
        }
    }
}

impl From<GeoproximityLocation> for JsonProximity {
    fn from(location: GeoproximityLocation) -> Self {
        let mut json = Self {
            bias: location.bias,
            ..Self::default()
        };
        match location.place {
            GeoproximityPlace::Region(region) => json.aws_region = Some(region),
            GeoproximityPlace::LocalZoneGroup(group) => json.local_zone_group = Some(group),
            GeoproximityPlace::Coordinates(point) => {
                json.coordinates = Some(JsonPoint {
                    latitude: point.latitude,
                    longitude: point.longitude,
                });
            }
        }
        json
    }
}

impl JsonSet {
    /// The request that it stands for, or what the API would not read.
    pub(crate) fn into_draft(self) -> Result<Draft, String> {
        let rtype = self.rtype.parse::<RecordType>();
        let rtype = rtype.map_err(|_| format!("type {} is not known", self.rtype))?;
        check_length("SetIdentifier", self.set_identifier.as_deref(), 1, 128)?;
        check_length("HealthCheckId", self.health_check_id.as_deref(), 0, 64)?;
        if self.ttl.is_some_and(|ttl| i32::try_from(ttl).is_err()) {
            return Err("TTL is above 2147483647".to_owned());
        }
        let values = |values: Vec<JsonValue>| values.into_iter().map(|value| value.value);
        let region = self.region.map(|name| {
            Region::possible(&name).ok_or_else(|| format!("region {name} is not known"))
        });
        Ok(Draft {
            name: self.name,
            rtype,
            set_identifier: self.set_identifier,
            weight: self.weight,
            region: region.transpose()?,
            geo_location: self.geo_location.map(|place| GeoLocation {
                continent: place.continent_code,
                country: place.country_code,
                subdivision: place.subdivision_code,
            }),
            failover: self.failover.as_deref().map(role).transpose()?,
            multi_value_answer: self.multi_value_answer,
            ttl: self.ttl,
            records: self.resource_records.map(|given| values(given).collect()),
            alias_target: self.alias_target.map(alias).transpose()?,
            health_check_id: self.health_check_id,
            traffic_policy_instance_id: self.traffic_policy_instance_id,
            cidr_routing_config: self
                .cidr_routing_config
                .map(|cidr| (cidr.collection_id, cidr.location_name)),
            geo_proximity_location: self.geo_proximity_location.map(proximity).transpose()?,
        })
    }

    /// What sorts sets: by name in Route 53's order, then by type and identifier. Names that are
    /// none come first.
    pub(super) fn sort_key(&self) -> Vec<u8> {
        let name = Name::parse(&self.name).map(|name| name.to_lowercase().sort_key());
        let identifier = self.set_identifier.as_deref().unwrap_or_default();
        let name = name.unwrap_or_default();
        [
            name.as_bytes(),
            self.rtype.as_bytes(),
            identifier.as_bytes(),
        ]
        .join(&0)
    }
}

fn weight<'de, D: Deserializer<'de>>(number: D) -> Result<Option<u8>, D::Error> {
    within(number, "Weight", 0..=255)
}

fn bias<'de, D: Deserializer<'de>>(number: D) -> Result<Option<i8>, D::Error> {
    within(number, "Bias", -99..=99)
}

/// A number, refused in words where it lies elsewhere.
fn within<'de, D: Deserializer<'de>, N: TryFrom<i64>>(
    number: D,
    what: &str,
    range: RangeInclusive<i64>,
) -> Result<Option<N>, D::Error> {
    let Some(number) = Option::<i64>::deserialize(number)? else {
        return Ok(None);
    };
    let fits = range.contains(&number).then(|| N::try_from(number).ok());
    fits.flatten().map(Some).ok_or_else(|| {
        let (least, most) = range.into_inner();
        D::Error::custom(format!("{what} is {number}, not {least} to {most}"))
    })
}

fn check_length(what: &str, text: Option<&str>, least: usize, most: usize) -> Result<(), String> {
    match text.map(|text| text.chars().count()) {
        Some(length) if length < least || length > most => Err(format!(
            "{what} has {length} characters, not {least} to {most}"
        )),
        _ => Ok(()),
    }
}

fn role(text: &str) -> Result<FailoverRole, String> {
    let roles = [FailoverRole::Primary, FailoverRole::Secondary];
    let found = roles.into_iter().find(|role| role.as_str() == text);
    found.ok_or_else(|| format!("failover '{text}' is neither PRIMARY nor SECONDARY"))
}

fn alias(alias: JsonAlias) -> Result<DraftAlias, String> {
    let id = alias.hosted_zone_id.trim_start_matches("/hostedzone/");
    Ok(DraftAlias {
        hosted_zone_id: ZoneId::new(id).map_err(|_| format!("'{id}' is no zone's id"))?,
        dns_name: alias.dns_name,
        evaluate_target_health: alias.evaluate_target_health,
    })
}

fn proximity(json: JsonProximity) -> Result<GeoproximityLocation, String> {
    let place = match (json.aws_region, json.local_zone_group, json.coordinates) {
        (Some(region), None, None) => GeoproximityPlace::Region(region),
        (None, Some(group), None) => GeoproximityPlace::LocalZoneGroup(group),
        (None, None, Some(point)) => GeoproximityPlace::Coordinates(Coordinates {
            latitude: point.latitude,
            longitude: point.longitude,
        }),
        _ => return Err("GeoProximityLocation names not exactly one place".to_owned()),
    };
    Ok(GeoproximityLocation {
        place,
        bias: json.bias,
    })
}

#[cfg(test)]
mod tests {
    use meridian_model::{Routing, SetKey};

    use super::*;

    fn json(text: &str) -> JsonSet {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_field_comes_back() {
        for text in [
            r#"{"Name":"a.z.","Type":"A","TTL":60,"ResourceRecords":[{"Value":"192.0.2.1"}]}"#,
            r#"{"Name":"a.z.","Type":"A","SetIdentifier":"x","Weight":0,"TTL":60,"ResourceRecords":[{"Value":"192.0.2.1"}],"HealthCheckId":"h"}"#,
            r#"{"Name":"a.z.","Type":"A","SetIdentifier":"x","Region":"eu-west-1","AliasTarget":{"HostedZoneId":"Z1","DNSName":"t.z.","EvaluateTargetHealth":true}}"#,
            r#"{"Name":"a.z.","Type":"A","SetIdentifier":"x","GeoLocation":{"CountryCode":"US","SubdivisionCode":"CA"},"TTL":1,"ResourceRecords":[{"Value":"192.0.2.1"}]}"#,
            r#"{"Name":"a.z.","Type":"A","SetIdentifier":"x","Failover":"PRIMARY","TTL":1,"ResourceRecords":[{"Value":"192.0.2.1"}]}"#,
            r#"{"Name":"a.z.","Type":"A","SetIdentifier":"x","MultiValueAnswer":true,"TTL":1,"ResourceRecords":[{"Value":"192.0.2.1"}]}"#,
            r#"{"Name":"a.z.","Type":"A","SetIdentifier":"x","TTL":1,"ResourceRecords":[{"Value":"192.0.2.1"}],"CidrRoutingConfig":{"CollectionId":"c","LocationName":"*"}}"#,
            r#"{"Name":"a.z.","Type":"A","SetIdentifier":"x","TTL":1,"ResourceRecords":[{"Value":"192.0.2.1"}],"GeoProximityLocation":{"Coordinates":{"Latitude":"1.5","Longitude":"-2"},"Bias":-3}}"#,
        ] {
            let set = json(text);
            let given: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(&set).unwrap(), given);
            let draft = set.clone().into_draft().unwrap();
            assert_eq!(draft.rtype, RecordType::A);
            if draft.alias_target.is_none() && draft.weight.is_some() {
                let stored = RecordSet {
                    key: SetKey {
                        name: Name::parse("a.z").unwrap(),
                        rtype: RecordType::A,
                        set_identifier: Some("x".to_owned()),
                    },
                    routing: Routing::Weighted(0),
                    health_check_id: Some("h".to_owned()),
                    ..RecordSet::simple(
                        Name::root(),
                        RecordType::A,
                        60,
                        vec!["192.0.2.1".to_owned()],
                    )
                };
                assert_eq!(JsonSet::from(&stored), set);
            }
        }
    }

    #[test]
    fn what_the_api_would_not_read_is_refused() {
        let refusal = |text: &str| json(text).into_draft().unwrap_err();
        assert!(refusal(r#"{"Name":"a","Type":"X"}"#).contains("type X"));
        assert!(refusal(r#"{"Name":"a","Type":"A","Region":"X"}"#).contains("region X"));
        assert!(refusal(r#"{"Name":"a","Type":"A","TTL":2147483648}"#).contains("TTL"));
        assert!(refusal(r#"{"Name":"a","Type":"A","SetIdentifier":""}"#).contains("0 characters"));
        assert!(refusal(r#"{"Name":"a","Type":"A","Failover":"x"}"#).contains("PRIMARY"));
        assert!(serde_json::from_str::<JsonSet>(r#"{"Name":"a","Type":"A","X":1}"#).is_err());
        for (text, words) in [
            (
                r#"{"Name":"a","Type":"A","Weight":256}"#,
                "Weight is 256, not 0 to 255",
            ),
            (
                r#"{"Name":"a","Type":"A","GeoProximityLocation":{"Bias":-100}}"#,
                "Bias is -100, not -99 to 99",
            ),
        ] {
            let error = serde_json::from_str::<JsonSet>(text).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
