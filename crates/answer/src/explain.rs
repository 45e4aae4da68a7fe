//! Why an answer is what it is: one query, answered by the code that answers packets, with every
//! choice on the way written down.
//!
//! Nothing here is fast and nothing here is on the way of a packet. What-ifs are made in a copy of
//! the World that nobody else sees. Rendering for people is the business of whoever asks.

mod possible;
mod reading;
mod recorder;
mod zones;

use std::net::IpAddr;

use meridian_atlas::{Country, Network, Place};
use meridian_dns::message::{ClientSubnet, Edns, Query, Question};
use meridian_dns::{Name, RecordType};
use meridian_model::{FailoverRole, ProbeRights, RoutingKind, ZoneId};

use crate::ahead::Begun;
use crate::client::{Client, KnownBy};
use crate::edns::Asker;
use crate::health::{CheckState, Health};
use crate::lookup::{self, Scope};
use crate::reply::{self, Task};
use crate::route::trace::Trace;
use crate::route::{Fate, LatencyFound, Lost};
use crate::walk::Walk;
use crate::zones::Zones;
use crate::{Identity, Moment, Transport, ViewId, World, ZoneImage, seed_of};

pub use possible::{GroupSeen, Possible, PossibleAnswer, Supposed, possible};
pub use reading::{Record, Section};
use recorder::Recorder;

/// A query to be explained.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The name, in any case.
    pub name: &'a Name,
    /// The type, by its number on the wire.
    pub qtype: u16,
    /// Whose zones are seen.
    pub view: ViewId,
    /// Who sends the query, such as a resolver.
    pub source: IpAddr,
    /// The client subnet that the query tells, address and bits, if it does.
    pub subnet: Option<(IpAddr, u8)>,
    /// What-if: the client is in this region, wherever its address is.
    pub at: Option<&'a str>,
    /// What-if: these health checks, by their ids, are in these states, whatever they really are.
    pub health: &'a [(&'a str, CheckState)],
    /// Decides random choices.
    pub moment: Moment,
}

/// What a query is answered, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Whom the answer is for, and where that is.
    pub client: ClientSeen,
    /// Where the name was looked for; none where no zone here holds it.
    pub zone: Option<ZoneSeen>,
    /// Every zone here that the name lies in, the longest apex first, and what became of it.
    pub zones: Vec<ZoneConsidered>,
    /// Where names led, in order: the one asked for, then the targets of CNAMEs.
    pub links: Vec<Link>,
    /// The choices, in order: each group that was come to, through an alias or a CNAME from the
    /// one before. Empty where nothing had to be chosen.
    pub steps: Vec<Step>,
    /// The whole response code.
    pub rcode: u16,
    /// What an extended error says (RFC 8914): its code and its text.
    pub extended_error: Option<(u16, String)>,
    /// Every record of the reply but its OPT record.
    pub records: Vec<Record>,
    /// For how many bits of the client's address the answer holds: the scope that a reply with a
    /// client subnet tells.
    pub scope: u8,
    /// The reply as it would be sent over TCP.
    pub reply: Vec<u8>,
}

/// Whom an answer is for.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientSeen {
    /// The address that counts.
    pub address: IpAddr,
    /// How many bits of it are known.
    pub bits: u8,
    /// What tells where it is.
    pub known_by: ClientKnownBy,
    /// Where it is, as far as that is known.
    pub place: Place,
}

/// What tells where a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKnownBy {
    /// The client subnet of the query.
    Subnet,
    /// The address that the query came from.
    Source,
    /// The region it is in: that of its VPC, or the what-if.
    Region(String),
}

/// A zone on the way to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSeen {
    /// Its id.
    pub id: ZoneId,
    /// Its name.
    pub apex: Name,
    /// Whether anybody sees it, or the clients of VPCs.
    pub visibility: Visibility,
}

/// Who sees a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Whoever asks at its name servers.
    Public,
    /// The clients of VPCs.
    Private,
}

