//! DNS messages: queries read in place, replies written into a caller's buffer, no allocation.
//!
//! [`Query`] is what came in, [`Unreadable`] what was wrong with it, [`Reply`] what goes out.
//! What to answer is decided elsewhere.

pub mod codes;
mod compress;
mod edns;
mod query;
mod reply;
mod reply_edns;

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may panic")]
mod tests;

pub use edns::{ClientSubnet, Edns};
pub use query::{Header, Query, Question, Unreadable};
pub use reply::{Full, Mark, Owner, Reply, Section, error_reply};
pub use reply_edns::{ExtendedError, ReplyEdns};

/// The length of a message's header, in bytes; the question name starts here.
pub const HEADER_LEN: usize = 12;
