//! Master files (RFC 1035 section 5): records read line by line, and written.
//!
//! [`Reader`] is fed the lines of a file and gives records whose values are Route 53's texts;
//! [`owner`] and [`value`] write the other way. Files are opened by others: `$INCLUDE` is handed
//! to them. Whether a zone may hold what is read is not asked here.

mod fields;
mod generate;
mod reader;
mod tokens;
mod write;

#[cfg(test)]
mod tests;

pub use reader::{Include, Item, MAX_ENTRY_BYTES, Reader, Record, Refused};
pub use write::{owner, value};
