//! Places as Route 53 knows them: continents, countries, and the parts of countries. Who is where
//! is the business of `atlas`, and what a place does to an answer that of `answer`.

mod code;
mod continent;
mod subdivision;

pub use code::{Country, Subdivision};
pub use continent::Continent;
