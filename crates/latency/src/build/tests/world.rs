//! The world of the tests: cities with a /24 each, regions, and cables between landing points. A
//! packet goes over land to a cable, by cables, and over land again; across some oceans there are
//! none.

use super::*;

pub(super) struct World {
    atlas: Atlas,
    regions: Regions,
    pub(super) matrix: Matrix,
    cities: Vec<City>,
    detours: bool,
}

struct City {
    network: u32,
    country: &'static str,
    point: Point,
}

pub(super) const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-west-2",
];

/// Where cables land, and which go where.
const LANDINGS: &[(f32, f32)] = &[
    (40.7, -74.0),  // 0 New York
    (51.5, -0.1),   // 1 London
    (50.1, 8.7),    // 2 Frankfurt
    (25.8, -80.2),  // 3 Miami
    (-23.5, -46.6), // 4 São Paulo
    (34.1, -118.2), // 5 Los Angeles
    (35.7, 139.7),  // 6 Tokyo
    (1.4, 103.8),   // 7 Singapore
    (-33.9, 151.2), // 8 Sydney
    (19.1, 72.9),   // 9 Mumbai
    (25.2, 55.3),   // 10 Dubai
    (-33.9, 18.4),  // 11 Cape Town
    (43.3, 5.4),    // 12 Marseille
    (6.5, 3.4),     // 13 Lagos
];
const CABLES: &[(usize, usize)] = &[
    (0, 1),
    (0, 3),
    (3, 4),
    (0, 5),
    (5, 6),
    (5, 8),
    (6, 7),
    (7, 8),
    (7, 9),
    (9, 10),
    (10, 12),
    (12, 2),
    (1, 2),
    (1, 13),
    (13, 11),
];

/// From and to, in degrees.
type Range = (f32, f32);

/// Countries with the box their cities are in.
const COUNTRIES: &[(&str, Range, Range)] = &[
    ("US", (31.0, 44.0), (-120.0, -76.0)),
    ("BR", (-28.0, -6.0), (-52.0, -38.0)),
    ("DE", (48.0, 53.0), (7.0, 13.0)),
    ("ES", (37.0, 43.0), (-6.0, 2.0)),
    ("PL", (50.0, 54.0), (15.0, 23.0)),
    ("ZA", (-33.0, -25.0), (19.0, 31.0)),
    ("NG", (5.0, 12.0), (4.0, 13.0)),
    ("IN", (10.0, 28.0), (73.0, 86.0)),
    ("JP", (33.0, 40.0), (131.0, 141.0)),
    ("AU", (-37.0, -28.0), (145.0, 153.0)),
    ("SA", (19.0, 27.0), (40.0, 49.0)),
    ("ID", (-8.0, -1.0), (102.0, 115.0)),
];

impl World {
    /// One of so many cities, always the same.
    pub(super) fn new(count: usize) -> Self {
        let mut layer = Layer::new(Source::named("made up"));
        let mut cities = Vec::new();
        for number in 0..count {
            let (country, north, east) = COUNTRIES[number % COUNTRIES.len()];
            let part = |lot: u64, (from, to): (f32, f32)| from + (to - from) * lottery(lot);
            let lot = number as u64 * 2;
            let point = Point::new(part(lot, north), part(lot + 1, east)).unwrap();
            // 10.0.0.0/8 in steps of a /20: no two share one.
            let network = 10 << 24 | u32::try_from(number).unwrap() << 12;
            let place = Place {
                point: Some(point),
                ..Place::in_country(Country::new(country).unwrap())
            };
            let name = format!("{}/20", std::net::Ipv4Addr::from_bits(network));
            layer.add(name.parse().unwrap(), place.completed()).unwrap();
            cities.push(City {
                network,
                country,
                point,
            });
        }
        let known = Regions::default();
        let mut regions = Regions::empty();
        for name in REGIONS {
            regions.add(name, known.point(name).unwrap());
        }
        let mut world = Self {
            atlas: Atlas::new(vec![layer]).unwrap(),
            regions,
            matrix: Matrix::default(),
            cities,
            detours: false,
        };
        for from in REGIONS {
            for to in REGIONS.iter().filter(|to| *to != from) {
                let point = world.regions.point(from).unwrap();
                world
                    .matrix
                    .insert(from, to, world.takes(point, to))
                    .unwrap();
            }
        }
        world
    }

    /// The same, where a third of all countries have no good way to a third of the regions: no
    /// distance and no matrix can tell.
    pub(super) fn with_detours(mut self) -> Self {
        self.detours = true;
        self
    }

    /// The same, where nobody has measured between regions.
    pub(super) fn without_matrix(mut self) -> Self {
        self.matrix = Matrix::default();
        self
    }

    pub(super) fn ground(&self, now_s: u64) -> Ground<'_> {
        Ground {
            atlas: &self.atlas,
            regions: &self.regions,
            now_s,
        }
    }

    /// How long it truly takes.
    pub(super) fn takes(&self, from: Point, region: &str) -> f32 {
        let to = self.regions.point(region).unwrap();
        // Over land, a half more than straight on.
        let land = |a: Point, b: Point| a.distance_km(b) * 1.5;
        let landing = |n: usize| Point::new(LANDINGS[n].0, LANDINGS[n].1).unwrap();
        let mut km: Vec<f64> = (0..LANDINGS.len())
            .map(|n| land(from, landing(n)))
            .collect();
        for _ in LANDINGS {
            for (a, b) in CABLES {
                let length = landing(*a).distance_km(landing(*b)) * 1.2;
                km[*a] = km[*a].min(km[*b] + length);
                km[*b] = km[*b].min(km[*a] + length);
            }
        }
        // Nobody goes across an ocean without a cable: as the crow flies only nearby.
        let ocean = from.distance_km(to) > 4000.0;
        let by_cable = (0..LANDINGS.len()).map(|n| km[n] + land(landing(n), to));
        let least = by_cable.fold(f64::INFINITY, f64::min);
        let km = if ocean {
            least
        } else {
            least.min(land(from, to))
        };
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
        let ms = (3.0 + km / 100.0) as f32;
        ms
    }

    pub(super) fn address(&self, city: usize) -> String {
        std::net::Ipv4Addr::from_bits(self.cities[city].network).to_string()
    }

    pub(super) fn country(&self, city: usize) -> &'static str {
        self.cities[city].country
    }

    pub(super) fn clients(&self) -> impl Iterator<Item = (IpAddr, Point)> {
        self.cities.iter().map(|city| {
            let address = std::net::Ipv4Addr::from_bits(city.network | 9);
            (address.into(), city.point)
        })
    }

    pub(super) fn truth(&self) -> Vec<Truth> {
        let detour = |city: usize, region: usize| {
            let lot = lottery(((city % COUNTRIES.len()) << 8 | region) as u64);
            if self.detours && lot < 0.33 { 1.8 } else { 1.0 }
        };
        let of = |(city, (address, point)): (usize, (IpAddr, Point))| Truth {
            address,
            regions: REGIONS
                .iter()
                .enumerate()
                .map(|(n, region)| {
                    (
                        (*region).into(),
                        self.takes(point, region) * detour(city, n),
                    )
                })
                .collect(),
        };
        self.clients().enumerate().map(of).collect()
    }
}

/// 0 to 1, always the same for a number.
pub(super) fn lottery(number: u64) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a lot")]
    let part = (crate::lot::drawn(number) >> 40) as f32 / (1_u64 << 24) as f32;
    part
}
