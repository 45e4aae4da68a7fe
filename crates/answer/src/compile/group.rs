//! Writing a group: the sets of one name and type that are more than plain records. The layout is
//! in `route::group`, which reads it.

use meridian_dns::RecordType;
use meridian_dns::message::fits_in_message;
use meridian_model::{AliasTarget, RecordSet, Routing, RoutingKind, SetData};

use super::{CompileError, Home, Served, leads_out, write_records};
use crate::image::{hash_of, labels_below};
use crate::node::{Set, group_head};
use crate::route::group::{ALIAS, EVALUATES, GROUP_HEAD, LEADS_OUT, MEMBER, PARAMETER, POLICIES};
use crate::route::multivalue::{self, MULTIVALUE_SETS};
use crate::route::{MAX_MEMBERS, parameter};
use crate::{external, health};

/// Appends the group of these sets, which have one name and type, from its kind on; unless they
/// are what no plan accepts, or too large to be kept or answered.
///
/// # Errors
/// When a value has no wire form.
pub(super) fn compile_group(
    home: Home<'_>,
    sets: &[&RecordSet],
    bytes: &mut Vec<u8>,
) -> Result<Served, CompileError> {
    let Some(first) = sets.first() else {
        return Ok(Served::No);
    };
    let kind = first.routing.kind();
    let policy = POLICIES.iter().position(|policy| *policy == kind);
    let Some(policy) = policy.and_then(|place| u8::try_from(place).ok()) else {
        return Ok(Served::No);
    };
    let alone = kind != RoutingKind::Simple || sets.len() == 1;
    let alike = sets.iter().all(|set| set.routing.kind() == kind);
    if sets.len() > MAX_MEMBERS || !alone || !alike {
        return Ok(Served::No);
    }
    let mut group = Vec::with_capacity(GROUP_HEAD + sets.len() * (MEMBER + 64));
    group.push(policy);
    group.extend_from_slice(&collection(home, first).to_le_bytes());
    group.resize(GROUP_HEAD + sets.len() * MEMBER, 0);
    let mut lengths = Vec::new();
    for (place, set) in sets.iter().enumerate() {
        let before = group.len();
        let (flags, target) = match &set.data {
            SetData::Records { ttl, values } => {
                write_records(home, set, (*ttl, values), &mut group)?;
                // In a message each record has a head of its own.
                lengths.push(group.len() - before + 12 * values.len());
                (0, 0)
            }
            SetData::Alias(target) => write_alias(home, set.key.rtype, target, &mut group),
        };
        write_names(set, &mut group);
        let check = set.health_check_id.as_deref();
        let check = check.map_or(0, |id| health::Key::of_check(home.key, id).0);
        let mut member = Vec::with_capacity(MEMBER);
        member.push(flags);
        member.extend_from_slice(&parameter::write(home.key, &set.routing));
        member.extend_from_slice(&check.to_le_bytes());
        member.extend_from_slice(&target.to_le_bytes());
        // Beyond what a number can say the group is too large to be kept.
        let at = u32::try_from(before).unwrap_or(u32::MAX);
        member.extend_from_slice(&at.to_le_bytes());
        group[GROUP_HEAD + place * MEMBER..][..MEMBER].copy_from_slice(&member);
    }
    if first.routing == Routing::Multivalue {
        write_likeness(first.key.rtype, sets.len(), &mut group);
    }
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let together = lengths.into_iter().take(MULTIVALUE_SETS);
    if first.routing == Routing::Multivalue && !fits_in_message(together) {
        return Ok(Served::No);
    }
    let Some(head) = group_head(sets.len(), group.len()) else {
        return Ok(Served::No);
    };
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&group);
    Ok(Served::Yes)
}

/// What the members of a multivalue group have in common, as their parameters.
fn write_likeness(rtype: RecordType, count: usize, group: &mut [u8]) {
    let start = |place: usize| GROUP_HEAD + place * MEMBER;
    let records = |place: usize| {
        let member = &group[start(place)..][..MEMBER];
        let at = member.last_chunk().map(|at| u32::from_le_bytes(*at))?;
        let part = group.get(usize::try_from(at).ok()?..)?;
        let (set, _) = (member[0] & ALIAS == 0).then(|| Set::read(rtype, part))??;
        Some(set)
    };
    let sets: Vec<Option<Set<'_>>> = (0..count).map(records).collect();
    let parameters = multivalue::parameters(&sets);
    for (place, parameter) in parameters.iter().enumerate() {
        group[start(place) + 1..][..PARAMETER].copy_from_slice(parameter);
    }
}

/// The collection that a set of a CIDR policy refers to; 0 for all others.
fn collection(home: Home<'_>, set: &RecordSet) -> u64 {
    match &set.routing {
        Routing::Cidr { collection_id, .. } => {
            health::Key::of_collection(home.key, collection_id).0
        }
        _ => 0,
    }
}

/// Writes where an alias points; returns the flags, and whose health counts.
fn write_alias(
    home: Home<'_>,
    rtype: RecordType,
    target: &AliasTarget,
    group: &mut Vec<u8>,
) -> (u8, u64) {
    let here = (target.zone == *home.zone)
        .then(|| labels_below(&target.name, home.apex))
        .flatten();
    let wire = target.name.as_wire();
    let hash = hash_of(home.key, &target.name);
    if leads_out(home, target) {
        let key = external::key_of(home.key, &target.name, rtype);
        group.extend_from_slice(&key.0.to_le_bytes());
        write_sized(target.zone.as_str().as_bytes(), group);
        write_sized(wire, group);
        return match target.evaluate_target_health {
            true => {
                let target = health::Key::of_outside(home.key, home.zone.as_str(), key);
                (ALIAS | LEADS_OUT | EVALUATES, target.0)
            }
            false => (ALIAS | LEADS_OUT, 0),
        };
    }
    group.extend_from_slice(&hash.to_le_bytes());
    match here {
        Some(labels) => {
            write_sized(b"", group);
            write_sized(labels, group);
        }
        None => {
            write_sized(target.zone.as_str().as_bytes(), group);
            write_sized(wire, group);
        }
    }
    if !target.evaluate_target_health {
        return (ALIAS, 0);
    }
    let key = health::Key::of_target(home.key, target.zone.as_str(), hash, rtype);
    (ALIAS | EVALUATES, key.0)
}

fn write_names(set: &RecordSet, group: &mut Vec<u8>) {
    let identifier = set.key.set_identifier.as_deref().unwrap_or_default();
    write_sized(identifier.as_bytes(), group);
    let check = set.health_check_id.as_deref().unwrap_or_default();
    write_sized(check.as_bytes(), group);
    write_sized(parameter::place(&set.routing).as_bytes(), group);
}

/// Bytes behind their length; texts of members are far shorter than what it can say.
fn write_sized(bytes: &[u8], group: &mut Vec<u8>) {
    let len = u16::try_from(bytes.len()).unwrap_or(0);
    group.extend_from_slice(&len.to_le_bytes());
    group.extend_from_slice(&bytes[..len.into()]);
}
