//! Where the clients of a place are: at a point, where it has one; of a country known by its name
//! alone, where its people live. By hand, to a degree or so, for countries so large that the middle
//! of their people is near nobody.

use meridian_atlas::{Continent, Country, Direction, Place, Point};

/// Latitude, longitude, and how many of the people live around there, in hundredths or so.
type Row = (f32, f32, f32);

/// Points of clients, and how well they are known.
#[derive(Debug, Clone)]
pub(crate) struct Spots {
    /// With the share of the clients there; the shares add up to 1.
    pub(crate) points: Vec<(Direction, f32)>,
    /// How far from all of them clients may be, in km; none where that is anywhere.
    pub(crate) radius_km: Option<f64>,
    /// How far to trust an estimate for them.
    pub(crate) confidence: f32,
}

/// Around a city.
const CITY_KM: f64 = 200.0;
/// Around the middle of a country, and around each of several points of a large one.
const COUNTRY_KM: f64 = 900.0;

impl Spots {
    /// Those of a place; none where nobody knows where it is.
    pub(crate) fn of(place: &Place) -> Option<Self> {
        let rows = |rows: &[Row], radius_km, confidence| Self {
            points: shares(rows),
            radius_km,
            confidence,
        };
        let large = place.country.and_then(of_large);
        match (place.point, place.country, place.continent) {
            (Some(point), ..) if !place.is_country_wide() => Some(Self {
                points: vec![(point.direction(), 1.0)],
                radius_km: Some(CITY_KM),
                confidence: 0.35,
            }),
            (_, Some(_), _) if large.is_some() => {
                Some(rows(large.unwrap_or_default(), Some(COUNTRY_KM), 0.2))
            }
            (_, Some(country), _) => {
                let point = Place::in_country(country).completed().point?;
                Some(Self {
                    points: vec![(point.direction(), 1.0)],
                    radius_km: Some(COUNTRY_KM),
                    confidence: 0.2,
                })
            }
            (_, None, Some(continent)) => Some(rows(of_continent(continent), None, 0.05)),
            (_, None, None) => None,
        }
    }

    /// The least that light in fibre takes to a point and back, in ms, from wherever the clients may
    /// be.
    pub(crate) fn floor_ms(&self, point: Direction) -> f64 {
        let Some(radius_km) = self.radius_km else {
            return 0.0;
        };
        let nearest = self.points.iter().map(|(spot, _)| spot.distance_km(point));
        let nearest = nearest.fold(f64::INFINITY, f64::min);
        ((nearest - radius_km - SLACK_KM) / KM_PER_MS).max(0.0)
    }
}

/// Regions are not where their names are either.
const SLACK_KM: f64 = 100.0;
/// There and back, light in fibre is so far in a ms: 200 km one way, and half of that is the point.
pub(crate) const KM_PER_MS: f64 = 100.0;

fn shares(rows: &[Row]) -> Vec<(Direction, f32)> {
    let all: f32 = rows.iter().map(|row| row.2).sum();
    let points = rows.iter().filter_map(|(latitude, longitude, share)| {
        let point = Point::new(*latitude, *longitude)?;
        Some((point.direction(), share / all))
    });
    points.collect()
}

fn of_large(country: Country) -> Option<&'static [Row]> {
    let code = country.as_str();
    let place = LARGE.binary_search_by(|(other, _)| (*other).cmp(code));
    LARGE.get(place.ok()?).map(|(_, rows)| *rows)
}

