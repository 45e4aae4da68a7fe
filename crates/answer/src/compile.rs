//! Turning the record sets of a name into the bytes of its node.
//!
//! The layout is in `node`, which reads it; groups are in `compile::group`.

mod group;

use meridian_dns::message::fits_in_message;
use meridian_dns::{Name, RecordType, rdata};
use meridian_model::{AliasTarget, RecordSet, Routing, SetData, ZoneId, external};

use crate::hash::HashKey;
use crate::image::labels_below;
use crate::listed::Listed;
use crate::node::{MAX_BODY, SERVER, SET_HEAD, Server, WITH_SERVERS, Whose};
use group::compile_group;

/// A record set that cannot be turned into an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{set}: {reason}")]
pub struct CompileError {
    /// Which one.
    pub set: String,
    /// Why.
    pub reason: String,
}

/// What is to become of record sets that cannot be turned into an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The whole image fails: an older one is there to be kept.
    Refuse,
    /// They alone are answered with SERVFAIL.
    Unserved,
}

/// What follows the type of a set that is not served.
const UNSERVED: [u8; SET_HEAD - 1] = [2, 0, 0, 0, 0, 0, 0, 0, 0];

/// The zone that sets are compiled for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    pub(crate) key: HashKey,
    pub(crate) zone: &'a ZoneId,
    pub(crate) apex: &'a Name,
    /// Of the apex.
    pub(crate) hash: u64,
}

/// The sets of one name, compiled.
pub(crate) struct Compiled {
    /// As in a node.
    pub(crate) types: u32,
    pub(crate) sets: Vec<u8>,
    /// Whether any of them is an alias that evaluates its target's health.
    pub(crate) evaluates: Listed,
    /// Whether any of them is an alias to a host name elsewhere.
    pub(crate) leads_out: Listed,
}

/// Whether the sets of a name and type can be answered. What no plan accepts cannot, nor what is
/// too large to be kept with its name, which is no reason to hold back the rest of the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    No,
    Yes,
}

/// The types and the bytes of all sets of one name.
///
/// # Errors
/// When a value has no wire form: it was written by other rules than today's.
pub(crate) fn compile(
    home: Home<'_>,
    sets: &[RecordSet],
    broken: Broken,
) -> Result<Compiled, CompileError> {
    let (mut types, mut bytes) = (0, Vec::new());
    for (place, rtype) in RecordType::ALL.into_iter().enumerate() {
        let mut group = sets.iter().filter(|set| set.key.rtype == rtype);
        let Some(first) = group.next() else {
            continue;
        };
        types |= 1 << place;
        bytes.push(u8::try_from(place).expect("there are 17 types"));
        let start = bytes.len();
        let compiled = match (first, group.next()) {
            (set, None) if let Some(plain) = plain(set) => {
                compile_plain(home, set, plain, &mut bytes).map(|()| Served::Yes)
            }
            _ if is_structure(rtype) => Ok(Served::No),
            _ => {
                let group: Vec<&RecordSet> =
                    sets.iter().filter(|set| set.key.rtype == rtype).collect();
                compile_group(home, &group, &mut bytes)
            }
        };
        let served = match compiled {
            Err(error) if broken == Broken::Refuse => return Err(error),
            Ok(Served::Yes) if bytes.len() <= MAX_BODY => Served::Yes,
            _ => Served::No,
        };
        if served == Served::No {
            bytes.truncate(start);
            bytes.extend_from_slice(&UNSERVED);
        }
    }
    let if_any = |is: &dyn Fn(&AliasTarget) -> bool| {
        Listed::if_any(sets, |set| match &set.data {
            SetData::Alias(target) => is(target),
            SetData::Records { .. } => false,
        })
    };
    Ok(Compiled {
        types,
        sets: bytes,
        evaluates: if_any(&|target| target.evaluate_target_health),
        leads_out: if_any(&|target| leads_out(home, target)),
    })
}

/// Whether an alias points to a host name elsewhere. The zone it stands in comes before.
fn leads_out(home: Home<'_>, target: &AliasTarget) -> bool {
    target.zone != *home.zone && external(&target.zone).is_some()
}

