//! The control plane through its functions, over a journal and tables in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod bench;
mod drafts;
mod generation;
mod history;
mod identity;
mod imports;
mod observations;
mod operations;
