//! What the operations on places take and give.

use meridian_model::{GeoLocation, GeoPlace};

/// `ListGeoLocationsRequest`. Page sizes are clamped by the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListGeoLocations {
    /// The codes that the page starts at; without any, it is the first one.
    pub start: GeoLocation,
    /// 1 to 500.
    pub max_items: usize,
}

/// A page of places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeoPlacePage {
    /// In the order of the list.
    pub places: Vec<GeoPlace>,
    /// The first place of the next page.
    pub next: Option<GeoLocation>,
}
