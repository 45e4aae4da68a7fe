//! DNS names, record data and messages: bytes and text.
//!
//! Nothing here knows Route 53's nouns, sockets or time. Start with [`Name`], [`RecordType`] and
//! [`rdata`]; [`message`] reads queries in place and writes replies into a caller's buffer,
//! [`zonefile`] reads and writes master files.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod cursor;
pub mod message;
mod name;
pub mod rdata;
mod record_type;
pub mod short;
pub mod zonefile;

pub use name::{Labels, MAX_LABEL_LEN, MAX_NAME_LEN, Name, NameError};
pub use record_type::{RecordType, UnknownRecordType};
