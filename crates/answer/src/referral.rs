//! Referrals: the name servers of a zone below, and the addresses this zone has of them.

use meridian_dns::RecordType;
use meridian_dns::message::{Full, Owner, Reply, Section};

use crate::ZoneImage;
use crate::node::Node;
use crate::reply::{Task, Verdict};

/// The name servers of the zone below, and their addresses as far as this zone knows them.
pub(crate) fn refer(
    task: &mut Task<'_, '_>,
    zone: &ZoneImage,
    reply: &mut Reply<'_>,
    node: Node<'_>,
    cut: &[u8],
) -> Result<Verdict, Full> {
    let Some(servers) = node.set(RecordType::Ns) else {
        return Ok(Verdict::default());
    };
    let rtype = RecordType::Ns.code();
    for data in servers.rotated(task.seed) {
        reply.record(
            Section::Authority,
            Owner::Name(cut),
            rtype,
            servers.ttl,
            &[data],
        )?;
    }
    // RFC 9471 section 3: without the addresses below the cut the referral leads nowhere, so they
    // come first, and TC is set if they do not fit; the others are a kindness.
    for needed in [true, false] {
        for server in servers.rotated(task.seed) {
            let known = ends_with(server, zone.meta.apex.as_wire());
            if !known || ends_with(server, cut) != needed {
                continue;
            }
            let written = glue(task, zone, reply, server);
            if needed {
                written?;
            }
        }
    }
    Ok(Verdict::default())
}

fn glue(
    task: &mut Task<'_, '_>,
    zone: &ZoneImage,
    reply: &mut Reply<'_>,
    server: &[u8],
) -> Result<(), Full> {
    let apex = zone.meta.apex.as_wire();
    let labels = &server[..server.len() - apex.len()];
    task.walk.start(task.world.key, server);
    let depth = task.walk.depth();
    let hash = task.walk.hash(task.world.key, server, depth);
    let Some(node) = zone.find(hash, labels) else {
        return Ok(());
    };
    let mark = reply.mark();
    for rtype in [RecordType::A, RecordType::Aaaa] {
        let Some(set) = node.set(rtype) else {
            continue;
        };
        for data in set.rotated(0) {
            let owner = Owner::Name(server);
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
