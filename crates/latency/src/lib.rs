//! How long it takes from whom to where: samples are gathered and become a map of latencies.
//!
//! Knows no clock, no file and no socket: when a sample was taken and what time it is are told, and
//! who takes samples, keeps files and hands maps to name servers is the business of `node`. What
//! answers go by is the finished map, which is `atlas`'s.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod ground;
pub mod import;
mod matrix;
mod refused;
mod sample;

pub use ground::Ground;
pub use matrix::Matrix;
pub use meridian_model::Network;
pub use refused::{Refused, RefusedCounts};
pub use sample::{Kind, Sample};