/// A zone that a name lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneConsidered {
    /// The zone.
    pub zone: ZoneSeen,
    /// What became of it.
    pub outcome: ZoneOutcome,
}

/// What became of a zone that a name lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneOutcome {
    /// The answer is from it.
    Answers,
    /// None of its name servers is at the address that is asked.
    NotInView,
    /// It is private, and none of its VPCs holds whoever asks.
    NotInVpc,
    /// Private zones come first for whoever asks.
    BehindPrivate,
    /// Another has a longer apex.
    Shorter,
    /// Another of its name is older.
    Younger,
    /// The question is for the zone above.
    Parents,
    /// No zone has an answer to such a question.
    NotAsked,
}

/// A name on the way to an answer, and where it led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The name.
    pub name: Name,
    /// The zone it was looked for in.
    pub zone: ZoneSeen,
    /// Where it led.
    pub placement: Placement,
    /// How many of the steps, which are in order, were taken from here.
    pub steps: usize,
}

/// Where a name leads in its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// To sets of its own.
    Exact,
    /// Only to names below it.
    Empty,
    /// To this wildcard.
    Wildcard(Name),
    /// To the name servers of a zone below, whose apex this is.
    Delegated(Name),
    /// Nowhere: NXDOMAIN.
    Nothing,
}

/// One choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What has led to it.
    pub reached_by: ReachedBy,
    /// The zone of the group.
    pub zone: ZoneSeen,
    /// The name of the group: that of a wildcard where one stands for the name asked for.
    pub name: Name,
    /// The type of the group.
    pub rtype: RecordType,
    /// Its policy.
    pub policy: RoutingKind,
    /// Who could be chosen.
    pub mode: ChoiceMode,
    /// What the latency map says of the client, where the policy goes by it and it says anything.
    pub latency: Option<LatencySeen>,
    /// Every set of the group, in the order of their identifiers.
    pub candidates: Vec<Candidate>,
    /// For how many bits of the client's address this choice holds.
    pub scope: u8,
    /// Where the chosen alias leads to nothing: why.
    pub lost: Option<Lost>,
}

/// What leads to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReachedBy {
    /// The question.
    Question,
    /// A CNAME: of the step before, or a plain one.
    Cname,
    /// The alias that the step before has chosen.
    Alias,
}

/// What a latency map says of a client, but for the numbers, which stand with the sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencySeen {
    /// The addresses around the client's of which it says the same.
    pub network: Option<Network>,
    /// Where they are, as far as that was known when the map was made.
    pub country: Option<Country>,
    /// From about how many samples.
    pub samples: u32,
    /// How far to trust it, in percent.
    pub confidence: u8,
    /// About how old the newest sample is, in hours.
    pub age_h: u64,
    /// The number of the map's build.
    pub build: u64,
    /// When that was made, in seconds since 1970.
    pub made_s: u64,
}

/// Who can be chosen in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceMode {
    /// The healthy sets.
    Healthy,
    /// No set is healthy, so each counts as healthy.
    LastResort,
    /// Sets are healthy, but none of those that fit the client, so these count as healthy.
    LastResortForClient,
}

/// One set of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its identifier; none for a simple set.
    pub identifier: Option<String>,
    /// What it says to the policy.
    pub parameter: Parameter,
    /// Its health check and what that says, if it has one. One that is gone says that it is up.
    pub health_check: Option<(String, CheckState)>,
    /// Where it points; none for a set with records.
    pub alias: Option<AliasSeen>,
    /// Whether it is healthy: by its check and, where that is evaluated, by its target.
    pub health: CheckState,
    /// Great-circle distance from the client, for policies that go by it.
    pub distance_km: Option<f64>,
    /// That distance with the bias.
    pub biased_km: Option<f64>,
    /// How long it takes from the client to the set's region and back, for the policy that goes by
    /// that.
    pub latency: Option<LatencyFound>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a set says to its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// Nothing: simple and multivalue sets.
    None,
    /// Weighted: 0 to 255.
    Weight(u8),
    /// Failover: which half of the pair.
    Role(FailoverRole),
    /// Latency: the region.
    Region(String),
    /// Geolocation: the codes of the place, such as `EU`, `DE` or `US-CA`; `*` for the default.
    Place(String),
    /// Geoproximity: the region, local zone group or point, and the bias.
    Near(String, i8),
    /// CIDR: the location; `*` for all other clients.
    Location(String),
}

