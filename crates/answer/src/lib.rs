//! The pure decision: (world, view, queries, client, now, seed) → reply bytes.
//!
//! No socket, no clock, no source of randomness, no log: facts are arguments, so the same input
//! gives the same bytes.

mod world;

use std::net::IpAddr;

pub use world::{ViewId, World};

/// The most queries one call of [`answer`] takes; more gain nothing.
pub const BATCH: usize = 16;

/// How a query came, which decides how long its reply may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A datagram; replies are cut at the smaller of the client's and this many bytes.
    Udp {
        /// Bytes, at least 512.
        max_payload: u16,
    },
    /// A stream: up to 65,535 bytes.
    Stream,
}

/// One query and the room for its reply.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The message as received.
    pub query: &'a [u8],
    /// Who sent it.
    pub client: IpAddr,
    /// How it came.
    pub transport: Transport,
    /// Where the reply goes: as long as the transport's longest reply.
    pub reply: &'a mut [u8],
}

/// What became of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The first this many bytes of the reply buffer are to be sent.
    Reply(usize),
    /// Nothing is to be sent: not a query, or not worth an answer.
    Drop,
}

/// Facts of one batch.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Seconds since 1970-01-01 UTC.
    pub now_s: u64,
    /// A number that differs from batch to batch; decides every random choice in it.
    pub seed: u64,
}

/// Answers up to [`BATCH`] queries that came in on one view; `outcomes` is as long as `packets`.
pub fn answer(
    _world: &World,
    _view: ViewId,
    packets: &mut [Packet<'_>],
    outcomes: &mut [Outcome],
    _moment: Moment,
) {
    for (_, outcome) in packets.iter_mut().zip(outcomes) {
        *outcome = Outcome::Drop;
    }
}
