//! The geography that decisions need: some of Route 53's countries and regions, and distances.

use crate::case::Place;

/// Where some regions are: two of them at one point.
pub(crate) const REGIONS: [(&str, f64, f64); 14] = [
    ("us-east-1", 38.95, -77.45),
    ("us-east-2", 39.96, -83.0),
    ("us-gov-east-1", 39.96, -83.0),
    ("us-west-2", 45.84, -119.70),
    ("ca-central-1", 45.50, -73.57),
    ("sa-east-1", -23.55, -46.63),
    ("eu-west-1", 53.35, -6.26),
    ("eu-central-1", 50.11, 8.68),
    ("eu-north-1", 59.33, 18.07),
    ("ap-northeast-1", 35.68, 139.69),
    ("ap-southeast-2", -33.87, 151.21),
    ("cn-north-1", 39.90, 116.41),
    ("cn-northwest-1", 37.51, 105.19),
    ("af-south-1", -33.92, 18.42),
];

/// Where some local zone groups are.
pub(crate) const GROUPS: [(&str, f64, f64); 2] = [
    ("us-west-2-den-1", 39.74, -104.99),
    ("eu-north-1-cph-1", 55.68, 12.57),
];

/// The names of the regions.
pub(crate) fn regions() -> Vec<&'static str> {
    REGIONS.iter().map(|(name, ..)| *name).collect()
}

/// The coordinates of a region or local zone group.
pub(crate) fn region(name: &str) -> Option<(f64, f64)> {
    let mut all = REGIONS.iter().chain(&GROUPS);
    let found = all.find(|(known, ..)| *known == name);
    found.map(|(_, latitude, longitude)| (*latitude, *longitude))
}

/// The place that a VPC's region stands for.
pub(crate) fn inside(name: &str) -> Place {
    let country = match name {
        "us-east-1" | "us-east-2" => "US",
        "eu-central-1" => "DE",
        "ap-southeast-2" => "AU",
        "cn-north-1" | "cn-northwest-1" => "CN",
        other => unreachable!("{other} is not among the VPCs of the tests"),
    };
    place(country, None, region(name))
}

/// Route 53's continent of a country, where it differs from other tables among others.
pub(crate) fn continent(country: &str) -> &'static str {
    match country {
        "US" | "CA" | "MX" | "GL" => "NA",
        "DE" | "FR" | "TR" | "CY" | "XK" | "RU" => "EU",
        "CN" | "JP" | "IO" | "GE" => "AS",
        "BR" => "SA",
        "GS" => "AN",
        "AU" | "UM" => "OC",
        "ZA" => "AF",
        other => unreachable!("{other} is not among the countries of the tests"),
    }
}

/// Somewhere in a country.
pub(crate) fn place(
    country: &'static str,
    subdivision: Option<&'static str>,
    point: Option<(f64, f64)>,
) -> Place {
    Place {
        continent: Some(continent(country)),
        country: Some(country),
        subdivision,
        point,
    }
}

/// Great-circle distance in km (haversine) on a sphere of radius 6371.0088 km.
pub(crate) fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let ring = from.0.to_radians().cos() * to.0.to_radians().cos();
    let chord = half(from.0, to.0) + ring * half(from.1, to.1);
    2.0 * 6371.0088 * chord.sqrt().min(1.0).asin()
}
