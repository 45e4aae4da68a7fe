//! Referrals: the name servers of a zone below, and the addresses this zone has of them.

use arrayvec::ArrayVec;
use meridian_dns::RecordType;
use meridian_dns::message::{Full, Owner, Reply, Section};

use crate::ZoneImage;
use crate::lookup::Guess;
use crate::node::{Node, Server, Set, Whose};
use crate::reply::{Task, Verdict};

/// Servers of a zone below whose place in the reply is remembered, so that the owner of their
/// addresses is a pointer without comparing names, and which are looked for together. Zones have
/// fewer.
const REMEMBERED: usize = 16;

/// Where the names of a zone's servers stand in the reply, by their number in the NS set; 0 if
/// nowhere.
type Places = [u16; REMEMBERED];

/// The name servers of the zone below, and their addresses as far as this zone knows them. `cut` is
/// that zone's apex, `apex` this zone's.
pub(crate) fn refer<'z, T>(
    task: &Task<'_, '_, T>,
    zone: &'z ZoneImage,
    reply: &mut Reply<'_>,
    node: Node<'z>,
    (cut, apex): (Owner<'_>, Owner<'_>),
) -> Result<Verdict, Full> {
    let Some((set, glue)) = node.delegation() else {
        return Ok(Verdict::default());
    };
    let mut places = Places::default();
    let mut siblings = false;
    let mut records = set.rotated(task.order());
    loop {
        let number = records.number();
        let (Some(name), Some(server)) = (records.next(), set.server(number)) else {
            break;
        };
        let suffix = match server.whose {
            Whose::Below => cut,
            Whose::Sibling => apex,
            Whose::Others => Owner::Name(name),
        };
        let name = (name, server.labels_len, suffix);
        let at = reply.record_of_name(
            Section::Authority,
            cut,
            RecordType::Ns.code(),
            set.ttl,
            name,
        )?;
        if let Some(place) = places.get_mut(number) {
            *place = u16::try_from(at).unwrap_or_default();
        }
        siblings |= server.whose == Whose::Sibling;
    }
    // RFC 9471 section 3: what is needed comes first, and TC is set if it does not fit.
    for record in glue {
        let owner = owner_of(set, record.server, &places);
        let (rtype, ttl) = (record.rtype.code(), record.ttl);
        reply.record(Section::Additional, owner, rtype, ttl, record.address)?;
    }
    if siblings {
        write_siblings(zone, reply, set, &places);
    }
    Ok(Verdict::default())
}

/// A server as the owner of its addresses.
#[inline]
fn owner_of<'z>(set: Set<'z>, number: usize, places: &Places) -> Owner<'z> {
    let place = places.get(number).copied().filter(|place| *place > 0);
    place
        .and_then(|place| Owner::at(place.into()))
        .unwrap_or_else(|| Owner::Name(name_of(set, number)))
}

fn name_of(set: Set<'_>, number: usize) -> &[u8] {
    set.rotated(0).nth(number).unwrap_or(&[0])
}

/// A sibling on the way to its addresses: its number and hash, and where it seems to be.
type Sought<'z> = (usize, u64, Guess<'z>);

/// The addresses of siblings, which are a kindness.
fn write_siblings(zone: &ZoneImage, reply: &mut Reply<'_>, set: Set<'_>, places: &Places) {
    // Some are looked for before one is read, so that one's wait for memory is spent on the others.
    let mut together = ArrayVec::<Sought<'_>, REMEMBERED>::new();
    let servers = (0..).map_while(|number| Some((number, set.server(number)?)));
    for (number, Server { hash, .. }) in servers.filter(|(_, s)| s.whose == Whose::Sibling) {
        if together.is_full() {
            write_sought(zone, reply, (set, places), together.drain(..));
        }
        together.push((number, hash, zone.page(hash).probe(hash)));
    }
    write_sought(zone, reply, (set, places), together.drain(..));
}

fn write_sought<'z>(
    zone: &ZoneImage,
    reply: &mut Reply<'_>,
    (set, places): (Set<'_>, &Places),
    sought: impl Iterator<Item = Sought<'z>>,
) {
    for (number, hash, guess) in sought {
        let name = name_of(set, number);
        let labels = &name[..name.len() - zone.meta.apex.as_wire().len()];
        let node = guess.and_then(|guess| guess.confirm_as_written(hash, labels));
        if let Some(node) = node {
            // One that does not fit is left out; a shorter one may still fit.
            let _ = write_addresses(reply, owner_of(set, number, places), &node);
        }
    }
}

/// The addresses of a server, all or none.
#[inline]
fn write_addresses(reply: &mut Reply<'_>, owner: Owner<'_>, node: &Node<'_>) -> Result<(), Full> {
    let mark = reply.mark();
    for rtype in [RecordType::A, RecordType::Aaaa] {
        let Some(set) = node.set(rtype) else {
            continue;
        };
        for data in set.rotated(0) {
            let written = reply.record(Section::Additional, owner, rtype.code(), set.ttl, data);
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
