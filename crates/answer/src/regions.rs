//! Regions and local zone groups as policies measure by them: record sets name them by key, so that
//! nothing is compiled anew when one moves.

use meridian_atlas::{Continent, Country, Direction, Place, Point, Regions};

use crate::hash::HashKey;
use crate::health::Key;
use crate::keyed::Keyed;

/// The region that answers its country whatever is faster (Route 53's documentation).
const BEIJING: &str = "cn-north-1";

/// All that are known.
#[derive(Debug, Clone)]
pub(crate) struct RegionTable {
    points: Keyed<(Point, Direction)>,
    beijing: Key,
}

impl RegionTable {
    pub(crate) fn new(key: HashKey, regions: &Regions) -> Self {
        let points = regions.iter().map(|(name, point)| {
            let region = Key::of_region(key, name);
            (region, (point, point.direction()))
        });
        Self {
            points: points.collect(),
            beijing: Key::of_region(key, BEIJING),
        }
    }

    /// Where a region or local zone group is.
    #[inline]
    pub(crate) fn direction(&self, region: Key) -> Option<Direction> {
        self.points.get(&region).map(|(_, direction)| *direction)
    }

    /// Whether this is the region that answers its country whatever is faster.
    #[inline]
    pub(crate) fn is_beijing(&self, region: Key) -> bool {
        self.beijing == region
    }

    /// What is known of clients in a region.
    pub(crate) fn place(&self, key: HashKey, region: &str) -> Place {
        let point = self.points.get(&Key::of_region(key, region));
        let country = country_of(region);
        Place {
            continent: country.map(Continent::of),
            country,
            subdivision: None,
            point: point.map(|(point, _)| *point),
        }
    }
}

/// The country that an AWS region is in; none of a region of somebody's own.
fn country_of(region: &str) -> Option<Country> {
    let code = match region {
        "af-south-1" => "ZA",
        "ap-east-1" => "HK",
        "ap-east-2" => "TW",
        "ap-northeast-1" | "ap-northeast-3" => "JP",
        "ap-northeast-2" => "KR",
        "ap-south-1" | "ap-south-2" => "IN",
        "ap-southeast-1" => "SG",
        "ap-southeast-2" | "ap-southeast-4" => "AU",
        "ap-southeast-3" => "ID",
        "ap-southeast-5" => "MY",
        "ap-southeast-6" => "NZ",
        "ap-southeast-7" => "TH",
        "ca-central-1" | "ca-west-1" => "CA",
        "cn-north-1" | "cn-northwest-1" => "CN",
        "eu-central-1" | "eusc-de-east-1" => "DE",
        "eu-central-2" => "CH",
        "eu-north-1" => "SE",
        "eu-south-1" => "IT",
        "eu-south-2" => "ES",
        "eu-west-1" => "IE",
        "eu-west-2" => "GB",
        "eu-west-3" => "FR",
        "il-central-1" => "IL",
        "me-central-1" => "AE",
        "me-south-1" => "BH",
        "mx-central-1" => "MX",
        "sa-east-1" => "BR",
        us if us.starts_with("us-") => "US",
        _ => return None,
    };
    Country::new(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_of_the_api_has_a_point_and_a_country() {
        let key = HashKey([1, 2]);
        let table = RegionTable::new(key, &Regions::default());
        for region in meridian_model::Region::known() {
            let place = table.place(key, region);
            assert!(place.point.is_some() && place.country.is_some(), "{region}");
            assert!(table.direction(Key::of_region(key, region)).is_some());
        }
        let unknown = table.place(key, "moon-1");
        assert_eq!(unknown, Place::UNKNOWN);
    }
}
