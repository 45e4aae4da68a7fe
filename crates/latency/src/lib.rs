//! How long it takes from whom to where: samples are gathered and become a map of latencies.
//!
//! Knows no clock, no file and no socket: when a sample was taken and what time it is are told, and
//! who takes samples, keeps files and hands maps to name servers is the business of `node`. What
//! answers go by is the finished map, which is `atlas`'s.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod aggregate;
mod area;
mod bins;
mod build;
mod clients;
mod evenly;
mod ground;
mod holding;
pub mod import;
mod key;
mod lot;
mod matrix;
mod model;
mod possible;
mod recent;
mod refused;
pub mod report;
mod rules;
mod sample;
mod score;
mod slower;
mod spots;
mod spread;
#[cfg(test)]
mod testing;

#[cfg(feature = "fuzzing")]
pub use aggregate::sealed;
pub use aggregate::{Aggregate, AggregateSize, StoredFault, Tally};
pub use build::{BuildReport, Churn, Coverage, Hysteresis, Making, build};
pub use ground::Ground;
pub use matrix::Matrix;
pub use meridian_model::Network;
pub use possible::possible;
pub use refused::{Refused, RefusedCounts};
pub use rules::Rules;
pub use sample::{Kind, Sample, kept};
pub use score::{Score, Scores, Truth, score};
pub use spread::{Flow, Move, Moves, Networks, moves, spread};
