//! The pure decision: (world, view, queries, client, now, seed) → reply bytes.
//!
//! No socket, no clock, no source of randomness, no log: facts are arguments, so the same input
//! gives the same bytes.

mod directory;
mod edit;
mod hash;
mod identity;
mod image;
mod lookup;
mod node;
mod page;
mod referral;
mod reply;
mod walk;
mod world;

use std::net::IpAddr;

use meridian_dns::message::{Query, Unreadable, error_reply};
use meridian_model::Generation;

use reply::Task;
use walk::Walk;

pub use hash::HashKey;
pub use identity::{CookieSecret, Identity};
pub use image::{ZoneImage, ZoneMeta};
pub use node::{Broken, CompileError};
pub use world::{ViewId, World, WorldSize, ZoneChange};

/// The most queries one call of [`answer`] takes; more gain nothing.
pub const BATCH: usize = 16;

/// How a query came, which decides how long its reply may be and what it may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A datagram; replies are cut at the smaller of the client's and this many bytes.
    Udp {
        /// Bytes, at least 512.
        max_payload: u16,
    },
    /// A TCP connection in the clear.
    Tcp {
        /// How long an idle connection is kept, in units of 100 ms (RFC 7828).
        idle: u16,
    },
    /// DNS over TLS (RFC 7858).
    Tls {
        /// As for TCP.
        idle: u16,
    },
    /// DNS over QUIC (RFC 9250).
    Quic,
    /// DNS over HTTPS (RFC 8484).
    Https,
}

/// One query and the room for its reply.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The message as received.
    pub query: &'a [u8],
    /// Who sent it.
    pub client: IpAddr,
    /// Whose zones it is to see.
    pub view: ViewId,
    /// How it came.
    pub transport: Transport,
    /// Where the reply goes: as long as the transport's longest reply.
    pub reply: &'a mut [u8],
}

/// What became of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The reply buffer holds a reply to be sent.
    Reply(Answered),
    /// Nothing is to be sent: not a query, or not worth an answer.
    Drop,
}

/// What a reply is, for whoever sends, counts or limits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The first this many bytes of the reply buffer are the reply.
    pub len: u16,
    /// The whole response code, with the bits that are in the OPT record.
    pub rcode: u16,
    /// The type asked for; 0 when the question could not be read.
    pub qtype: u16,
    /// Whether the client showed a server cookie of ours, so that its address is its own.
    pub valid_cookie: bool,
    /// The zone that the question was found to be for.
    pub zone: Option<Generation>,
}

/// Facts of one batch.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Seconds since 1970-01-01 UTC.
    pub now_s: u64,
    /// A number that differs from batch to batch; decides every random choice in it.
    pub seed: u64,
}

/// Room that answering needs and keeps from batch to batch; one for each thread.
#[derive(Debug, Clone)]
pub struct Scratch {
    walks: Box<[Walk; BATCH]>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            walks: Box::new([const { Walk::new() }; BATCH]),
        }
    }
}

/// A query between the stages: what was asked, and the zone that it probably, then certainly, is
/// for.
struct Job<'q, 'w> {
    query: Query<'q>,
    zone: Option<&'w ZoneImage>,
}

/// Answers up to [`BATCH`] queries as the server that `identity` says; `outcomes` is as long as
/// `packets`. Packets beyond that are dropped.
///
/// Each stage goes over the whole batch, so that one query's wait for memory is spent on the
/// others: find the zones by hash, touch them, make sure of them and touch the slots of the names,
/// then read the nodes and write.
pub fn answer(
    scratch: &mut Scratch,
    world: &World,
    identity: &Identity,
    packets: &mut [Packet<'_>],
    outcomes: &mut [Outcome],
    moment: Moment,
) {
    outcomes.fill(Outcome::Drop);
    let mut jobs: [Option<Job<'_, '_>>; BATCH] = [const { None }; BATCH];
    let slots = packets.iter_mut().zip(outcomes.iter_mut()).zip(&mut jobs);
    for (((packet, outcome), job), walk) in slots.zip(scratch.walks.iter_mut()) {
        match Query::read(packet.query) {
            Ok(query) => {
                walk.start(world.key, query.question.name);
                let zone = lookup::hint(world, walk);
                *job = Some(Job { query, zone });
            }
            Err(Unreadable::Drop) => {}
            Err(Unreadable::Header(header)) => {
                let limit = packet.reply.len().min(512);
                let len = error_reply(packet.reply, limit, &header, reply::OUR_PAYLOAD);
                *outcome = outcome_of(Answered {
                    len: u16::try_from(len).unwrap_or_default(),
                    rcode: header.rcode,
                    qtype: header.question.map_or(0, |question| question.qtype),
                    valid_cookie: false,
                    zone: None,
                });
            }
        }
    }
    for zone in jobs.iter().flatten().filter_map(|job| job.zone) {
        std::hint::black_box(zone.meta.views);
    }
    let waiting = packets.iter().zip(&mut jobs);
    for ((packet, job), walk) in waiting.zip(scratch.walks.iter_mut()) {
        if let Some(Job { zone, .. }) = job {
            *zone = lookup::zone(world, packet.view, walk, None);
            if let Some(zone) = zone {
                touch(world, zone, walk);
            }
        }
    }
    let slots = packets.iter_mut().zip(outcomes).zip(&jobs);
    for (place, (((packet, outcome), job), walk)) in slots.zip(scratch.walks.iter_mut()).enumerate()
    {
        let Some(Job { query, zone }) = job else {
            continue;
        };
        let mut task = Task {
            world,
            identity,
            view: packet.view,
            client: packet.client,
            transport: packet.transport,
            query,
            walk,
            now_s: moment.now_s,
            seed: seed_of(moment.seed, place),
        };
        *outcome = outcome_of(reply::write(&mut task, *zone, packet.reply));
    }
}

/// Reads the index slot that the name most probably needs, so that it is near when it is needed.
#[inline]
fn touch(world: &World, zone: &ZoneImage, walk: &mut Walk) {
    let depth = walk.depth();
    if zone.has_depth(depth - usize::from(zone.apex_labels)) {
        let hash = walk.hash(world.key, depth);
        std::hint::black_box(zone.probe(hash).is_some());
    }
}

/// There is no reply of no bytes: the buffer had no room even for an error.
fn outcome_of(answered: Answered) -> Outcome {
    if answered.len == 0 {
        Outcome::Drop
    } else {
        Outcome::Reply(answered)
    }
}

/// A number of its own for each query of a batch.
fn seed_of(seed: u64, place: usize) -> usize {
    let mixed = (seed ^ place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 40).unwrap_or_default()
}
