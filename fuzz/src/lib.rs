//! What fuzz targets share: messages judged by crate `domain`, the zones that are asked about, and
//! requests as text.
//!
//! Each target is a file in `targets`, its inputs are in `corpus`; `fuzz/run` builds and runs them.

pub mod judge;
pub mod lines;
pub mod world;

#[path = "../../crates/answer/tests/scenario/mod.rs"]
#[expect(dead_code, reason = "what replies are due is not compared here")]
mod scenario;
#[path = "../../crates/answer/tests/answers/zones.rs"]
#[expect(clippy::unwrap_used, reason = "a test's, which may panic")]
#[expect(dead_code, reason = "nobody asks from inside a VPC here")]
mod zones;
