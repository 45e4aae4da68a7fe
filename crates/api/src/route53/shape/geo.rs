//! `GeoLocationDetails`, and the codes of places.

use meridian_model::{GeoLocation, GeoPlace};

use crate::route53::Query;
use crate::xml::{Document, TextFacets, XmlError};

/// `GeoLocationContinentCode`.
pub(in crate::route53) const CONTINENT: TextFacets =
    TextFacets::new("GeoLocationContinentCode", 2, 2);
/// `GeoLocationCountryCode`.
pub(in crate::route53) const COUNTRY: TextFacets = TextFacets::new("GeoLocationCountryCode", 1, 2);
/// `GeoLocationSubdivisionCode`.
pub(in crate::route53) const SUBDIVISION: TextFacets =
    TextFacets::new("GeoLocationSubdivisionCode", 1, 3);

/// Reads the codes of a place from parameters of these names: continent, country, part.
pub(in crate::route53) fn geo_codes(
    query: &Query,
    [continent, country, subdivision]: [&str; 3],
) -> Result<GeoLocation, XmlError> {
    Ok(GeoLocation {
        continent: query.checked(continent, &CONTINENT)?,
        country: query.checked(country, &COUNTRY)?,
        subdivision: query.checked(subdivision, &SUBDIVISION)?,
    })
}

/// Writes `<GeoLocationDetails>`.
pub(in crate::route53) fn geo_location_details(doc: &mut Document, place: &GeoPlace) {
    let location = place.location();
    let [continent, country, subdivision] = place.names();
    doc.element("GeoLocationDetails", |doc| {
        doc.optional("ContinentCode", location.continent.as_ref());
        doc.optional("ContinentName", continent);
        doc.optional("CountryCode", location.country.as_ref());
        doc.optional("CountryName", country);
        doc.optional("SubdivisionCode", location.subdivision.as_ref());
        doc.optional("SubdivisionName", subdivision);
    });
}
