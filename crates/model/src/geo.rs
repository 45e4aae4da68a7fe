//! Places as Route 53 knows them: continents, countries, and the parts of countries. Who is where
//! is the business of `atlas`, and what a place does to an answer that of `answer`.

mod code;
mod continent;
mod details;
mod names;
mod subdivision;

pub use code::{Country, Subdivision};
pub use continent::Continent;
pub use details::{GeoPlace, GeoStart};
