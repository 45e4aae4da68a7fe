//! Points on the earth, taken as a sphere, and how far they are from each other.

use std::hash::{Hash, Hasher};

/// The mean radius of the earth.
pub const EARTH_RADIUS_KM: f64 = 6371.0088;

/// How long it takes, in milliseconds, to whatever is near and back, where nobody has measured it; a
/// fit to round trips between AWS's regions.
const LEAST_MS: f64 = 5.0;
/// How much longer for each kilometre. Light in fibre would take a hundredth.
const MS_PER_KM: f64 = 1.75 / 100.0;

/// How long a round trip takes, in milliseconds, by distance alone.
pub fn by_distance_ms(km: f64) -> f64 {
    LEAST_MS + km * MS_PER_KM
}

/// A point by its coordinates in degrees: north and east are positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    latitude: f32,
    longitude: f32,
}

// Neither coordinate is ever what is no number, and there is one zero: equal is equal bit by bit.
impl Eq for Point {}

impl Hash for Point {
    fn hash<H: Hasher>(&self, state: &mut H) {
        [self.latitude, self.longitude]
            .map(f32::to_bits)
            .hash(state);
    }
}

impl Point {
    /// None outside of −90 to 90 and −180 to 180.
    pub fn new(latitude: f32, longitude: f32) -> Option<Self> {
        // A comparison with what is no number is false.
        let fits = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        // Adding zero turns the negative one into the other.
        fits.then_some(Self {
            latitude: latitude + 0.0,
            longitude: longitude + 0.0,
        })
    }

    /// −90 to 90.
    pub fn latitude(self) -> f32 {
        self.latitude
    }

    /// −180 to 180.
    pub fn longitude(self) -> f32 {
        self.longitude
    }

    /// The great-circle distance. Whoever compares one point with many takes [`Self::direction`]
    /// once.
    pub fn distance_km(self, other: Self) -> f64 {
        self.direction().distance_km(other.direction())
    }

    /// The point as seen from the centre of the earth.
    pub fn direction(self) -> Direction {
        let (north, ring) = f64::from(self.latitude).to_radians().sin_cos();
        let (east, front) = f64::from(self.longitude).to_radians().sin_cos();
        Direction([front * ring, east * ring, north])
    }
}

/// A [`Point`] made ready for being compared: a vector of length 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction([f64; 3]);

impl Direction {
    /// The great-circle distance.
    pub fn distance_km(self, other: Self) -> f64 {
        // By the chord: the cosine alone is worth little for points that are close together.
        (self.chord_squared(other).sqrt() / 2.0).min(1.0).asin() * 2.0 * EARTH_RADIUS_KM
    }

    /// What grows with the distance and costs less: enough to tell which of two is nearer.
    pub fn chord_squared(self, other: Self) -> f64 {
        let [a, b, c] = self.0;
        let [x, y, z] = other.0;
        (a - x).powi(2) + (b - y).powi(2) + (c - z).powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(latitude: f32, longitude: f32) -> Point {
        Point::new(latitude, longitude).unwrap()
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        let quarter = EARTH_RADIUS_KM * std::f64::consts::FRAC_PI_2;
        for (a, b, km) in [
            (point(0.0, 0.0), point(0.0, 0.0), 0.0),
            (point(0.0, 0.0), point(0.0, 90.0), quarter),
            (point(90.0, 0.0), point(0.0, 45.0), quarter),
            (point(90.0, 0.0), point(-90.0, 0.0), 2.0 * quarter),
            (point(10.0, 180.0), point(10.0, -180.0), 0.0),
            (point(0.0, 179.5), point(0.0, -179.5), quarter / 90.0),
            // Paris to Tokyo.
            (point(48.86, 2.35), point(35.68, 139.69), 9712.0),
        ] {
            assert!((a.distance_km(b) - km).abs() < 2.0, "{a:?} {b:?}: {km}");
            assert!((a.distance_km(b) - b.distance_km(a)).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_no_point_is_refused() {
        for (latitude, longitude) in [
            (90.1, 0.0),
            (-91.0, 0.0),
            (0.0, 180.5),
            (0.0, -181.0),
            (f32::NAN, 0.0),
            (0.0, f32::INFINITY),
        ] {
            assert_eq!(Point::new(latitude, longitude), None);
        }
    }
}
