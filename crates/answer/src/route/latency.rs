//! Latency: the region that is fastest for the client, by a latency map where that has a number, and
//! by distance where it has none.

use crate::World;
use crate::client::{Client, Whereabouts};
use crate::hash::HashKey;
use crate::health::Key;
use crate::measured::{Sight, Told};
use crate::regions::RegionTable;

use meridian_atlas::{Country, by_distance_ms};
use meridian_model::Region;

use super::candidates::Candidates;
use super::group::{Member, PARAMETER};
use super::nearest::least;
use super::trace::{Fate, Finding, LatencyFound, LatencySource, Trace};

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
    client: &mut Client<'_>,
    world: &World,
    trace: &mut T,
) -> (Option<usize>, u8) {
    let regions = &*world.regions;
    let sight = client.sight();
    let Some((sight, told)) = sight.and_then(|sight| Some((sight, sight.told?))) else {
        let place = client.whereabouts();
        let nearest = nearest(candidates, place, regions, trace);
        let chosen = preferred(candidates, place, regions, trace).or(nearest);
        let nothing_said = sight.map_or(0, |sight| sight.scope.record);
        return (
            chosen,
            holds_for(candidates, nothing_said.max(place.scopes.record)),
        );
    };
    let address = client.address;
    trace.latencies(|| (address, told.latencies));
    let needs = Needs::of(candidates, &told, regions);
    // Where the map says all, nobody need know where the client is.
    let place = (T::ON || needs.distances || needs.country).then(|| client.whereabouts());
    let fastest = fastest(candidates, (&told, place), regions, trace);
    let preferred = place.and_then(|place| preferred(candidates, place, regions, trace));
    (
        preferred.or(fastest),
        holds_for(candidates, needs.bits(&sight, place)),
    )
}

/// For how many bits of the client's address a choice holds that depends on so many: who is alone
/// needs no clients to choose by.
fn holds_for(candidates: &Candidates<'_>, bits: u8) -> u8 {
    candidates.all().nth(1).map_or(0, |_| bits)
}

/// What has to be known of a client besides what the map says, whoever is in play: health is not to
/// change how far an answer holds.
#[derive(Debug, Clone, Copy, Default)]
struct Needs {
    /// How far some regions are, as the map has no number for them.
    distances: bool,
    /// Its country: some region answers that whatever is faster.
    country: bool,
}

impl Needs {
    fn of(candidates: &Candidates<'_>, told: &Told<'_>, regions: &RegionTable) -> Self {
        let mut needs = Self::default();
        for (_, member) in candidates.all() {
            let region = region(&member);
            needs.country |= regions.is_beijing(region);
            needs.distances = needs.distances || told.ms(region).is_none();
        }
        needs
    }

    /// For how many bits of the client's address all that is known is so.
    fn bits(self, sight: &Sight<'_>, place: Option<&Whereabouts>) -> u8 {
        let scopes = place.map(|place| place.scopes);
        let (record, country) = scopes.map_or((0, 0), |scopes| (scopes.record, scopes.country));
        match self {
            // The numbers themselves count, and are compared with what distances make.
            Self {
                distances: true, ..
            } => sight.scope.record.max(record),
            Self { country: true, .. } => sight.scope.order.max(country),
            Self { .. } => sight.scope.order,
        }
    }
}

/// The fastest in play by the map.
fn fastest<T: Trace>(
    candidates: &Candidates<'_>,
    (told, place): (&Told<'_>, Option<&Whereabouts>),
    regions: &RegionTable,
    trace: &mut T,
) -> Option<usize> {
    let here = place.and_then(|place| place.direction);
    least(
        candidates,
        || told.latencies.range(),
        trace,
        |at, member, trace| {
            let region = region(member);
            let known = told.ms(region);
            if !T::ON
                && let Some(ms) = known
            {
                return ms;
            }
            let km = here.zip(regions.direction(region));
            let km = km.map(|(here, there)| here.distance_km(there));
            if let Some(km) = km {
                trace.finding(at, || Finding::DistanceKm(km));
            }
            let Some(ms) = known.or_else(|| km.map(by_distance_ms)) else {
                return f64::INFINITY;
            };
            let origin = told.origin(region);
            let source = origin.map_or(LatencySource::Distance, LatencySource::Map);
            trace.finding(at, || Finding::Latency(LatencyFound { ms, source }));
            ms
        },
    )
}

/// The fastest in play where no map says anything: the nearest.
fn nearest<T: Trace>(
    candidates: &Candidates<'_>,
    place: &Whereabouts,
    regions: &RegionTable,
    trace: &mut T,
) -> Option<usize> {
    least(
        candidates,
        || place.range.id(),
        trace,
        |at, member, trace| {
            let there = regions.direction(region(member));
            let Some((here, there)) = place.direction.zip(there) else {
                return f64::INFINITY;
            };
            trace.finding(at, || Finding::DistanceKm(here.distance_km(there)));
            trace.finding(at, || {
                Finding::Latency(LatencyFound {
                    ms: by_distance_ms(here.distance_km(there)),
                    source: LatencySource::Distance,
                })
            });
            // Which is nearer takes no arcs.
            here.chord_squared(there)
        },
    )
}

/// The member in play that answers this client whatever is faster.
fn preferred<T: Trace>(
    candidates: &Candidates<'_>,
    client: &Whereabouts,
    regions: &RegionTable,
    trace: &mut T,
) -> Option<usize> {
    let find = |is_it: &dyn Fn(Key) -> bool| {
        let mut in_play = candidates.in_play();
        in_play.find_map(|(place, member)| is_it(region(&member)).then_some(place))
    };
    let own = client.region.and_then(|own| find(&|region| region == own));
    let (place, why) = match own {
        Some(place) => (place, Fate::NotOwnRegion),
        None => {
            let country = client.place.country.map(Country::bytes);
            let beijing =
                (country == Some(*b"CN")).then(|| find(&|region| regions.is_beijing(region)));
            (beijing??, Fate::NotBeijing)
        }
    };
    if T::ON {
        for (other, _) in candidates.in_play() {
            trace.fate(other, || why);
        }
    }
    Some(place)
}
