//! Geolocation: the set for the smallest place that the client is in.

use meridian_atlas::{Continent, Country, Place, Subdivision};
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
/// In the parameter: no continent.
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
    parameter[0] = size;
    parameter[1..7].copy_from_slice(&codes(&place));
    parameter
}

/// A place as bytes that can be compared: continent, country, subdivision.
fn codes(place: &Place) -> [u8; 6] {
    let mut codes = [0; 6];
    codes[0] = place
        .continent
        .map_or(NO_CONTINENT, |continent| continent as u8);
    let country = place.country.as_ref().map_or("", Country::as_str);
    let subdivision = place.subdivision.as_ref().map_or("", Subdivision::as_str);
    for (to, from) in codes[1..3].iter_mut().zip(country.bytes()) {
        *to = from;
    }
    for (to, from) in codes[3..].iter_mut().zip(subdivision.bytes()) {
        *to = from;
    }
    codes
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
    // For each size the set that matches, in play and at all.
    let (mut in_play, mut matching) = ([None; NOWHERE as usize], [None; NOWHERE as usize]);
    let mut scope = 0;
    for (place, member) in candidates.all() {
        scope = scope.max(told_apart(client, &here, &member));
        let size = usize::from(member.parameter[0]);
        if !matches(&here, &member) {
            continue;
        }
        if let Some(seat) = matching.get_mut(size) {
            *seat = Some(place);
        }
        if let Some(seat) = in_play.get_mut(size)
            && candidates.is_in_play(&member)
        {
            *seat = Some(place);
        }
    }
    let smallest = |places: &[Option<usize>]| places.iter().rev().find_map(|place| *place);
    let healthy = smallest(&in_play);
    let chosen = healthy.or_else(|| smallest(&matching));
    if T::ON {
        let could_be = if healthy.is_some() { in_play } else { matching };
        for place in could_be.iter().flatten() {
            trace.fate(*place, || Fate::LessSpecific);
        }
        if healthy.is_none() && chosen.is_some() {
            trace.last_resort();
        }
    }
    (chosen, scope)
}

/// Whether a client at this place is in the place of a member.
fn matches(here: &[u8; 6], member: &Member<'_>) -> bool {
    let (size, there) = (member.parameter[0], &member.parameter[1..7]);
    match size {
        DEFAULT => true,
        CONTINENT => here[0] == there[0],
        COUNTRY => here[1..3] == there[1..3] && here[1] != 0,
        SUBDIVISION => here[1..] == there[1..] && here[1] != 0,
        _ => false,
    }
}

/// For how many bits around this client a member is the same to everybody: it matches all of them
/// or none.
fn told_apart(client: &Whereabouts, here: &[u8; 6], member: &Member<'_>) -> u8 {
    let (size, there) = (member.parameter[0], &member.parameter[1..7]);
    let scopes = client.scopes;
    match size {
        CONTINENT => scopes.continent,
        // On another continent all are elsewhere.
        COUNTRY | SUBDIVISION if here[0] != there[0] => scopes.continent,
        // And so they are in another country of this one.
        COUNTRY => scopes.country,
        SUBDIVISION if here[1..3] != there[1..3] => scopes.country,
        SUBDIVISION => scopes.subdivision,
        _ => 0,
    }
}
