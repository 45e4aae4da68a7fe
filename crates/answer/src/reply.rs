//! Writing the reply once it is known where the name leads. What a policy or an alias has to say is
//! in `reply::routed`.

mod routed;

use meridian_dns::RecordType;
use meridian_dns::message::codes::{class, ede, qtype, rcode};
use meridian_dns::message::{ExtendedError, Full, Owner, Query, Reply, Section};

use crate::ahead::Begun;
use crate::client::Client;
use crate::edns::{self, Asker};
use crate::lookup::{self, Guess, Place, Scope};
use crate::node::{Kind, Node, Set};
use crate::referral::{ends_with, refer};
use crate::route::Lost;
use crate::route::trace::Trace;
use crate::walk::Walk;
use crate::{Answered, World, ZoneImage, ZoneLog, chaos, cookie, soa};

pub(crate) use routed::{client_of, subnet_of};
use routed::{failed, write_routed};

/// The most links of a CNAME chain that are followed inside a zone.
const MAX_CHAIN: usize = 8;
/// TTL of the HINFO that answers ANY at a name without a set to show, in seconds (RFC 8482).
const ANY_TTL: u32 = 3600;
/// Everything one answer is made from.
pub(crate) struct Task<'a, 'q, T> {
    pub(crate) world: &'a World,
    pub(crate) asker: Asker<'a>,
    pub(crate) scope: Scope<'a>,
    pub(crate) query: &'a Query<'q>,
    pub(crate) walk: &'a mut Walk,
    /// The zone that the name lies in; when the reply is written, the one that it is from.
    pub(crate) zone: Option<&'a ZoneImage>,
    /// Where the name was looked for first in that zone.
    pub(crate) guess: Guess<'a>,
    /// For the order of records and the choices of policies.
    pub(crate) seed: u64,
    /// Whom the answer is for; none until a policy asks.
    pub(crate) client: Option<Client<'a>>,
    /// The look-ups of the client, as far as they have been begun.
    pub(crate) look_ups: Begun<'a>,
    pub(crate) trace: T,
}

impl<T> Task<'_, '_, T> {
    /// The number of the record to start with in a set, which may have fewer.
    #[inline]
    pub(crate) fn order(&self) -> usize {
        // The high bits of the product that the seed is are the best mixed ones.
        usize::try_from(self.seed >> 40).unwrap_or_default()
    }
}

/// How an answer ended, beside what it has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    error: Option<Missing>,
}

/// Why there is no answer. One byte, because verdicts are handed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// It was asked for in this class.
    Class,
    /// A zone transfer was asked for.
    Transfer,
    /// The name lies in no zone.
    Zone,
    /// There is none for the client.
    Answer(Lost),
}

impl Missing {
    fn error(self) -> ExtendedError<'static> {
        let (code, text) = match self {
            Self::Class => (ede::NOT_SUPPORTED, "only class IN is served"),
            Self::Transfer => (ede::PROHIBITED, "zone transfers are not offered"),
            Self::Zone => (ede::NOT_AUTHORITATIVE, "no zone here holds this name"),
            Self::Answer(lost) => return routed::error(lost),
        };
        ExtendedError { code, text }
    }
}

/// Writes the reply, of length 0 when there is no room even for an error.
pub(crate) fn write<'a, T: Trace>(task: &mut Task<'a, '_, T>, buffer: &mut [u8]) -> Answered {
    let query = task.query;
    let asked = query.edns.as_ref();
    task.zone = responsible(task);
    let zone = task.zone;
    let mut answered = Answered {
        len: 0,
        rcode: rcode::NOERROR,
        qtype: query.question.qtype,
        valid_cookie: false,
        zone: zone.map(|zone| zone.meta.generation),
        log: zone.map_or(ZoneLog::Off, |zone| zone.log),
    };
    let Ok(mut reply) = Reply::new(buffer, task.asker.limit(asked), query) else {
        task.zone = None;
        return answered;
    };
    let Some(asked) = asked else {
        decide(task, &mut reply);
        answered.rcode = reply.response_code();
        answered.len = u16::try_from(reply.finish(None)).unwrap_or_default();
        return answered;
    };
    let cookie = task.asker.cookie(asked);
    answered.valid_cookie = cookie.is_some_and(|c| c.server == cookie::Server::Right);
    let mut opt = task.asker.opt(asked, cookie, zone);
    reply.reserve(task.asker.opt_room(&opt));
    let verdict = decide(task, &mut reply);
    answered.rcode = reply.response_code();
    opt.extended_error = verdict.error.map(Missing::error);
    if let (Some(client), Some(subnet)) = (&task.client, &mut opt.client_subnet) {
        // What is not there is not there for anybody (RFC 7871 section 7.4).
        let answers = reply.count(Section::Answer) > 0;
        subnet.scope = if answers { client.told_scope() } else { 0 };
    }
    edns::keep_zone_version(&mut opt, answered.rcode);
    answered.len = u16::try_from(reply.finish(Some(&opt))).unwrap_or_default();
    answered
}

