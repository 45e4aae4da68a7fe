//! Where regions and local zone groups are, which Route 53's API names but does not place. What a
//! region is fast for is not told by distance alone, and the business of the latency map.

mod aws;

use std::collections::BTreeMap;

use crate::point::Point;

/// Regions and local zone groups by name. The default are those of AWS.
#[derive(Debug, Clone)]
pub struct Regions(BTreeMap<Box<str>, Point>);

impl Regions {
    /// Without any.
    pub const fn empty() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a region, or puts one of this name somewhere else.
    pub fn add(&mut self, name: &str, point: Point) {
        self.0.insert(name.into(), point);
    }

    /// Where the region or local zone group of this name is.
    pub fn point(&self, name: &str) -> Option<Point> {
        self.0.get(name).copied()
    }

    /// All, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Point)> {
        self.0.iter().map(|(name, point)| (&**name, *point))
    }
}

impl Default for Regions {
    fn default() -> Self {
        let mut regions = Self::empty();
        for &(name, _, latitude, longitude) in aws::REGIONS.iter().chain(aws::LOCAL_ZONE_GROUPS) {
            if let Some(point) = Point::new(latitude, longitude) {
                regions.add(name, point);
            }
        }
        regions
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use meridian_model::Region;

    use super::*;

    /// Where the cities are that the tables name, written down apart from them.
    const CITIES: &[(&str, f32, f32)] = &[
        ("Ashburn", 39.0438, -77.4874),
        ("Atlanta", 33.7490, -84.3880),
        ("Auckland", -36.8509, 174.7645),
        ("Bangkok", 13.7563, 100.5018),
        ("Beijing", 39.9042, 116.4074),
        ("Boardman", 45.8399, -119.7006),
        ("Boston", 42.3601, -71.0589),
        ("Buenos Aires", -34.6037, -58.3816),
        ("Calgary", 51.0447, -114.0719),
        ("Cape Town", -33.9249, 18.4241),
        ("Chicago", 41.8781, -87.6298),
        ("Columbus", 39.9612, -82.9988),
        ("Copenhagen", 55.6761, 12.5683),
        ("Dallas", 32.7767, -96.7970),
        ("Delhi", 28.6139, 77.2090),
        ("Denver", 39.7392, -104.9903),
        ("Dubai", 25.2048, 55.2708),
        ("Dublin", 53.3498, -6.2603),
        ("Frankfurt", 50.1109, 8.6821),
        ("Hamburg", 53.5511, 9.9937),
        ("Hanoi", 21.0278, 105.8342),
        ("Helsinki", 60.1699, 24.9384),
        ("Hong Kong", 22.3193, 114.1694),
        ("Honolulu", 21.3069, -157.8583),
        ("Houston", 29.7604, -95.3698),
        ("Hyderabad", 17.3850, 78.4867),
        ("Jakarta", -6.2088, 106.8456),
        ("Kansas City", 39.0997, -94.5786),
        ("Kolkata", 22.5726, 88.3639),
        ("Kuala Lumpur", 3.1390, 101.6869),
        ("Lagos", 6.5244, 3.3792),
        ("Las Vegas", 36.1699, -115.1398),
        ("Lima", -12.0464, -77.0428),
        ("London", 51.5074, -0.1278),
        ("Los Angeles", 34.0522, -118.2437),
        ("Manama", 26.2285, 50.5860),
        ("Manila", 14.5995, 120.9842),
        ("Melbourne", -37.8136, 144.9631),
        ("Miami", 25.7617, -80.1918),
        ("Milan", 45.4642, 9.1900),
        ("Minneapolis", 44.9778, -93.2650),
        ("Montreal", 45.5019, -73.5674),
        ("Mumbai", 19.0760, 72.8777),
        ("Muscat", 23.5880, 58.3829),
        ("New York", 40.7128, -74.0060),
        ("Osaka", 34.6937, 135.5023),
        ("Paris", 48.8566, 2.3522),
        ("Perth", -31.9523, 115.8613),
        ("Philadelphia", 39.9526, -75.1652),
        ("Phoenix", 33.4484, -112.074),
        ("Portland", 45.5152, -122.6784),
        ("Potsdam", 52.3906, 13.0645),
        ("Querétaro", 20.5888, -100.3899),
        ("San Jose", 37.3382, -121.8863),
        ("Santiago", -33.4489, -70.6693),
        ("São Paulo", -23.5505, -46.6333),
        ("Seattle", 47.6062, -122.3321),
        ("Seoul", 37.5665, 126.978),
        ("Singapore", 1.3521, 103.8198),
        ("Stockholm", 59.3293, 18.0686),
        ("Sydney", -33.8688, 151.2093),
        ("Taipei", 25.0330, 121.5654),
        ("Tel Aviv", 32.0853, 34.7818),
        ("Tokyo", 35.6762, 139.6503),
        ("Warsaw", 52.2297, 21.0122),
        ("Zaragoza", 41.6488, -0.8891),
        ("Zhongwei", 37.5000, 105.1897),
        ("Zurich", 47.3769, 8.5417),
    ];

    #[test]
    fn every_region_stands_at_the_city_it_names() {
        for (name, city, latitude, longitude) in aws::REGIONS.iter().chain(aws::LOCAL_ZONE_GROUPS) {
            let row = CITIES.iter().find(|(other, ..)| other == city);
            let (_, north, east) = row.unwrap_or_else(|| panic!("{city} is in no list"));
            let here = Point::new(*latitude, *longitude).unwrap();
            let there = Point::new(*north, *east).unwrap();
            let km = here.distance_km(there);
            assert!(km < 10.0, "{name} is {km:.0} km from {city}");
        }
    }

    #[test]
    fn all_regions_of_latency_records_have_a_place() {
        let placed: BTreeSet<&str> = aws::REGIONS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(placed, Region::known().collect());
        assert_eq!(placed.len(), aws::REGIONS.len());
        let regions = Regions::default();
        assert_eq!(
            regions.iter().count(),
            aws::REGIONS.len() + aws::LOCAL_ZONE_GROUPS.len(),
            "every name stands once"
        );
        let toronto = Point::new(43.65, -79.38).unwrap();
        let canada = regions.point("ca-central-1").unwrap();
        assert!(canada.distance_km(toronto) > 400.0, "Montreal, not Toronto");
    }

    #[test]
    fn all_that_records_may_name_are_somewhere() {
        let groups: Vec<&str> = aws::LOCAL_ZONE_GROUPS.iter().map(|row| row.0).collect();
        assert_eq!(
            groups,
            meridian_model::local_zone_groups().collect::<Vec<_>>()
        );
    }

    #[test]
    fn local_zone_groups_are_named_after_their_region() {
        let regions = Regions::default();
        for (group, ..) in aws::LOCAL_ZONE_GROUPS {
            let mut parts = group.rsplitn(3, '-');
            assert!(parts.next().unwrap().parse::<u8>().is_ok(), "{group}");
            assert_eq!(parts.next().unwrap().len(), 3, "{group}");
            let region = parts.next().unwrap();
            assert!(regions.point(region).is_some(), "{region} of {group}");
        }
    }

    #[test]
    fn operators_add_regions_and_move_them() {
        let mut regions = Regions::default();
        assert_eq!(regions.point("home"), None);
        for longitude in [1.0, 2.0] {
            let point = Point::new(50.0, longitude);
            regions.add("home", point.unwrap());
            assert_eq!(regions.point("home"), point);
        }
    }
}
