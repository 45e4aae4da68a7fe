//! The pure decision: (world, view, queries, client, now, seed) → reply bytes.
//!
//! No socket, no clock, no source of randomness, no log: facts are arguments, so the same input
//! gives the same bytes.

mod directory;
mod edit;
mod hash;
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

use reply::Task;
use walk::Walk;

pub use hash::HashKey;
pub use image::{ZoneImage, ZoneMeta};
pub use node::CompileError;
pub use world::{ViewId, World, WorldSize, ZoneChange};

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

/// A query between the stages: what was asked, and the zone once it is known.
struct Job<'q, 'w> {
    query: Query<'q>,
    zone: Option<&'w ZoneImage>,
}

/// Answers up to [`BATCH`] queries that came in on one view; `outcomes` is as long as `packets`.
/// Packets beyond that are dropped.
///
/// Each stage goes over the whole batch, so that one query's wait for memory is spent on the
/// others: find the zones, touch the slots, then read the nodes and write.
pub fn answer(
    scratch: &mut Scratch,
    world: &World,
    view: ViewId,
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
                let zone = lookup::zone(world, view, query.question.name, walk, None);
                *job = Some(Job { query, zone });
            }
            Err(Unreadable::Drop) => {}
            Err(Unreadable::Header(header)) => {
                let limit = packet.reply.len().min(512);
                let length = error_reply(packet.reply, limit, &header, reply::OUR_PAYLOAD);
                *outcome = outcome_of(length);
            }
        }
    }
    for (job, walk) in jobs.iter().zip(scratch.walks.iter_mut()) {
        if let Some(Job {
            query,
            zone: Some(zone),
        }) = job
        {
            touch(world, zone, query.question.name, walk);
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
            view,
            query,
            walk,
            seed: seed_of(moment.seed, place),
        };
        *outcome = outcome_of(reply::write(
            &mut task,
            *zone,
            packet.transport,
            packet.reply,
        ));
    }
}

/// Reads the index slot that the name most probably needs, so that it is near when it is needed.
#[inline]
fn touch(world: &World, zone: &ZoneImage, name: &[u8], walk: &mut Walk) {
    let depth = walk.depth();
    if zone.has_depth(depth - usize::from(zone.apex_labels)) {
        let hash = walk.hash(world.key, name, depth);
        std::hint::black_box(zone.probe(hash).is_some());
    }
}

fn outcome_of(length: usize) -> Outcome {
    if length == 0 {
        Outcome::Drop
    } else {
        Outcome::Reply(length)
    }
}

/// A number of its own for each query of a batch.
fn seed_of(seed: u64, place: usize) -> usize {
    let mixed = (seed ^ place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 40).unwrap_or_default()
}