/// The zone that the question is for: none if it is not answered from any, and DS is the parent's.
fn responsible<'a, T: Trace>(task: &mut Task<'a, '_, T>) -> Option<&'a ZoneImage> {
    let question = &task.query.question;
    let zone = task.zone?;
    if !matches!(question.class, class::IN | class::ANY)
        || is_transfer(question.qtype)
        || is_of_another_version(task.query)
    {
        return None;
    }
    if question.qtype == RecordType::Ds.code()
        && let Some((parent, guess)) = parent_that_knows(task, zone)
    {
        task.guess = guess;
        return Some(parent);
    }
    Some(zone)
}

#[inline]
fn decide<'a, T: Trace>(task: &mut Task<'a, '_, T>, reply: &mut Reply<'_>) -> Verdict {
    match task.zone {
        Some(zone) => {
            let parent_side = task.query.question.qtype == RecordType::Ds.code();
            ended(answer(task, zone, reply, parent_side), reply)
        }
        None => decide_without_zone(task, reply),
    }
}

/// Answers what is not answered from any zone.
#[inline(never)]
fn decide_without_zone<T: Trace>(task: &mut Task<'_, '_, T>, reply: &mut Reply<'_>) -> Verdict {
    let question = &task.query.question;
    if is_of_another_version(task.query) {
        reply.rcode(rcode::BADVERS);
        return Verdict::default();
    }
    if question.class == class::CH
        && let Some(written) = chaos::answer(task.asker.identity, question, reply)
    {
        return ended(written.map(|()| Verdict::default()), reply);
    }
    reply.rcode(rcode::REFUSED);
    let missing = match question.class {
        class::IN | class::ANY if is_transfer(question.qtype) => Missing::Transfer,
        class::IN | class::ANY => Missing::Zone,
        _ => Missing::Class,
    };
    Verdict {
        error: Some(missing),
    }
}

fn is_of_another_version(query: &Query<'_>) -> bool {
    query.edns.as_ref().is_some_and(|edns| edns.version > 0)
}

fn is_transfer(qtype: u16) -> bool {
    matches!(qtype, qtype::AXFR | qtype::IXFR)
}

fn ended(written: Result<Verdict, Full>, reply: &mut Reply<'_>) -> Verdict {
    written.unwrap_or_else(|Full| {
        reply.truncate();
        Verdict::default()
    })
}

/// The zone above, if the name is the apex of `zone`: a cut seen from there, and DS is the
/// parent's. A zone above that does not know the name, or delegates it elsewhere, is not the
/// parent and would deny a zone that is served; then the child has no data (RFC 4035 section
/// 3.1.4.1).
fn parent_that_knows<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &ZoneImage,
) -> Option<(&'a ZoneImage, Guess<'a>)> {
    let world = task.world;
    let apex_labels = usize::from(zone.apex_labels);
    if task.walk.depth() != apex_labels {
        return None;
    }
    let parent = lookup::zone(world, task.scope, task.walk, Some(apex_labels))?;
    let guess = lookup::guess(world, parent, task.walk);
    let place = lookup::place(world, parent, task.walk, guess, true);
    matches!(place, Place::Node(_)).then_some((parent, guess))
}

/// Follows the name, and CNAMEs as long as they stay in the zone.
fn answer<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &'a ZoneImage,
    reply: &mut Reply<'_>,
    parent_side: bool,
) -> Result<Verdict, Full> {
    let question = Link {
        name: task.query.question.name,
        written: Written::Question,
    };
    match follow(task, zone, reply, question, parent_side)? {
        Step::End(verdict) => Ok(verdict),
        Step::Cname(target) => chain(task, zone, reply, target, parent_side),
    }
}

