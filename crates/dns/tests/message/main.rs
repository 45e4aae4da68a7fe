//! Messages against properties and against the reader of crate `domain`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod queries;
mod replies;
