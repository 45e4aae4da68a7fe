//! Latency: the region that is fastest for the client. Until latencies are measured, the nearest.

use crate::client::Whereabouts;
use crate::hash::HashKey;
use crate::health::Key;
use crate::regions::RegionTable;

use meridian_atlas::Country;
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

/// The fastest region in play, and for how many bits of the client's address that is so. Clients
/// known by their region, those of VPCs, are answered from it while it is in play, and clients in
/// China from Beijing, whatever is faster.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    client: &Whereabouts,
    regions: &RegionTable,
    trace: &mut T,
) -> (Option<usize>, u8) {
    let preferred = preferred(candidates, client, regions);
    let nearest = least(candidates, client.range, trace, |place, member, trace| {
        let there = regions.direction(region(member));
        let Some((here, there)) = client.direction.zip(there) else {
            return f64::INFINITY;
        };
        trace.finding(place, || Finding::DistanceKm(here.distance_km(there)));
        // Which is nearer takes no arcs.
        here.chord_squared(there)
    });
    // Who is alone needs no clients to choose by.
    let scope = match candidates.all().nth(1) {
        Some(_) => client.scopes.record,
        None => 0,
    };
    let Some((place, why)) = preferred else {
        return (nearest, scope);
    };
    if T::ON {
        for (other, _) in candidates.in_play() {
            trace.fate(other, || why);
        }
    }
    (Some(place), scope)
}

/// The member in play that answers this client whatever is faster, and why others do not.
fn preferred(
    candidates: &Candidates<'_>,
    client: &Whereabouts,
    regions: &RegionTable,
) -> Option<(usize, Fate)> {
    let find = |is_it: &dyn Fn(Key) -> bool| {
        let mut in_play = candidates.in_play();
        in_play.find_map(|(place, member)| is_it(region(&member)).then_some(place))
    };
    if let Some(own) = client.region
        && let Some(place) = find(&|region| region == own)
    {
        return Some((place, Fate::NotOwnRegion));
    }
    let country = client.place.country.as_ref().map(Country::as_str);
    if country != Some("CN") {
        return None;
    }
    let place = find(&|region| regions.is_beijing(region))?;
    Some((place, Fate::NotBeijing))
}
