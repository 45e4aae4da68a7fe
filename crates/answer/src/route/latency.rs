//! Latency: the region that is fastest for the client. Until latencies are measured, the nearest.

use crate::client::Whereabouts;
use crate::hash::HashKey;
use crate::health::Key;
use crate::regions::RegionTable;

use meridian_model::Region;

use super::candidates::Candidates;
use super::group::{Member, PARAMETER};
use super::nearest::least;
use super::trace::{Fate, Finding, Trace};

/// The parameter of a member.
pub(crate) fn parameter(key: HashKey, region: &Region) -> [u8; PARAMETER] {
    let mut parameter = [0; PARAMETER];
    let region = Key::of_region(key, region.as_str());
    parameter[..8].copy_from_slice(&region.0.to_le_bytes());
    parameter
}

/// The region of a member.
fn region(member: &Member<'_>) -> Key {
    let bytes = member.parameter.first_chunk::<8>();
    Key(bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes)))
}

/// The fastest region in play, and for how many bits of the client's address that is so. Clients in
/// China are answered from Beijing while that is in play, whatever is faster.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    client: &Whereabouts,
    regions: &RegionTable,
    trace: &mut T,
) -> (Option<usize>, u8) {
    let in_china = client.place.country.is_some_and(|c| c.as_str() == "CN");
    let mut in_play = candidates.in_play();
    let beijing = match in_china {
        true => in_play.find(|(_, member)| regions.is_beijing(region(member))),
        false => None,
    };
    let nearest = least(candidates, client.range, trace, |place, member, trace| {
        let km = cost(client, regions, region(member));
        if km.is_finite() {
            trace.finding(place, || Finding::DistanceKm(km));
        }
        km
    });
    // Who is alone needs no clients to choose by.
    let scope = match candidates.all().nth(1) {
        Some(_) => client.scopes.record,
        None => 0,
    };
    let chosen = match beijing {
        Some((place, _)) => {
            if T::ON {
                for (other, _) in candidates.in_play() {
                    trace.fate(other, || Fate::NotBeijing);
                }
            }
            Some(place)
        }
        None => nearest,
    };
    (chosen, scope)
}

/// What reaching a region costs a client, in whatever is measured: today kilometres, once latencies
/// are measured milliseconds. Infinite where nothing is known.
fn cost(client: &Whereabouts, regions: &RegionTable, region: Key) -> f64 {
    let there = regions.direction(region);
    client
        .direction
        .zip(there)
        .map_or(f64::INFINITY, |(here, there)| here.distance_km(there))
}