/// Where an alias points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasSeen {
    /// The id of the target's zone; none for its own.
    pub zone: Option<String>,
    /// The target's name.
    pub name: Name,
    /// The health of the target, where it is evaluated.
    pub evaluated: Option<CheckState>,
    /// What is known of it, where it is a host name elsewhere.
    pub external: Option<ExternalSeen>,
}

/// What is known of a host name elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSeen {
    /// What aliases to it are answered with.
    pub state: ExternalHeld,
    /// How long ago it was last resolved, in seconds.
    pub age_s: Option<u64>,
    /// Who said so.
    pub source: Option<String>,
    /// Why a later attempt failed, if one did.
    pub last_error: Option<String>,
    /// The health check of the resource with this name, and what that says, if there is one.
    pub resource_check: Option<(String, CheckState)>,
}

/// What aliases to a host name elsewhere are answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalHeld {
    /// Records.
    Answers {
        /// How many everybody is told, and for how many seconds.
        records: usize,
        /// See there.
        ttl_s: u32,
        /// How many subnets are told something of their own.
        subnets: usize,
        /// How many records more everybody is told by zones of accounts with every right.
        withheld: usize,
    },
    /// Nothing: the name exists, without records of the type.
    Nothing,
    /// Nothing: there is no such name.
    NoSuchName,
    /// SERVFAIL: it has not been resolved.
    Unknown,
    /// SERVFAIL: all of its addresses are for accounts with more rights, at least these.
    Withheld(ProbeRights),
}

/// What became of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was chosen.
    Chosen,
    /// It is not healthy, and others are.
    Unhealthy,
    /// It could have been chosen, but was not.
    Passed(Fate),
}

/// Answers a query as [`answer`](crate::answer) does, and says why.
pub fn explain(world: &World, ask: &Ask<'_>) -> Explanation {
    let world = &what_if(world, ask);
    let seen = world.private.as_ref();
    let seen = seen.and_then(|private| private.seen_by(ask.source));
    let client = ask.at.map(|at| Client::in_region(world, ask.source, at));
    let mut recorder = Recorder::new(world, ask.moment.now_s);
    let ran = run(world, ask, (seen, client), &mut recorder);
    let read = reading::read(&ran.reply);
    Explanation {
        client: ran.client,
        zone: ran.zone.map(ZoneSeen::of),
        zones: zones::considered(world, ask, ran.zone),
        links: recorder.links,
        steps: recorder.steps,
        rcode: ran.rcode,
        extended_error: read.extended_error,
        records: read.records,
        scope: read.scope,
        reply: ran.reply,
    }
}

/// What came of a query.
struct Ran<'w> {
    client: ClientSeen,
    zone: Option<&'w ZoneImage>,
    rcode: u16,
    reply: Vec<u8>,
}

