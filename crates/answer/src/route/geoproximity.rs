//! Geoproximity: the nearest place, with distances stretched by a bias.

use meridian_atlas::{Direction, Point};
use meridian_model::{GeoproximityLocation, GeoproximityPlace};

use crate::client::Whereabouts;
use crate::hash::HashKey;
use crate::health::Key;
use crate::regions::RegionTable;

use super::candidates::Candidates;
use super::group::{Member, PARAMETER};
use super::nearest::least;
use super::trace::{Finding, Trace};

/// In the parameter: the place is a region or a local zone group, by its key.
const REGION: u8 = 0;
/// In the parameter: it is a point.
const POINT: u8 = 1;

/// The parameter of a member: which kind of place, the bias, the place.
pub(crate) fn parameter(key: HashKey, location: &GeoproximityLocation) -> [u8; PARAMETER] {
    let (kind, place) = match &location.place {
        GeoproximityPlace::Region(name) | GeoproximityPlace::LocalZoneGroup(name) => {
            (REGION, Key::of_region(key, name).0.to_le_bytes())
        }
        GeoproximityPlace::Coordinates(point) => {
            let [latitude, longitude] = [&point.latitude, &point.longitude]
                .map(|text| text.parse::<f32>().unwrap_or(f32::NAN).to_le_bytes());
            let [a, b, c, d] = latitude;
            let [e, f, g, h] = longitude;
            (POINT, [a, b, c, d, e, f, g, h])
        }
    };
    let [bias] = location.bias.unwrap_or(0).to_le_bytes();
    let mut parameter = [0; PARAMETER];
    (parameter[0], parameter[1]) = (kind, bias);
    parameter[2..].copy_from_slice(&place);
    parameter
}

/// The bias of a member.
pub(crate) fn bias(member: &Member<'_>) -> i8 {
    i8::from_le_bytes([member.parameter[1]])
}

fn direction(member: &Member<'_>, regions: &RegionTable) -> Option<Direction> {
    let place = member.parameter.last_chunk::<8>()?;
    if member.parameter[0] == REGION {
        return regions.direction(Key(u64::from_le_bytes(*place)));
    }
    let [a, b, c, d, e, f, g, h] = *place;
    let [latitude, longitude] = [[a, b, c, d], [e, f, g, h]].map(f32::from_le_bytes);
    Point::new(latitude, longitude).map(Point::direction)
}

/// The distance with the bias: a positive one draws the place nearer, a negative one pushes it
/// away.
pub(crate) fn biased(km: f64, bias: i8) -> f64 {
    let share = f64::from(bias) / 100.0;
    if bias >= 0 {
        km * (1.0 - share)
    } else {
        km / (1.0 + share)
    }
}

/// The nearest in play by biased distance, and for how many bits of the client's address that is
/// so.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    client: &Whereabouts,
    regions: &RegionTable,
    trace: &mut T,
) -> (Option<usize>, u8) {
    let here = client.direction;
    let chosen = least(
        candidates,
        || client.range.id(),
        trace,
        |place, member, trace| {
            let there = here.zip(direction(member, regions));
            let Some((here, there)) = there else {
                return f64::INFINITY;
            };
            let km = here.distance_km(there);
            let biased = biased(km, bias(member));
            trace.finding(place, || Finding::DistanceKm(km));
            trace.finding(place, || Finding::BiasedKm(biased));
            biased
        },
    );
    // Who is alone needs no clients to choose by.
    let scope = match candidates.all().nth(1) {
        Some(_) => client.scopes.record,
        None => 0,
    };
    (chosen, scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_is_route_53s_formula() {
        for (km, bias, expected) in [
            (150.0, 50, 75.0),
            (100.0, 0, 100.0),
            (100.0, 99, 1.0),
            (100.0, -99, 10_000.0),
            (100.0, -50, 200.0),
        ] {
            assert!((biased(km, bias) - expected).abs() < 1e-6, "{km} {bias}");
        }
    }
}
