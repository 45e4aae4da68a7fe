//! Who is where: from a client's address to its place, and from one place to another.
//!
//! An [`Atlas`] is made of [`Layer`]s, one per source, and a [`LatencyMap`] of what was measured;
//! neither ever changes again. Knows no DNS message, no file, no clock; what a place does to an
//! answer is the business of `answer`, and which files there are that of `node`.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod atlas;
mod centres;
pub mod countries;
mod latency;
mod layer;
mod line;
pub mod mmdb;
mod operator;
mod place;
mod point;
mod regions;
mod runs;
mod search;
mod shelf;
mod slots;
mod table;
#[cfg(test)]
mod tests;

pub use atlas::{Atlas, AtlasSize, Found, LookUp, Needs, Range, RangeId, Scopes, Spot};
pub use latency::{
    Cell, Latencies, LatencyMap, Located, MAX_REGIONS, MapDraft, MapFault, MapLookUp, MapRange,
    MapRegion, MapRow, MapScopes, MapSize, Origin, RegionIndex,
};
pub use layer::{Layer, Source, TooLarge};
pub use meridian_model::{Continent, Country, Network, Subdivision};
pub use operator::Operator;
pub use place::Place;
pub use point::{Direction, EARTH_RADIUS_KM, Point, by_distance_ms};
pub use regions::Regions;