/// A name on the way: the question's, or the target of a CNAME.
#[derive(Clone, Copy)]
struct Link<'n> {
    name: &'n [u8],
    written: Written,
}

/// Where a name stands in the reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// As the question.
    Question,
    /// As the data of a CNAME, from this byte on.
    At(usize),
}

impl<'n> Link<'n> {
    /// The suffix that starts at this byte of the name, as the owner of a record.
    fn owner(&self, at: usize) -> Owner<'n> {
        let place = match self.written {
            Written::Question => u8::try_from(at).map(Owner::QuestionAt).ok(),
            Written::At(start) => Owner::at(start + at),
        };
        place.unwrap_or_else(|| Owner::Name(&self.name[at..]))
    }
}

/// Where a name has led.
enum Step<'a> {
    /// To an answer.
    End(Verdict),
    /// To a CNAME, which has been written.
    Cname(Link<'a>),
}

/// Follows CNAMEs from the first one's target on.
#[inline(never)]
fn chain<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &'a ZoneImage,
    reply: &mut Reply<'_>,
    first: Link<'a>,
    parent_side: bool,
) -> Result<Verdict, Full> {
    let mut owners = [task.query.question.name; MAX_CHAIN + 1];
    let mut link = first;
    for number in 1..=MAX_CHAIN {
        let name = link.name;
        // A loop is shown once: the same records again would tell the client nothing.
        let seen = owners[..number]
            .iter()
            .any(|owner| owner.eq_ignore_ascii_case(name));
        if seen || !ends_with(name, zone.meta.apex.as_wire()) {
            break;
        }
        owners[number] = name;
        task.trace.cname();
        task.walk.start(task.world.key, name);
        // DS at this zone's own apex is the parent's to tell (RFC 4035 section 3.1.4.1).
        let is_parents = |task: &mut Task<'a, '_, T>| parent_that_knows(task, zone).is_some();
        if belongs_elsewhere(task, zone) || parent_side && is_parents(task) {
            break;
        }
        task.guess = lookup::guess(task.world, zone, task.walk);
        match follow(task, zone, reply, link, parent_side)? {
            Step::End(verdict) => return Ok(verdict),
            Step::Cname(target) => link = target,
        }
    }
    Ok(Verdict::default())
}

/// Writes what one name leads to.
#[inline]
fn follow<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &'a ZoneImage,
    reply: &mut Reply<'_>,
    link: Link<'_>,
    parent_side: bool,
) -> Result<Step<'a>, Full> {
    let question = &task.query.question;
    let place = lookup::place(task.world, zone, task.walk, task.guess, parent_side);
    task.trace.placed(zone, link.name, &place);
    let node = match place {
        Place::Cut(node, labels) => {
            let owner = link.owner(task.walk.offset(labels));
            if link.written != Written::Question {
                reply.authoritative();
            }
            let apex = apex_owner(task, link, zone);
            return refer(task, zone, reply, node, (owner, apex)).map(Step::End);
        }
        Place::Nothing => {
            reply.authoritative().rcode(rcode::NXDOMAIN);
            return negative(zone, reply, apex_owner(task, link, zone), u32::MAX).map(Step::End);
        }
        Place::Node(node) | Place::Wildcard(node) => node,
    };
    reply.authoritative();
    if question.qtype == qtype::ANY {
        let apex = apex_owner(task, link, zone);
        return any(task, zone, reply, (link, apex), &node).map(Step::End);
    }
    let asked = RecordType::from_code(question.qtype).and_then(|rtype| node.set(rtype));
    let Some(set) = asked.or_else(|| node.set(RecordType::Cname)) else {
        return negative(zone, reply, apex_owner(task, link, zone), u32::MAX).map(Step::End);
    };
    if asked.is_none() && set.kind == Kind::Group {
        return write_routed(task, zone, reply, link, (node.labels, set));
    }
    let verdict = write_set(task, zone, reply, (link, node.labels), set)?;
    Ok(match set.only().filter(|_| asked.is_none()) {
        Some(name) => {
            let written = Written::At(reply.position() - name.len());
            Step::Cname(Link { name, written })
        }
        None => Step::End(verdict),
    })
}

