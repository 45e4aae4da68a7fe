//! DNS messages: queries read in place, replies written into a caller's buffer, no allocation.
//!
//! [`Query`] is what came in, [`Unreadable`] what was wrong with it, [`Reply`] what goes out.
//! What to answer is decided elsewhere.

pub mod codes;
mod compress;
mod edns;
mod freshness;
mod options;
mod query;
mod reply;
mod reply_edns;
mod truncate;

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may panic")]
mod tests;

pub use edns::{ClientSubnet, Edns};
pub use freshness::freshness_s;
pub use options::Asked;
pub use query::{CookieQuery, Header, Query, Question, Unreadable};
pub use reply::{Full, Mark, Owner, Reply, Section, error_reply};
pub use reply_edns::{ExtendedError, ReplyEdns, ZoneVersion};
pub use truncate::truncate_reply;

/// The length of a message's header, in bytes; the question name starts here.
pub const HEADER_LEN: usize = 12;

/// The TC bit in the second word of the header.
const TC: u16 = 0x0200;

/// What the OPT record of a reply is sure to have in every message, in bytes: enough for itself,
/// a client subnet and a cookie. Other options take what is left.
pub const OPT_ROOM: usize = 64;

/// What a message has to hold beside the records of one set, in bytes: header, question, OPT.
const OVERHEAD: usize = HEADER_LEN + 255 + 4 + OPT_ROOM;

/// Whether a set whose records have data of these lengths, in bytes, can be sent in one message.
/// Owners in front of the data are pointers.
pub fn fits_in_message(data_lengths: impl Iterator<Item = usize>) -> bool {
    let records: usize = data_lengths.map(|len| 12 + len).sum();
    records + OVERHEAD <= usize::from(u16::MAX)
}
