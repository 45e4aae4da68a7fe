//! Writing what a group has for a client: the records that were chosen, nothing, or an error.

use std::net::IpAddr;

use arrayvec::ArrayVec;
use meridian_dns::RecordType;
use meridian_dns::message::codes::{ede, rcode};
use meridian_dns::message::{ExtendedError, Full, Owner, Query, Reply, Section};

use super::{Link, Missing, Step, Task, Verdict, Written, apex_owner, negative};
use crate::ahead::Begun;
use crate::client::Client;
use crate::lookup::Scope;
use crate::node::Set;
use crate::route::trace::Trace;
use crate::route::{Chosen, Lost, NoAnswer, Route, Values};
use crate::{World, ZoneImage};

/// How long a client may remember at most that there is nothing for it, in seconds, where there is
/// something for others: no resolver keeps such an answer to some of its clients (RFC 7871 section
/// 7.4).
const NOTHING_TTL: u32 = 60;

/// The most records of a message: each takes twelve bytes, and data of one at least.
const MOST_RECORDS: usize = u16::MAX as usize / 13;

/// How far apart the seeds of two links of a CNAME chain are: no small multiple of the step between
/// the numbers of one link.
const LINK_SEED: u64 = 0xd1b5_4a32_d192_ed03;

/// Writes what a group has for this client.
#[inline(never)]
pub(super) fn write_routed<'a, T: Trace>(
    task: &mut Task<'a, '_, T>,
    zone: &'a ZoneImage,
    reply: &mut Reply<'_>,
    link: Link<'_>,
    (labels, group): (&'a [u8], Set<'a>),
) -> Result<Step<'a>, Full> {
    let (world, scope, query, source) = (task.world, task.scope, task.query, task.asker.client);
    let look_ups = task.look_ups;
    let client = task
        .client
        .get_or_insert_with(|| client_of(world, scope, source, query, look_ups));
    let mut route = Route::new(world, client, task.seed, &mut task.trace);
    let mut chosen = Chosen::none();
    match route.follow(zone, (labels, group), &mut chosen) {
        Ok(()) => {}
        Err(NoAnswer::Nothing) => {
            let owner = apex_owner(task, link, zone);
            return negative(zone, reply, owner, NOTHING_TTL).map(Step::End);
        }
        Err(NoAnswer::Failed(lost)) => return Ok(Step::End(failed(reply, lost))),
    }
    let (owner, ttl) = (link.owner(0), chosen.ttl());
    if chosen.values == Values::Overlapping {
        write_each_once(reply, (owner, group.rtype), &chosen, task.order())?;
        return Ok(Step::End(Verdict::default()));
    }
    let Some(only) = chosen.only() else {
        for set in &chosen.sets {
            for data in set.rotated(task.order()) {
                reply.record(Section::Answer, owner, set.rtype.code(), ttl, data)?;
            }
        }
        return Ok(Step::End(Verdict::default()));
    };
    reply.record(Section::Answer, owner, group.rtype.code(), ttl, only)?;
    if group.rtype != RecordType::Cname {
        return Ok(Step::End(Verdict::default()));
    }
    let written = Written::At(reply.position() - only.len());
    // What follows is chosen by other numbers than what has led there.
    task.seed = task.seed.wrapping_add(LINK_SEED);
    Ok(Step::Cname(Link {
        name: only,
        written,
    }))
}

/// Writes sets that have values in common: each value once (RFC 2181 section 5), from any of them
/// on. Only a multivalue policy answers with several sets, so none of them is a CNAME.
#[inline(never)]
fn write_each_once(
    reply: &mut Reply<'_>,
    (owner, rtype): (Owner<'_>, RecordType),
    chosen: &Chosen<'_>,
    first: usize,
) -> Result<(), Full> {
    let mut values = ArrayVec::<&[u8], MOST_RECORDS>::new();
    for data in chosen.sets.iter().flat_map(|set| set.rotated(0)) {
        values.try_push(data).map_err(|_| Full)?;
    }
    values.sort_unstable();
    let mut count = 0;
    for place in 0..values.len() {
        if count == 0 || values[count - 1] != values[place] {
            values[count] = values[place];
            count += 1;
        }
    }
    values.truncate(count);
    let (end, start) = values.split_at(first % count.max(1));
    for data in start.iter().chain(end) {
        reply.record(Section::Answer, owner, rtype.code(), chosen.ttl(), data)?;
    }
    Ok(())
}

/// Whom a query is for, whose address may be being looked up already. The clients of VPCs are where
/// those are.
#[inline]
pub(crate) fn client_of<'a>(
    world: &'a World,
    scope: Scope<'a>,
    source: IpAddr,
    query: &Query<'_>,
    look_ups: Begun<'a>,
) -> Client<'a> {
    if let (Scope::Private(_), Some(private)) = (scope, &world.private)
        && let Some(region) = private.region_of(source)
    {
        return Client::in_region(world, source, region);
    }
    Client::of(world, source, subnet_of(query), look_ups)
}

/// The subnet that a query tells, with the bits that it tells.
#[inline]
pub(crate) fn subnet_of(query: &Query<'_>) -> Option<(IpAddr, u8)> {
    query.edns.as_ref()?.client_subnet?.prefix()
}

/// No answer can be given from a set.
pub(super) fn failed(reply: &mut Reply<'_>, lost: Lost) -> Verdict {
    reply.fail(rcode::SERVFAIL);
    Verdict {
        error: Some(Missing::Answer(lost)),
    }
}

/// What is told of it.
pub(super) fn error(lost: Lost) -> ExtendedError<'static> {
    let (code, text) = match lost {
        Lost::Unserved => (
            ede::NOT_SUPPORTED,
            "this record set is stored but cannot be answered",
        ),
        Lost::NoZone | Lost::NoTarget => {
            (ede::NOT_READY, "the target of an alias is not known here")
        }
        Lost::Unresolved => (
            ede::NOT_READY,
            "the target of an alias has not been resolved",
        ),
        Lost::Withheld => (
            ede::BLOCKED,
            "the target of an alias has addresses that its account has no right to",
        ),
        Lost::TooDeep => (ede::OTHER, "too many aliases one after the other"),
    };
    ExtendedError { code, text }
}
