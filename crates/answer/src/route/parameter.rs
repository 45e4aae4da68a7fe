//! What a record set says to its policy, as the ten bytes of a member and as text for people.
//! Each policy knows its own form.

use std::borrow::Cow;

use meridian_model::{GeoproximityPlace, Routing};

use crate::hash::HashKey;

use super::group::PARAMETER;
use super::{cidr, failover, geolocation, geoproximity, latency, weighted};

/// The parameter of a member.
pub(crate) fn write(key: HashKey, routing: &Routing) -> [u8; PARAMETER] {
    match routing {
        Routing::Simple | Routing::Multivalue => [0; PARAMETER],
        Routing::Weighted(weight) => weighted::parameter(*weight),
        Routing::Latency(region) => latency::parameter(key, region),
        Routing::Failover(role) => failover::parameter(*role),
        Routing::Geolocation(location) => geolocation::parameter(location),
        Routing::Cidr {
            collection_id,
            location,
        } => cidr::parameter(key, collection_id, location),
        Routing::Geoproximity(location) => geoproximity::parameter(key, location),
    }
}

/// The region, place or location that a set is for, as people write it.
pub(crate) fn place(routing: &Routing) -> Cow<'_, str> {
    match routing {
        Routing::Latency(region) => region.as_str().into(),
        Routing::Geolocation(place) => {
            let codes = [&place.continent, &place.country, &place.subdivision];
            let codes: Vec<&str> = codes.into_iter().flatten().map(String::as_str).collect();
            codes.join("-").into()
        }
        Routing::Cidr { location, .. } => location.into(),
        Routing::Geoproximity(location) => match &location.place {
            GeoproximityPlace::Region(name) | GeoproximityPlace::LocalZoneGroup(name) => {
                name.into()
            }
            GeoproximityPlace::Coordinates(point) => {
                format!("{},{}", point.latitude, point.longitude).into()
            }
        },
        Routing::Simple | Routing::Weighted(_) | Routing::Failover(_) | Routing::Multivalue => {
            "".into()
        }
    }
}
