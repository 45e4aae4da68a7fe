//! The policies and parameters of a random group.

use std::collections::BTreeMap;

use meridian_dns::RecordType;
use meridian_model::{
    Coordinates, GeoLocation, GeoproximityLocation, GeoproximityPlace, Region, Routing, RoutingKind,
};

use crate::case::Prefix;
use crate::earth;
use crate::generate::failover;
use crate::networks::POINTS;
use crate::rng::Rng;

/// Places that geolocation sets name: continent, country, subdivision.
const PLACES: [(&str, &str, &str); 16] = [
    ("", "*", ""),
    ("", "*", ""),
    ("EU", "", ""),
    ("NA", "", ""),
    ("AS", "", ""),
    ("SA", "", ""),
    ("", "US", ""),
    ("", "US", "TX"),
    ("", "US", "CA"),
    ("", "DE", ""),
    ("", "FR", ""),
    ("", "TR", ""),
    ("", "CA", ""),
    ("", "CN", ""),
    ("", "IO", ""),
    ("", "BR", ""),
];

const WEIGHTS: [u8; 10] = [0, 0, 0, 1, 1, 3, 10, 20, 70, 255];
const BIASES: [Option<i8>; 9] = [
    None,
    None,
    Some(0),
    Some(50),
    Some(99),
    Some(10),
    Some(-10),
    Some(-50),
    Some(-99),
];

/// The kinds, those with more corners twice.
const KINDS: [RoutingKind; 10] = [
    RoutingKind::Simple,
    RoutingKind::Weighted,
    RoutingKind::Weighted,
    RoutingKind::Latency,
    RoutingKind::Failover,
    RoutingKind::Geolocation,
    RoutingKind::Geolocation,
    RoutingKind::Multivalue,
    RoutingKind::Cidr,
    RoutingKind::Geoproximity,
];

/// A kind of group.
pub(crate) fn kind(rng: &mut Rng) -> RoutingKind {
    *rng.pick(&KINDS)
}

/// A member's routing for each set of a group of this kind, or of another where it cannot be.
pub(crate) fn group(
    rng: &mut Rng,
    kind: RoutingKind,
    rtype: RecordType,
    collections: &BTreeMap<String, Vec<(Prefix, String)>>,
) -> Vec<Routing> {
    let count = 1 + rng.below(5);
    match kind {
        RoutingKind::Simple => vec![Routing::Simple],
        RoutingKind::Multivalue if rtype != RecordType::Cname => {
            let count = *rng.pick(&[1, 3, 7, 8, 9, 10]);
            vec![Routing::Multivalue; count]
        }
        RoutingKind::Failover => failover(rng),
        RoutingKind::Latency => latency(rng, count),
        RoutingKind::Geoproximity => geoproximity(rng, count),
        RoutingKind::Geolocation => geolocation(rng, count + 2),
        RoutingKind::Cidr => cidr(rng, collections),
        RoutingKind::Weighted | RoutingKind::Multivalue => {
            let weight = |_| Routing::Weighted(*rng.pick(&WEIGHTS));
            (0..count).map(weight).collect()
        }
    }
}

fn latency(rng: &mut Rng, count: usize) -> Vec<Routing> {
    let mut regions = earth::regions();
    let take = |rng: &mut Rng, regions: &mut Vec<&str>| {
        let china = regions.iter().position(|region| *region == "cn-north-1");
        let place = match china {
            Some(place) if rng.percent(15) => place,
            _ => rng.below(regions.len()),
        };
        regions.remove(place).to_owned()
    };
    let regions = (0..count).map(|_| take(rng, &mut regions));
    regions
        .map(|region| Routing::Latency(Region::new(&region).unwrap()))
        .collect()
}

fn geoproximity(rng: &mut Rng, count: usize) -> Vec<Routing> {
    let regions = earth::regions();
    let place = |rng: &mut Rng| {
        if rng.percent(40) {
            return GeoproximityPlace::Region((*rng.pick(&regions)).to_owned());
        }
        if rng.percent(15) {
            return GeoproximityPlace::LocalZoneGroup(rng.pick(&earth::GROUPS).0.to_owned());
        }
        let (latitude, longitude) = *rng.pick(&POINTS);
        GeoproximityPlace::Coordinates(Coordinates {
            latitude: latitude.to_string(),
            longitude: longitude.to_string(),
        })
    };
    let one = |rng: &mut Rng| GeoproximityLocation {
        place: place(rng),
        bias: *rng.pick(&BIASES),
    };
    (0..count)
        .map(|_| Routing::Geoproximity(one(rng)))
        .collect()
}

fn geolocation(rng: &mut Rng, count: usize) -> Vec<Routing> {
    let own = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut places: Vec<GeoLocation> = Vec::new();
    for _ in 0..count {
        let (continent, country, subdivision) = *rng.pick(&PLACES);
        let place = GeoLocation {
            continent: own(continent),
            country: own(country),
            subdivision: own(subdivision),
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.into_iter().map(Routing::Geolocation).collect()
}

fn cidr(rng: &mut Rng, collections: &BTreeMap<String, Vec<(Prefix, String)>>) -> Vec<Routing> {
    let ids: Vec<&String> = collections.keys().collect();
    let id = *rng.pick(&ids);
    let mut locations: Vec<&str> = vec!["*"];
    for (_, location) in &collections[id] {
        if !locations.contains(&location.as_str()) {
            locations.push(location);
        }
    }
    let keep = *rng.pick(&[50, 80, 100]);
    let mut kept: Vec<&str> = locations
        .iter()
        .copied()
        .filter(|_| rng.percent(keep))
        .collect();
    if kept.is_empty() {
        kept.push(locations[0]);
    }
    let routing = |location: &str| Routing::Cidr {
        collection_id: id.clone(),
        location: location.to_owned(),
    };
    kept.into_iter().map(routing).collect()
}
