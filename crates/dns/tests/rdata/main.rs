//! Record data against properties and against other people's readers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod dnspython;
mod domain_crate;
mod properties;
mod values;
mod zonefile;
