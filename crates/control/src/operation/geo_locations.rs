//! GetGeoLocation and ListGeoLocations. What they say is known to everybody, so no right is asked
//! for, and nothing is read.

use meridian_model::{GeoLocation, GeoPlace, GeoStart};

use super::Outcome;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{GeoPlacePage, ListGeoLocations};

/// The longest page: all places there are, and some more.
const MAX_ITEMS: usize = 500;

impl Control {
    /// GetGeoLocation: a place that geolocation records may name.
    ///
    /// # Errors
    /// `NoSuchGeoLocation`; `InvalidInput` for codes that do not go together.
    pub fn geo_location(&self, location: &GeoLocation) -> Outcome<GeoPlace> {
        let wrong = |text: &str| Err(Refusal::InvalidInput(text.to_owned()).into());
        match (
            &location.continent,
            &location.country,
            &location.subdivision,
        ) {
            (None, None, None) => return wrong("A ContinentCode or a CountryCode is needed."),
            (None, None, Some(_)) => return wrong("A SubdivisionCode needs a CountryCode."),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return wrong(
                    "A ContinentCode cannot be combined with a CountryCode or SubdivisionCode.",
                );
            }
            _ => {}
        }
        Ok(GeoPlace::of(location).ok_or(Refusal::NoSuchGeoLocation)?)
    }

    /// ListGeoLocations: countries with their parts, then continents.
    ///
    /// # Errors
    /// `InvalidInput` for codes that do not go together.
    pub fn geo_locations(&self, request: &ListGeoLocations) -> Outcome<GeoPlacePage> {
        let from = start(&request.start)?;
        let limit = request.max_items.clamp(1, MAX_ITEMS);
        let places = GeoPlace::all().filter(|place| place.start() >= from);
        let mut places: Vec<GeoPlace> = places.take(limit + 1).collect();
        let rest = places.split_off(limit.min(places.len()));
        Ok(GeoPlacePage {
            places,
            next: rest.first().map(GeoPlace::location),
        })
    }
}

/// Where a list begins: with the first place if nothing is said.
fn start(codes: &GeoLocation) -> Result<GeoStart, Refusal> {
    let wrong = |text: &str| Err(Refusal::InvalidInput(text.to_owned()));
    match (
        codes.continent.clone(),
        codes.country.clone(),
        codes.subdivision.clone(),
    ) {
        (Some(continent), None, None) => Ok(GeoStart::Continent(continent)),
        (Some(_), _, _) => wrong(
            "A StartContinentCode cannot be combined with a StartCountryCode or \
             StartSubdivisionCode.",
        ),
        (None, None, Some(_)) => wrong("A StartSubdivisionCode needs a StartCountryCode."),
        (None, country, part) => Ok(GeoStart::Country(
            country.unwrap_or_default(),
            part.unwrap_or_default(),
        )),
    }
}
