//! What a record set says to its policy, as the eight bytes of a member and as text for people.
//! Each policy knows its own form.

use std::borrow::Cow;

use meridian_model::{GeoproximityPlace, Routing};

use crate::hash::HashKey;

use super::{failover, weighted};

/// The parameter of a member.
pub(crate) fn write(_key: HashKey, routing: &Routing) -> [u8; 8] {
    match routing {
        Routing::Weighted(weight) => weighted::parameter(*weight),
        Routing::Failover(role) => failover::parameter(*role),
        Routing::Simple
        | Routing::Multivalue
        | Routing::Latency(_)
        | Routing::Geolocation(_)
        | Routing::Cidr { .. }
        | Routing::Geoproximity(_) => [0; 8],
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
