//! The pure decision: (world, view, queries, client, now, seed) → reply bytes.
//!
//! No socket, no clock, no source of randomness, no log: facts are arguments, so the same input
//! gives the same bytes.

mod ahead;
mod blocks;
mod chaos;
mod cidr;
mod client;
mod compile;
mod cookie;
mod depths;
mod directory;
mod draft;
mod edit;
mod edns;
mod explain;
mod external;
mod glue;
mod hash;
mod health;
mod identity;
mod image;
mod keyed;
mod listed;
mod lookup;
mod measured;
mod near;
mod networks;
mod node;
mod page;
mod private;
mod referral;
mod regions;
mod reply;
mod route;
mod segment;
mod soa;
mod traffic;
mod walk;
mod world;
mod zones;

use std::net::IpAddr;

use arrayvec::ArrayVec;
use meridian_atlas::LookUp;
use meridian_dns::message::codes::rcode;
use meridian_dns::message::{Query, Unreadable};
use meridian_model::Generation;

use ahead::{Begun, Sights, Wanted, ask_for};
use directory::Start;
use edns::Asker;
use lookup::{Guess, Scope, Sought};
use private::Private;
use reply::Task;
use route::trace::Silent;
use traffic::{Found, Run};
use walk::Walk;

pub use cidr::CidrCollections;
pub use compile::{Broken, CompileError};
pub use draft::ZoneDraft;
pub use explain::{
    AliasSeen, Ask, Candidate, ChoiceMode, ClientKnownBy, ClientSeen, Explanation, ExternalHeld,
    ExternalSeen, GroupSeen, LatencySeen, Link, Outcome as CandidateOutcome, Parameter, Placement,
    Possible, PossibleAnswer, ReachedBy, Record, Section, Step, Supposed, Visibility,
    ZoneConsidered, ZoneOutcome, ZoneSeen, explain, possible,
};
pub use external::{
    EgressRights, ExternalFacts, ExternalRecord, ExternalRecords, ExternalState, ExternalTarget,
    ExternalTargets, Need, NeedChanges, NeedCounts, NeededTargets, ResourceChecks,
};
pub use hash::HashKey;
pub use health::{CheckState, Health};
pub use identity::{CookieSecret, CookieSecrets, Identity};
pub use image::{ZoneImage, ZoneLog, ZoneMeta};
pub use near::{Near, NoHurry};
pub use route::{Fate, Finding, LatencyFound, LatencySource, Lost};
pub use traffic::ZoneTraffic;
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
    /// Whether queries for that zone are logged by themselves.
    pub log: ZoneLog,
}

/// Facts of one batch.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Seconds since 1970-01-01 UTC.
    pub now_s: u64,
    /// A number that differs from batch to batch; decides every random choice in it.
    pub seed: u64,
}

/// Room that answering needs and keeps from batch to batch, and the way to ask for memory ahead;
/// one for each thread.
#[derive(Debug, Clone)]
pub struct Scratch<N = NoHurry> {
    walks: Box<[Walk; BATCH]>,
    near: N,
    /// What answers of the last batch went by: looking that up begins with the next one.
    wanted: Wanted,
}

impl<N> Scratch<N> {
    /// Room, and this way to ask for memory.
    pub fn new(near: N) -> Self {
        Self {
            walks: Box::new([const { Walk::new() }; BATCH]),
            near,
            wanted: Wanted::default(),
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new(NoHurry)
    }
}

/// A query between the stages.
struct Job<'q, 'w, 's> {
    /// Its number in the batch.
    place: usize,
    query: Query<'q>,
    walk: &'s mut Walk,
    /// Where its zone is looked for first.
    start: Option<Start<'w>>,
    /// The zone that it probably, then certainly, is for.
    zone: Option<&'w ZoneImage>,
    /// What is looked for first in that zone.
    sought: Sought<'w>,
    /// Where the first name that is looked for in the zone seems to be.
    guess: Guess<'w>,
    /// Where the subnet is looked up that it tells.
    look_up: Option<LookUp<'w>>,
    /// Among which zones it was found.
    scope: Scope<'w>,
}

