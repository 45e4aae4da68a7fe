//! What the benchmarks share: made-up zones with the queries and answers that go with them,
//! endpoints of health checks, batches of datagrams, and the clock. The measuring itself is in the
//! binaries, in `benches` and in `run`.

pub mod data;
pub mod datagrams;
pub mod endpoints;
pub mod expect;
pub mod images;
pub mod master;
pub mod policies;
pub mod process;
pub mod store;
pub mod timing;

/// What is measured here takes its memory as the server does.
#[global_allocator]
static MEMORY: meridian_server::LargePages = meridian_server::LargePages;