/// The TTL and the values of a set that is nothing but records. Types that make up the zone answer
/// whatever a health check says, and so does any other simple set: but others may depend on its
/// health.
fn plain(set: &RecordSet) -> Option<(u32, &[String])> {
    let checked = set.health_check_id.is_some() && !is_structure(set.key.rtype);
    match (&set.routing, &set.data) {
        (Routing::Simple, SetData::Records { ttl, values }) if !checked => Some((*ttl, values)),
        _ => None,
    }
}

/// Types that say where zones begin and end.
fn is_structure(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::Ns | RecordType::Soa)
}

fn fail(set: &RecordSet, reason: impl Into<String>) -> CompileError {
    CompileError {
        set: set.key.to_string(),
        reason: reason.into(),
    }
}

/// What is known beforehand about the servers of a zone below.
fn compile_servers(home: Home<'_>, cut: &Name, records: &[Vec<u8>]) -> Vec<u8> {
    let mut table = Vec::with_capacity(records.len() * SERVER);
    for data in records {
        let name = Name::from_wire(data).map(|name| name.to_lowercase());
        let mut server = Server {
            whose: Whose::Others,
            labels_len: 0,
            hash: 0,
        };
        if let Ok(name) = &name
            && let Some(labels) = labels_below(name, home.apex)
        {
            if name.is_within(cut) {
                server.whose = Whose::Below;
                server.labels_len = data.len() - cut.as_wire().len();
            } else {
                server.whose = Whose::Sibling;
                server.labels_len = labels.len();
                server.hash = home.key.below(home.hash, labels);
            }
        }
        server.write(&mut table);
    }
    table
}

/// A set of records inside a group: as one that stands for itself, its type included.
fn write_records(
    home: Home<'_>,
    set: &RecordSet,
    records: (u32, &[String]),
    bytes: &mut Vec<u8>,
) -> Result<(), CompileError> {
    bytes.push(u8::try_from(set.key.rtype.place()).expect("there are 17 types"));
    compile_plain(home, set, records, bytes)
}

fn compile_plain(
    home: Home<'_>,
    set: &RecordSet,
    (ttl, values): (u32, &[String]),
    bytes: &mut Vec<u8>,
) -> Result<(), CompileError> {
    let records: Vec<Vec<u8>> = values
        .iter()
        .map(|text| rdata::parse(set.key.rtype, text).map_err(|error| fail(set, error.to_string())))
        .collect::<Result<_, _>>()?;
    let servers = if set.key.rtype == RecordType::Ns && set.key.name != *home.apex {
        compile_servers(home, &set.key.name, &records)
    } else {
        Vec::new()
    };
    let written = write_plain(ttl, &records, &servers, bytes);
    written.ok_or_else(|| fail(set, "does not fit into one DNS message"))
}

/// Appends records as a set, from its kind on; none if they do not fit into one message.
pub(crate) fn write_plain(
    ttl: u32,
    records: &[impl AsRef<[u8]>],
    servers: &[u8],
    bytes: &mut Vec<u8>,
) -> Option<()> {
    let data = || records.iter().map(AsRef::<[u8]>::as_ref);
    let even = records
        .windows(2)
        .all(|pair| pair[0].as_ref().len() == pair[1].as_ref().len());
    let each = if even { 0 } else { 2 };
    // Within 16 bits whenever the records fit into a message, which has more beside each.
    let body_len = data().map(|data| data.len() + each).sum::<usize>() + servers.len();
    if !fits_in_message(data().map(<[u8]>::len)) {
        return None;
    }
    let with_servers = if servers.is_empty() { 0 } else { WITH_SERVERS };
    bytes.push(u8::from(!even) | with_servers);
    bytes.extend_from_slice(&ttl.to_le_bytes());
    bytes.extend_from_slice(&u16::try_from(records.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(&u16::try_from(body_len).ok()?.to_le_bytes());
    for data in data() {
        if !even {
            bytes.extend_from_slice(&u16::try_from(data.len()).ok()?.to_le_bytes());
        }
        bytes.extend_from_slice(data);
    }
    bytes.extend_from_slice(servers);
    Some(())
}
