//! GetGeoLocation.

use super::call::{Call, Reply};
use super::route::Route;
use super::shape::{geo_codes, geo_location_details};
use crate::fault::Failure;

pub(super) const ROUTE: Route = Route {
    operation: "GetGeoLocation",
    method: "GET",
    pattern: "/geolocation",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let names = ["continentcode", "countrycode", "subdivisioncode"];
    let location = geo_codes(&call.query, names)?;
    let place = call.operations.geo_location(&location)?;
    Ok(Reply::ok("GetGeoLocationResponse", |doc| {
        geo_location_details(doc, &place);
    }))
}
