//! ListGeoLocations.

use meridian_control::ListGeoLocations;

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{geo_codes, geo_location_details};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "ListGeoLocations",
    method: "GET",
    pattern: "/geolocations",
    handler: Some(handle),
};

/// The page size, where the request does not say.
const DEFAULT_ITEMS: usize = 100;
/// The largest page.
const MAX_ITEMS: usize = 500;

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let names = [
        "startcontinentcode",
        "startcountrycode",
        "startsubdivisioncode",
    ];
    let max_items = match call.query.text("maxitems") {
        Some(_) => call.query.max_items(MAX_ITEMS)?,
        None => DEFAULT_ITEMS,
    };
    let request = ListGeoLocations {
        start: geo_codes(&call.query, names)?,
        max_items,
    };
    let page = call.operations.geo_locations(&request)?;
    Ok(Reply::ok("ListGeoLocationsResponse", |doc| {
        doc.element("GeoLocationDetailsList", |doc| {
            for place in &page.places {
                geo_location_details(doc, place);
            }
        });
        doc.text("IsTruncated", page.next.is_some());
        if let Some(next) = &page.next {
            doc.optional("NextContinentCode", next.continent.as_ref());
            doc.optional("NextCountryCode", next.country.as_ref());
            doc.optional("NextSubdivisionCode", next.subdivision.as_ref());
        }
        doc.text("MaxItems", max_items);
    }))
}
