//! Referrals: the name servers of a zone below, and the addresses this zone has of them.

use arrayvec::ArrayVec;
use meridian_dns::RecordType;
use meridian_dns::message::{Full, Owner, Reply, Section};

use crate::ZoneImage;
use crate::lookup::Guess;
use crate::node::{Node, Server, Set, Whose};
use crate::reply::{Task, Verdict};

/// Name servers that are looked for together, so that one's wait for memory is spent on the
/// others. Zones have fewer.
const TOGETHER: usize = 16;

/// A name server on the way to its addresses.
struct Sought<'z> {
    server: Server<'z>,
    guess: Guess<'z>,
    /// Its name as the owner of its addresses.
    owner: Owner<'z>,
}

/// The name servers of the zone below, and their addresses as far as this zone knows them. The
/// owner is that zone's apex.
pub(crate) fn refer<'z>(
    task: &Task<'_, '_>,
    zone: &'z ZoneImage,
    reply: &mut Reply<'_>,
    node: Node<'z>,
    owner: Owner<'_>,
) -> Result<Verdict, Full> {
    let Some(set) = node.set(RecordType::Ns) else {
        return Ok(Verdict::default());
    };
    let mut together = ArrayVec::<Sought<'z>, TOGETHER>::new();
    for server in set.servers(task.seed) {
        let rtype = RecordType::Ns.code();
        reply.record(Section::Authority, owner, rtype, set.ttl, &[server.name])?;
        if server.whose != Whose::Others && !together.is_full() {
            let place = Owner::at(reply.position() - server.name.len());
            together.push(seek(zone, server, place));
        }
    }
    // RFC 9471 section 3: what is needed comes first, and TC is set if it does not fit.
    let mut kindness = false;
    for sought in &together {
        if sought.server.whose == Whose::Below {
            glue(zone, reply, sought)?;
        } else {
            kindness = true;
        }
    }
    if together.is_full() {
        return refer_more(task, zone, reply, (set, &together));
    }
    for sought in together.iter().filter(|_| kindness) {
        if sought.server.whose == Whose::Here {
            // One that does not fit is left out; a shorter one may still fit.
            let _ = glue(zone, reply, sought);
        }
    }
    Ok(Verdict::default())
}

/// The addresses of the servers beyond those that were looked for together.
#[cold]
fn refer_more<'z>(
    task: &Task<'_, '_>,
    zone: &'z ZoneImage,
    reply: &mut Reply<'_>,
    (set, together): (Set<'z>, &[Sought<'z>]),
) -> Result<Verdict, Full> {
    let beyond = || {
        let known = set
            .servers(task.seed)
            .filter(|server| server.whose != Whose::Others);
        known
            .skip(together.len())
            .map(|server| seek(zone, server, None))
    };
    for sought in beyond().filter(|sought| sought.server.whose == Whose::Below) {
        glue(zone, reply, &sought)?;
    }
    for sought in together
        .iter()
        .filter(|sought| sought.server.whose == Whose::Here)
    {
        let _ = glue(zone, reply, sought);
    }
    for sought in beyond().filter(|sought| sought.server.whose == Whose::Here) {
        let _ = glue(zone, reply, &sought);
    }
    Ok(Verdict::default())
}

/// Looks for the name of a server of this zone in the index.
#[inline]
fn seek<'z>(zone: &'z ZoneImage, server: Server<'z>, place: Option<Owner<'z>>) -> Sought<'z> {
    Sought {
        server,
        guess: zone.page(server.hash).probe(server.hash),
        owner: place.unwrap_or(Owner::Name(server.name)),
    }
}

/// The addresses of a server, all or none.
#[inline]
fn glue(zone: &ZoneImage, reply: &mut Reply<'_>, sought: &Sought<'_>) -> Result<(), Full> {
    let Sought {
        server,
        guess,
        owner,
    } = sought;
    let below = server.name.len() - zone.meta.apex.as_wire().len();
    let labels = &server.name[..below];
    let Some(node) = guess.and_then(|guess| guess.confirm_as_written(server.hash, labels)) else {
        return Ok(());
    };
    let mark = reply.mark();
    for rtype in [RecordType::A, RecordType::Aaaa] {
        let Some(set) = node.set(rtype) else {
            continue;
        };
        for data in set.rotated(0) {
            let written = reply.record(Section::Additional, *owner, rtype.code(), set.ttl, &[data]);
            if written.is_err() {
                reply.rewind(mark);
            }
            written?;
        }
    }
    Ok(())
}

/// Whether the name lies at or below the apex, at a label boundary.
pub(crate) fn ends_with(name: &[u8], apex: &[u8]) -> bool {
    let mut rest = name;
    while rest.len() > apex.len() {
        rest = &rest[usize::from(rest[0]) + 1..];
    }
    rest.eq_ignore_ascii_case(apex)
}
