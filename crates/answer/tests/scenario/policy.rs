//! What a line of a scenario says of a set's policy: words of the form `key=value`.

use std::collections::BTreeMap;

use meridian_model::{
    Coordinates, FailoverRole, GeoLocation, GeoproximityLocation, GeoproximityPlace, Region,
    Routing,
};

/// The policy of a set, its identifier and its health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) routing: Routing,
    pub(crate) identifier: Option<String>,
    pub(crate) check: Option<String>,
}

impl Default for Policy {
    /// None.
    fn default() -> Self {
        Self {
            routing: Routing::Simple,
            identifier: None,
            check: None,
        }
    }
}

impl Policy {
    /// Reads all words; none if one makes no sense.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words = text.split_whitespace();
        let mut words: BTreeMap<&str, String> = words
            .map(|word| word.split_once('=').unwrap_or((word, "")))
            .map(|(key, value)| (key, value.to_owned()))
            .collect();
        let identifier = words.remove("id");
        let check = words.remove("check");
        let routing = routing(&mut words)?;
        words.is_empty().then_some(Self {
            routing,
            identifier,
            check,
        })
    }
}

fn routing(words: &mut BTreeMap<&str, String>) -> Option<Routing> {
    if let Some(weight) = words.remove("weight") {
        return Some(Routing::Weighted(weight.parse().ok()?));
    }
    if let Some(region) = words.remove("region") {
        return Some(Routing::Latency(Region::stored(&region)));
    }
    if let Some(role) = words.remove("failover") {
        return Some(Routing::Failover(match role.as_str() {
            "PRIMARY" => FailoverRole::Primary,
            "SECONDARY" => FailoverRole::Secondary,
            _ => return None,
        }));
    }
    if words.remove("multivalue").is_some() {
        return Some(Routing::Multivalue);
    }
    if let Some(collection_id) = words.remove("collection") {
        let location = words.remove("location")?;
        return Some(Routing::Cidr {
            collection_id,
            location,
        });
    }
    if words.contains_key("continent") || words.contains_key("country") {
        return Some(Routing::Geolocation(GeoLocation {
            continent: words.remove("continent"),
            country: words.remove("country"),
            subdivision: words.remove("subdivision"),
        }));
    }
    let place = if let Some(region) = words.remove("near") {
        GeoproximityPlace::Region(region)
    } else if let Some(group) = words.remove("group") {
        GeoproximityPlace::LocalZoneGroup(group)
    } else if let Some(point) = words.remove("at") {
        let (latitude, longitude) = point.split_once(',')?;
        GeoproximityPlace::Coordinates(Coordinates {
            latitude: latitude.to_owned(),
            longitude: longitude.to_owned(),
        })
    } else {
        return Some(Routing::Simple);
    };
    let bias = words.remove("bias").map(|bias| bias.parse()).transpose();
    Some(Routing::Geoproximity(GeoproximityLocation {
        place,
        bias: bias.ok()?,
    }))
}
