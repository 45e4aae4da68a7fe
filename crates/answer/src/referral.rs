//! Referrals: the name servers of a zone below, and the addresses this zone has of them.

use meridian_dns::RecordType;
use meridian_dns::message::{Full, Owner, Reply, Section};

use crate::ZoneImage;
use crate::node::Node;
use crate::reply::{Task, Verdict};

/// Name servers whose names are remembered by their place in the reply; zones have fewer.
const REMEMBERED: usize = 16;

/// The name servers of the zone below, and their addresses as far as this zone knows them. `cut`
/// is the number of labels of that zone's apex, the owner.
pub(crate) fn refer(
    task: &mut Task<'_, '_>,
    zone: &ZoneImage,
    reply: &mut Reply<'_>,
    node: Node<'_>,
    (owner, cut): (Owner<'_>, usize),
) -> Result<Verdict, Full> {
    let Some(servers) = node.set(RecordType::Ns) else {
        return Ok(Verdict::default());
    };
    let rtype = RecordType::Ns.code();
    let mut places = [None; REMEMBERED];
    for (number, data) in servers.rotated(task.seed).enumerate() {
        reply.record(Section::Authority, owner, rtype, servers.ttl, &[data])?;
        if let Some(place) = places.get_mut(number) {
            *place = Owner::at(reply.position() - data.len());
        }
    }
    // RFC 9471 section 3: without the addresses below the cut the referral leads nowhere, so they
    // come first, and TC is set if they do not fit; the others are a kindness.
    let below_cut = (cut, task.walk.hash(task.world.key, cut));
    let in_zone = (usize::from(zone.apex_labels), zone.hash);
    let mut optional = false;
    for (number, server) in servers.rotated(task.seed).enumerate() {
        task.spare.take(server);
        if task.spare.is_within(task.walk, cut) {
            let owner = owner_at(&places, number, server);
            glue(task, zone, reply, below_cut, owner)?;
        } else {
            optional |= task.spare.is_within(task.walk, in_zone.0);
        }
    }
    if !optional {
        return Ok(Verdict::default());
    }
    for (number, server) in servers.rotated(task.seed).enumerate() {
        task.spare.take(server);
        if !task.spare.is_within(task.walk, cut) && task.spare.is_within(task.walk, in_zone.0) {
            let owner = owner_at(&places, number, server);
            // One that does not fit is left out; a shorter one may still fit.
            let _ = glue(task, zone, reply, in_zone, owner);
        }
    }
    Ok(Verdict::default())
}

/// The name of a server as an owner: a pointer to where its NS record names it.
fn owner_at<'s>(places: &[Option<Owner<'s>>], number: usize, server: &'s [u8]) -> Owner<'s> {
    let place = places.get(number).copied().flatten();
    place.unwrap_or(Owner::Name(server))
}

/// The addresses of the server whose name has been taken apart, all or none. Its hash goes on from
/// that of a name above it.
fn glue(
    task: &mut Task<'_, '_>,
    zone: &ZoneImage,
    reply: &mut Reply<'_>,
    above: (usize, u64),
    owner: Owner<'_>,
) -> Result<(), Full> {
    let hash = task.spare.hash_below(task.world.key, above);
    let apex = usize::from(zone.apex_labels);
    let labels = task.spare.labels(task.spare.depth(), apex);
    let Some(node) = zone.find(hash, labels) else {
        return Ok(());
    };
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