/// Answers up to [`BATCH`] queries as the server that `identity` says; `outcomes` is as long as
/// `packets`. Packets beyond that are dropped.
///
/// Each stage goes over the whole batch, so that one query's wait for memory is spent on the
/// others: read the questions and ask for the slots of their zones; ask for the zones; ask for the
/// places of the names in them; make sure of the zones and ask for the nodes; write the replies.
pub fn answer<N: Near>(
    scratch: &mut Scratch<N>,
    world: &World,
    identity: &Identity,
    packets: &mut [Packet<'_>],
    outcomes: &mut [Outcome],
    moment: Moment,
) {
    outcomes.fill(Outcome::Drop);
    let Scratch {
        walks,
        near,
        wanted,
    } = scratch;
    let mut sights = Sights::new(world, *wanted);
    let begin = |query: &_| wanted.place.then(|| begin(world, query, near)).flatten();
    let mut jobs = ArrayVec::<_, BATCH>::new();
    let each = packets.iter_mut().zip(outcomes.iter_mut());
    for (place, ((packet, outcome), walk)) in each.zip(walks.iter_mut()).enumerate() {
        match Query::read(packet.query) {
            Ok(query) => {
                walk.start(world.key, query.question.name);
                let start = lookup::approach_zone(world, walk, near);
                let look_up = begin(&query);
                sights.begin(packet.client, &query, near);
                jobs.push(Job {
                    place,
                    query,
                    walk,
                    start,
                    zone: None,
                    sought: None,
                    guess: None,
                    look_up,
                    scope: Scope::Public(packet.view, None),
                });
            }
            Err(unreadable) => *outcome = answer_unreadable(&unreadable, packet, identity, moment),
        }
    }
    for job in &mut jobs {
        job.zone = lookup::hint(world, job.walk, job.start);
        if let Some(zone) = job.zone {
            near.near(zone);
        }
        go_on(&mut job.look_up, near);
    }
    sights.go_on(near);
    for job in &mut jobs {
        if let Some(zone) = job.zone {
            job.sought = lookup::approach_node(world, zone, job.walk, near);
        }
        go_on(&mut job.look_up, near);
    }
    sights.go_on(near);
    for job in &mut jobs {
        go_on(&mut job.look_up, near);
        let view = packets[job.place].view;
        let hint = (job.zone, job.sought);
        (job.zone, job.guess) = lookup::settle(world, view, hint, job.walk, near);
    }
    sights.go_on(near);
    if let Some(private) = &world.private {
        prefer_private(world, private, packets, &mut jobs);
    }
    let each = (&mut *jobs, &sights);
    *wanted = write_replies(world, identity, (packets, outcomes), moment, each);
}

/// The last stage. What answers went by.
#[inline]
fn write_replies<'w>(
    world: &'w World,
    identity: &'w Identity,
    (packets, outcomes): (&mut [Packet<'_>], &mut [Outcome]),
    moment: Moment,
    (jobs, sights): (&mut [Job<'_, 'w, '_>], &Sights<'w>),
) -> Wanted {
    let (mut run, mut wanted) = (Run::default(), Wanted::default());
    for (at, job) in jobs.iter_mut().enumerate() {
        let packet = &mut packets[job.place];
        let mut task = Task {
            world,
            asker: Asker::of(packet, identity, moment),
            scope: job.scope,
            query: &job.query,
            walk: job.walk,
            zone: job.zone,
            guess: job.guess,
            seed: seed_of(moment.seed, job.place),
            client: None,
            look_ups: Begun {
                place: job.look_up.as_ref(),
                sight: sights.get(at),
            },
            trace: Silent,
        };
        let answered = reply::write(&mut task, packet.reply);
        if let Some(zone) = task.zone {
            run.count(zone, found(answered.rcode));
        }
        if let Some(client) = &task.client {
            wanted.add(client);
        }
        outcomes[job.place] = outcome_of(answered);
    }
    run.end();
    wanted
}

/// Begins to look up the subnet that a query tells.
#[inline]
fn begin<'w, N: Near>(world: &'w World, query: &Query<'_>, near: &N) -> Option<LookUp<'w>> {
    let (address, _) = reply::subnet_of(query).filter(|(_, bits)| *bits > 0)?;
    let look_up = world.atlas.begin(address);
    ask_for(look_up.needs(), near);
    Some(look_up)
}

/// Takes the next step of a look-up, and asks for what the one after it needs.
#[inline]
fn go_on<N: Near>(look_up: &mut Option<LookUp<'_>>, near: &N) {
    if let Some(look_up) = look_up {
        look_up.step();
        ask_for(look_up.needs(), near);
    }
}

#[inline(never)]
fn answer_unreadable(
    unreadable: &Unreadable<'_>,
    packet: &mut Packet<'_>,
    identity: &Identity,
    moment: Moment,
) -> Outcome {
    let asker = Asker::of(packet, identity, moment);
    match unreadable {
        Unreadable::Drop => Outcome::Drop,
        Unreadable::CookieAlone(query) => outcome_of(asker.cookie_alone(query, packet.reply)),
        Unreadable::Header(header) => outcome_of(asker.error(header, packet.reply)),
    }
}

/// What clients in a VPC ask for lies in one of its private zones before all else.
#[inline(never)]
fn prefer_private<'w>(
    world: &'w World,
    private: &'w Private,
    packets: &[Packet<'_>],
    jobs: &mut [Job<'_, 'w, '_>],
) {
    for job in jobs {
        let packet = &packets[job.place];
        let Some(seen) = private.seen_by(packet.client) else {
            continue;
        };
        let scope = Scope::Private(seen);
        if let Some(zone) = lookup::zone(world, scope, job.walk, None) {
            job.guess = lookup::guess(world, zone, job.walk);
            job.zone = Some(zone);
            job.scope = scope;
        } else {
            job.scope = Scope::Public(packet.view, Some(seen));
        }
    }
}

fn found(rcode: u16) -> Found {
    if rcode == rcode::NXDOMAIN {
        Found::NxDomain
    } else {
        Found::Name
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

/// A number of its own for each query of a batch: no small multiple of the step of `route::random`
/// lies between two of them, or the second choice of one query would be the first of another.
fn seed_of(seed: u64, place: usize) -> u64 {
    (seed ^ place as u64).wrapping_mul(0xd134_2543_de82_ef95)
}
