//! What fuzz targets share: messages judged by crate `domain`, and the zones that are asked about.
//!
//! Each target is a file in `targets`, its inputs are in `corpus`; `fuzz/run` builds and runs them.

pub mod judge;
pub mod world;

#[path = "../../crates/answer/tests/scenario/mod.rs"]
#[expect(dead_code, reason = "what replies are due is not compared here")]
mod scenario;
#[path = "../../crates/answer/tests/answers/zones.rs"]
#[expect(clippy::unwrap_used, reason = "a test's, which may panic")]
mod zones;