/// Whether a more specific zone of its own answers for the name, not this one.
fn belongs_elsewhere<T: Trace>(task: &mut Task<'_, '_, T>, zone: &ZoneImage) -> bool {
    let world = task.world;
    let zones = match task.scope {
        Scope::Public(_, Some(private))
            if lookup::zone(world, Scope::Private(private), task.walk, None).is_some() =>
        {
            return true;
        }
        Scope::Public(..) => &world.zones,
        Scope::Private(zones) => zones,
    };
    let here = zones.apex_depths.below(usize::from(zone.apex_labels) + 1);
    if here == zones.apex_depths {
        return false;
    }
    let other = lookup::zone(world, task.scope, task.walk, None);
    other.is_none_or(|other| other.hash != zone.hash)
}

/// The apex of the zone as an owner: a suffix of the name that has led into the zone.
fn apex_owner<'n, T: Trace>(task: &Task<'_, '_, T>, link: Link<'n>, zone: &ZoneImage) -> Owner<'n> {
    link.owner(task.walk.offset(usize::from(zone.apex_labels)))
}

#[inline]
fn write_set<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &'a ZoneImage,
    reply: &mut Reply<'_>,
    (link, labels): (Link<'_>, &'a [u8]),
    set: Set<'a>,
) -> Result<Verdict, Full> {
    if set.rtype != RecordType::Soa
        && let Some(data) = set.only()
    {
        reply.record(
            Section::Answer,
            link.owner(0),
            set.rtype.code(),
            set.ttl,
            data,
        )?;
        return Ok(Verdict::default());
    }
    write_any_set(task, zone, reply, (link, labels), set)
}

/// As [`write_set`], for the sets that need more than one record's bytes.
#[inline(never)]
fn write_any_set<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &'a ZoneImage,
    reply: &mut Reply<'_>,
    (link, labels): (Link<'_>, &'a [u8]),
    set: Set<'a>,
) -> Result<Verdict, Full> {
    match set.kind {
        Kind::Even | Kind::Uneven => {}
        Kind::Group => {
            return match write_routed(task, zone, reply, link, (labels, set))? {
                Step::End(verdict) => Ok(verdict),
                Step::Cname(_) => Ok(Verdict::default()),
            };
        }
        Kind::Unserved => return Ok(failed(reply, Lost::Unserved)),
    }
    let owner = link.owner(0);
    if set.rtype == RecordType::Soa {
        for data in set.rotated(0) {
            soa::write(zone, reply, Section::Answer, (owner, set.ttl, data))?;
        }
        return Ok(Verdict::default());
    }
    for data in set.rotated(task.order()) {
        reply.record(Section::Answer, owner, set.rtype.code(), set.ttl, data)?;
    }
    Ok(Verdict::default())
}

/// The SOA that says how long there is nothing (RFC 2308 section 3), `most` seconds at most.
fn negative(
    zone: &ZoneImage,
    reply: &mut Reply<'_>,
    owner: Owner<'_>,
    most: u32,
) -> Result<Verdict, Full> {
    let set = zone.apex().and_then(|apex| apex.set(RecordType::Soa));
    // There is just one record (RFC 2181 section 6.1).
    if let Some(set) = set
        && let Some(data) = set.only()
    {
        let minimum = data
            .last_chunk::<4>()
            .map_or(0, |bytes| u32::from_be_bytes(*bytes));
        let ttl = set.ttl.min(minimum).min(most);
        soa::write(zone, reply, Section::Authority, (owner, ttl, data))?;
    }
    Ok(Verdict::default())
}

/// One answer to ANY is enough (RFC 8482 section 4): the smallest set, or HINFO.
fn any<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &'a ZoneImage,
    reply: &mut Reply<'_>,
    (link, apex): (Link<'_>, Owner<'_>),
    node: &Node<'a>,
) -> Result<Verdict, Full> {
    if !node.has_sets() {
        return negative(zone, reply, apex, u32::MAX);
    }
    let plain = node.sets().filter(|set| set.kind.is_plain());
    match plain.min_by_key(|set| set.body.len()) {
        Some(set) => write_set(task, zone, reply, (link, node.labels), set),
        None => {
            let data = b"\x07RFC8482\x00";
            reply.record(Section::Answer, link.owner(0), qtype::HINFO, ANY_TTL, data)?;
            Ok(Verdict::default())
        }
    }
}