/// Answers a query of who sees these private zones, and is this client if that is known beforehand.
fn run<'w, T: Trace>(
    world: &'w World,
    ask: &Ask<'_>,
    (seen, client): (Option<&'w Zones>, Option<Client<'w>>),
    trace: &mut T,
) -> Ran<'w> {
    let octets = ask.subnet.map_or_else(Vec::new, octets);
    let query = query(ask, &octets);
    let (mut walk, identity) = (Box::new(Walk::new()), Identity::default());
    walk.start(world.key, query.question.name);
    let private = seen.map(Scope::Private);
    let found =
        private.and_then(|scope| Some((lookup::zone(world, scope, &mut walk, None)?, scope)));
    let (zone, scope) = match found {
        Some((zone, scope)) => (Some(zone), scope),
        None => {
            let scope = Scope::Public(ask.view, seen);
            (lookup::zone(world, scope, &mut walk, None), scope)
        }
    };
    let mut task = Task {
        world,
        asker: Asker {
            identity: &identity,
            client: ask.source,
            transport: Transport::Tcp { idle: 0 },
            now_s: ask.moment.now_s,
        },
        scope,
        query: &query,
        zone,
        guess: zone.and_then(|zone| lookup::guess(world, zone, &mut walk)),
        walk: &mut walk,
        seed: seed_of(ask.moment.seed, 0),
        client,
        look_ups: Begun::default(),
        trace,
    };
    let mut reply = vec![0; usize::from(u16::MAX)];
    let answered = reply::write(&mut task, &mut reply);
    reply.truncate(answered.len.into());
    let client = task.client.take();
    let client = client
        .unwrap_or_else(|| reply::client_of(world, scope, ask.source, &query, Begun::default()));
    let client = client_seen(client);
    let zone = task.zone;
    let zone = zone.map(|zone| (&zone.meta.apex, zone.meta.generation));
    Ran {
        client,
        zone: zone.and_then(|(apex, generation)| world.zone(apex, generation)),
        rcode: answered.rcode,
        reply,
    }
}

fn client_seen(mut client: Client<'_>) -> ClientSeen {
    ClientSeen {
        address: client.address,
        bits: client.bits,
        place: client.whereabouts().place,
        known_by: match client.known_by {
            KnownBy::Subnet => ClientKnownBy::Subnet,
            KnownBy::Source => ClientKnownBy::Source,
            KnownBy::Region(region) => ClientKnownBy::Region(region.to_owned()),
        },
    }
}

/// The World as it would be.
fn what_if(world: &World, ask: &Ask<'_>) -> World {
    if ask.health.is_empty() {
        return world.clone();
    }
    let states = ask.health.iter();
    let health = states.fold(world.health().clone(), |health: Health, (id, state)| {
        health.with(id, *state)
    });
    world.clone().with_health(health)
}

/// The address as an option holds it: whole octets, no more than there are bits, and nothing behind
/// these (RFC 7871 section 6).
fn octets((address, bits): (IpAddr, u8)) -> Vec<u8> {
    let mut octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    octets.truncate(bits.div_ceil(8).into());
    let behind = (octets.len() * 8).saturating_sub(bits.into());
    if let Some(last) = octets.last_mut() {
        // Fewer than eight: the last octet has at least one of the bits.
        *last = *last >> behind << behind;
    }
    octets
}

fn query<'q>(ask: &'q Ask<'_>, octets: &'q [u8]) -> Query<'q> {
    let subnet = ask.subnet.map(|(address, bits)| ClientSubnet {
        family: if address.is_ipv4() { 1 } else { 2 },
        source: bits,
        scope: 0,
        address: octets,
    });
    Query {
        id: 0,
        opcode: 0,
        recursion_desired: false,
        checking_disabled: false,
        question: Question {
            name: ask.name.as_wire(),
            qtype: ask.qtype,
            class: 1,
        },
        edns: Some(Edns {
            udp_payload: u16::MAX,
            version: 0,
            dnssec_ok: false,
            client_subnet: subnet,
            cookie: None,
            asked: meridian_dns::message::Asked::default(),
            options: &[],
        }),
        question_end: 0,
    }
}

impl ZoneSeen {
    fn of(zone: &ZoneImage) -> Self {
        Self {
            id: zone.meta.zone.clone(),
            apex: zone.meta.apex.clone(),
            visibility: match zone.vpcs() {
                Some(_) => Visibility::Private,
                None => Visibility::Public,
            },
        }
    }
}
