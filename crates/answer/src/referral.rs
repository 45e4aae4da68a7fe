//! Referrals: the name servers of a zone below, and the addresses this zone has of them.

use arrayvec::ArrayVec;
use meridian_dns::RecordType;
use meridian_dns::message::{Full, Owner, Reply, Section};

use crate::ZoneImage;
use crate::lookup::Guess;
use crate::node::{Node, Set};
use crate::reply::{Task, Verdict};

/// Servers of a zone below whose place in the reply is remembered, so that the owner of their
/// addresses is a pointer; siblings beyond them are left out. Zones have fewer.
const REMEMBERED: usize = 16;

/// A server that has been written.
#[derive(Debug, Clone, Copy, Default)]
struct Server<'z> {
    name: &'z [u8],
    /// Its name as the owner of its addresses.
    owner: Option<Owner<'z>>,
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
    let mut servers = [Server::default(); REMEMBERED];
    let mut records = set.rotated(task.seed);
    loop {
        let number = records.number();
        let Some(name) = records.next() else {
            break;
        };
        let rtype = RecordType::Ns.code();
        reply.record(Section::Authority, owner, rtype, set.ttl, &[name])?;
        if let Some(server) = servers.get_mut(number) {
            let owner = Owner::at(reply.position() - name.len());
            *server = Server { name, owner };
        }
    }
    // RFC 9471 section 3: what is needed comes first, and TC is set if it does not fit.
    for record in node.glue() {
        let server = servers.get(record.server).and_then(|server| server.owner);
        let owner = server.unwrap_or_else(|| name_of(set, record.server));
        let rtype = record.rtype.code();
        reply.record(
            Section::Additional,
            owner,
            rtype,
            record.ttl,
            &[record.address],
        )?;
    }
    write_siblings(zone, reply, set, &servers);
    Ok(Verdict::default())
}

/// The owner of a server's addresses, where no pointer reaches its name.
#[cold]
fn name_of(set: Set<'_>, number: usize) -> Owner<'_> {
    Owner::Name(set.rotated(0).nth(number).unwrap_or(&[0]))
}

/// The addresses of siblings, which are a kindness.
#[inline]
fn write_siblings<'z>(
    zone: &'z ZoneImage,
    reply: &mut Reply<'_>,
    set: Set<'z>,
    servers: &[Server<'z>; REMEMBERED],
) {
    // All are looked for before one is read, so that one's wait for memory is spent on the others.
    let mut sought = ArrayVec::<(&Server<'z>, u64, Guess<'z>), REMEMBERED>::new();
    for sibling in set.siblings() {
        if let Some(server) = servers.get(sibling.number) {
            let guess = zone.page(sibling.hash).probe(sibling.hash);
            sought.push((server, sibling.hash, guess));
        }
    }
    for (server, hash, guess) in sought {
        let below = server.name.len() - zone.meta.apex.as_wire().len();
        let labels = &server.name[..below];
        let node = guess.and_then(|guess| guess.confirm_as_written(hash, labels));
        if let Some(node) = node {
            // One that does not fit is left out; a shorter one may still fit.
            let _ = write_addresses(reply, server, &node);
        }
    }
}

/// The addresses of a server, all or none.
#[inline]
fn write_addresses(
    reply: &mut Reply<'_>,
    server: &Server<'_>,
    node: &Node<'_>,
) -> Result<(), Full> {
    let owner = server.owner.unwrap_or(Owner::Name(server.name));
    let mark = reply.mark();
    for rtype in [RecordType::A, RecordType::Aaaa] {
        let Some(set) = node.set(rtype) else {
            continue;
        };
        for data in set.rotated(0) {
            let written = reply.record(Section::Additional, owner, rtype.code(), set.ttl, &[data]);
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
