//! Geolocation: the set for the smallest place that the client is in.

use meridian_atlas::{Continent, Country, Place, Scopes, Subdivision};
use meridian_model::GeoLocation;

use crate::client::Whereabouts;

use super::candidates::Candidates;
use super::group::{Member, PARAMETER};
use super::trace::{Fate, Trace};

/// How small a place is, in the parameter; what no client is in has another number.
const DEFAULT: u8 = 0;
const CONTINENT: u8 = 1;
const COUNTRY: u8 = 2;
const SUBDIVISION: u8 = 3;
const NOWHERE: u8 = 4;
/// In the codes: no continent.
const NO_CONTINENT: u8 = u8::MAX;

/// The parameter of a member: how small, continent, country, subdivision.
pub(crate) fn parameter(location: &GeoLocation) -> [u8; PARAMETER] {
    let mut parameter = [0; PARAMETER];
    let (size, place) = match location {
        GeoLocation {
            country: Some(country),
            subdivision: None,
            ..
        } if country == "*" => (DEFAULT, Place::UNKNOWN),
        GeoLocation {
            country: Some(country),
            subdivision,
            ..
        } => {
            let place = Country::new(country).map(Place::in_country);
            let part = subdivision.as_deref().map(Subdivision::new);
            match (place, part) {
                (Some(place), None) => (COUNTRY, place),
                (Some(place), Some(Some(part))) => {
                    let subdivision = Some(part);
                    (
                        SUBDIVISION,
                        Place {
                            subdivision,
                            ..place
                        },
                    )
                }
                _ => (NOWHERE, Place::UNKNOWN),
            }
        }
        GeoLocation {
            continent: Some(continent),
            ..
        } => match Continent::new(continent) {
            Some(continent) => {
                let continent = Some(continent);
                (
                    CONTINENT,
                    Place {
                        continent,
                        ..Place::UNKNOWN
                    },
                )
            }
            None => (NOWHERE, Place::UNKNOWN),
        },
        _ => (NOWHERE, Place::UNKNOWN),
    };
    let [_, codes @ ..] = codes(&place).to_le_bytes();
    parameter[0] = size;
    parameter[1..8].copy_from_slice(&codes);
    parameter
}

/// In the codes of a place: which of them tell a continent, a country, a subdivision.
const OF_CONTINENT: u64 = 0xFF << 8;
const OF_COUNTRY: u64 = 0xFFFF << 16;
const OF_SUBDIVISION: u64 = 0xFF_FFFF << 32;

/// A place as a number, from its second byte on: continent, country, subdivision.
#[inline]
fn codes(place: &Place) -> u64 {
    let continent = place
        .continent
        .map_or(NO_CONTINENT, |continent| continent as u8);
    let [a, b] = place.country.map_or([0; 2], Country::bytes);
    let [c, d, e] = place.subdivision.map_or([0; 3], Subdivision::bytes);
    u64::from_le_bytes([0, continent, a, b, c, d, e, 0])
}

/// The smallest place in play that the client is in; where none of those is, the smallest of all
/// (the last resort is over those that match). And for how many bits of the client's address no
/// set tells clients apart, whether it is in play or not.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    client: &Whereabouts,
    trace: &mut T,
) -> (Option<usize>, u8) {
    let here = codes(&client.place);
    // The smallest that matches, in play and at all. No two sets are for the same place.
    let (mut in_play, mut matching) = (None, None);
    let mut apart = Apart::Nothing;
    for (place, member) in candidates.all() {
        let seen = seen_from(here, &member);
        apart = apart.max(seen.apart);
        if !seen.is_inside {
            continue;
        }
        let own = Some((member.parameter[0], place));
        matching = matching.max(own);
        if candidates.is_in_play(&member) {
            in_play = in_play.max(own);
        }
    }
    if T::ON {
        let is_healthy = in_play.is_some();
        for (place, member) in candidates.all() {
            let could_be = !is_healthy || candidates.is_in_play(&member);
            if could_be && seen_from(here, &member).is_inside {
                trace.fate(place, || Fate::LessSpecific);
            }
        }
        if !is_healthy && matching.is_some() {
            trace.last_resort();
        }
    }
    let chosen = in_play.or(matching).map(|(_, place)| place);
    (chosen, apart.bits(client.scopes))
}

/// What a member is to a client.
struct Seen {
    /// The client is in its place.
    is_inside: bool,
    /// Where the clients end to whom it is the same.
    apart: Apart,
}

/// The largest kind of place in all of which a member is the same to everybody: it matches all of
/// them or none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Apart {
    Nothing,
    Continents,
    Countries,
    Subdivisions,
}

impl Apart {
    /// For how many bits around a client that is so.
    fn bits(self, scopes: Scopes) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Continents => scopes.continent,
            Self::Countries => scopes.country,
            Self::Subdivisions => scopes.subdivision,
        }
    }
}

#[inline]
fn seen_from(here: u64, member: &Member<'_>) -> Seen {
    let [size, ..] = *member.parameter;
    let there = member.parameter.first_chunk();
    let there = there.map_or(0, |word| u64::from_le_bytes(*word));
    let differs = |codes| (here ^ there) & codes != 0;
    let (is_inside, apart) = match size {
        DEFAULT => (true, Apart::Nothing),
        CONTINENT => (!differs(OF_CONTINENT), Apart::Continents),
        // On another continent all are elsewhere.
        COUNTRY | SUBDIVISION if differs(OF_CONTINENT) => (false, Apart::Continents),
        // And so they are in another country of this one.
        COUNTRY => (!differs(OF_COUNTRY), Apart::Countries),
        SUBDIVISION if differs(OF_COUNTRY) => (false, Apart::Countries),
        SUBDIVISION => (!differs(OF_SUBDIVISION), Apart::Subdivisions),
        _ => (false, Apart::Nothing),
    };
    Seen { is_inside, apart }
}