/// Sorted by code.
const LARGE: &[(&str, &[Row])] = &[
    (
        "AR",
        &[
            (-34.6, -58.4, 65.0),
            (-31.4, -64.2, 25.0),
            (-39.0, -68.1, 10.0),
        ],
    ),
    (
        "AU",
        &[
            (-33.9, 151.2, 33.0),
            (-37.8, 145.0, 28.0),
            (-27.5, 153.0, 20.0),
            (-32.0, 115.9, 11.0),
            (-34.9, 138.6, 8.0),
        ],
    ),
    (
        "BR",
        &[
            (-23.5, -46.6, 42.0),
            (-19.9, -43.9, 12.0),
            (-8.0, -34.9, 20.0),
            (-15.8, -47.9, 8.0),
            (-30.0, -51.2, 12.0),
            (-2.0, -52.0, 6.0),
        ],
    ),
    (
        "CA",
        &[
            (43.7, -79.4, 40.0),
            (45.5, -73.6, 24.0),
            (49.3, -123.1, 14.0),
            (51.0, -114.1, 12.0),
            (49.9, -97.1, 5.0),
            (44.6, -63.6, 5.0),
        ],
    ),
    (
        "CD",
        &[(-4.3, 15.3, 50.0), (-11.7, 27.5, 30.0), (-1.7, 29.2, 20.0)],
    ),
    (
        "CL",
        &[
            (-33.4, -70.7, 75.0),
            (-36.8, -73.0, 15.0),
            (-23.6, -70.4, 10.0),
        ],
    ),
    (
        "CN",
        &[
            (39.9, 116.4, 20.0),
            (31.2, 121.5, 25.0),
            (23.1, 113.3, 22.0),
            (30.7, 104.1, 13.0),
            (32.5, 112.0, 12.0),
            (41.8, 123.4, 7.0),
            (43.8, 87.6, 1.0),
        ],
    ),
    (
        "DZ",
        &[(36.7, 3.1, 60.0), (35.7, -0.6, 20.0), (36.4, 6.6, 20.0)],
    ),
    (
        "ID",
        &[
            (-6.2, 106.8, 52.0),
            (-7.3, 112.7, 25.0),
            (3.6, 98.7, 11.0),
            (-5.1, 119.4, 10.0),
            (-2.5, 140.7, 2.0),
        ],
    ),
    (
        "IN",
        &[
            (28.6, 77.2, 32.0),
            (19.1, 72.9, 24.0),
            (13.0, 78.9, 20.0),
            (22.6, 88.4, 16.0),
            (17.4, 78.5, 8.0),
        ],
    ),
    (
        "IR",
        &[(35.7, 51.4, 45.0), (36.3, 59.6, 20.0), (30.5, 51.0, 35.0)],
    ),
    (
        "KZ",
        &[(43.3, 76.9, 50.0), (51.1, 71.4, 30.0), (47.1, 51.9, 20.0)],
    ),
    (
        "MX",
        &[
            (19.4, -99.1, 55.0),
            (20.7, -103.3, 20.0),
            (25.7, -100.3, 15.0),
            (32.5, -117.0, 10.0),
        ],
    ),
    (
        "PE",
        &[
            (-12.0, -77.0, 60.0),
            (-8.1, -79.0, 20.0),
            (-16.4, -71.5, 20.0),
        ],
    ),
    (
        "RU",
        &[
            (55.8, 37.6, 40.0),
            (59.9, 30.3, 12.0),
            (47.2, 39.7, 16.0),
            (54.5, 50.0, 12.0),
            (56.8, 60.6, 10.0),
            (55.0, 82.9, 5.0),
            (53.0, 100.0, 3.0),
            (45.5, 133.0, 2.0),
        ],
    ),
    (
        "SA",
        &[(24.7, 46.7, 45.0), (21.5, 39.2, 35.0), (26.4, 50.1, 20.0)],
    ),
    (
        "TR",
        &[(41.0, 29.0, 50.0), (39.9, 32.9, 25.0), (37.0, 35.3, 25.0)],
    ),
    (
        "US",
        &[
            (40.7, -74.0, 26.0),
            (41.9, -87.6, 18.0),
            (33.7, -84.4, 19.0),
            (32.8, -96.8, 14.0),
            (34.1, -118.2, 14.0),
            (47.6, -122.3, 5.0),
            (39.7, -105.0, 4.0),
        ],
    ),
    (
        "ZA",
        &[
            (-26.2, 28.0, 60.0),
            (-33.9, 18.4, 25.0),
            (-29.9, 31.0, 15.0),
        ],
    ),
];

/// For addresses of which nothing but the continent is known.
const fn of_continent(continent: Continent) -> &'static [Row] {
    match continent {
        Continent::Africa => &[
            (8.0, 7.0, 40.0),
            (30.0, 31.2, 20.0),
            (-1.3, 36.8, 20.0),
            (-26.2, 28.0, 20.0),
        ],
        Continent::Antarctica => &[(-77.8, 166.7, 100.0)],
        Continent::Asia => &[
            (28.6, 77.2, 35.0),
            (31.2, 121.5, 30.0),
            (13.8, 100.5, 20.0),
            (35.0, 51.0, 15.0),
        ],
        Continent::Europe => &[
            (50.1, 8.7, 50.0),
            (52.2, 21.0, 20.0),
            (55.8, 37.6, 15.0),
            (40.4, -3.7, 15.0),
        ],
        Continent::NorthAmerica => &[
            (40.7, -74.0, 35.0),
            (32.8, -96.8, 25.0),
            (34.1, -118.2, 20.0),
            (19.4, -99.1, 20.0),
        ],
        Continent::Oceania => &[(-33.9, 151.2, 80.0), (-36.9, 174.8, 20.0)],
        Continent::SouthAmerica => &[
            (-23.5, -46.6, 55.0),
            (-34.6, -58.4, 25.0),
            (4.6, -74.1, 20.0),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spots(country: &str) -> Spots {
        let country = Country::new(country).unwrap();
        Spots::of(&Place::in_country(country).completed()).unwrap()
    }

    #[test]
    fn points_of_large_countries_lie_around_the_middle_of_their_people() {
        assert!(LARGE.is_sorted_by(|a, b| a.0 < b.0));
        for (code, rows) in LARGE {
            let all = spots(code);
            assert!((2..=8).contains(&rows.len()) && all.points.len() == rows.len());
            let shares: f32 = all.points.iter().map(|(_, share)| share).sum();
            assert!((shares - 1.0).abs() < 1e-4, "{code}");
            let country = Country::new(code).unwrap();
            let centre = Place::in_country(country).completed().point.unwrap();
            let (north, east, weight) = rows.iter().fold((0.0, 0.0, 0.0), |sum, row| {
                (sum.0 + row.0 * row.2, sum.1 + row.1 * row.2, sum.2 + row.2)
            });
            let middle = Point::new(north / weight, east / weight).unwrap();
            let km = middle.distance_km(centre);
            assert!(km < 900.0, "{code}: {km:.0} km from its centre");
        }
    }

    #[test]
    fn every_country_and_continent_has_somebody_somewhere() {
        for country in Country::all() {
            assert!(!spots(country.as_str()).points.is_empty(), "{country}");
        }
        for continent in Continent::ALL {
            let place = Place {
                continent: Some(continent),
                ..Place::UNKNOWN
            };
            let spots = Spots::of(&place).unwrap();
            let shares: f32 = spots.points.iter().map(|(_, share)| share).sum();
            assert!((shares - 1.0).abs() < 1e-4, "{continent}");
            assert!(spots.radius_km.is_none());
        }
        assert!(Spots::of(&Place::UNKNOWN).is_none());
    }

    #[test]
    fn what_is_known_better_is_trusted_more() {
        let berlin = Place {
            point: Point::new(52.5, 13.4),
            ..Place::in_country(Country::new("DE").unwrap())
        };
        let city = Spots::of(&berlin).unwrap();
        assert!(city.confidence > spots("DE").confidence);
        assert!(city.radius_km < spots("DE").radius_km);
    }

    #[test]
    fn nobody_is_faster_than_light_from_wherever_they_may_be() {
        let sydney = Point::new(-33.9, 151.2).unwrap().direction();
        let floor = spots("DE").floor_ms(sydney);
        assert!((150.0..160.0).contains(&floor), "{floor}");
        assert!(spots("AU").floor_ms(sydney) <= 0.0);
        // Perth is 3,300 km from Sydney, and Australia's all the same.
        let perth = Point::new(-32.0, 115.9).unwrap().direction();
        assert!(spots("AU").floor_ms(perth) <= 0.0);
    }
}
