//! Multivalue: up to eight healthy sets at once, at random.
//!
//! A name never has the same record twice (RFC 2181 section 5): of sets with the same values the
//! one with the smallest TTL stands for all of them, and a value that is in several sets is written
//! once. Which sets have values in common is found out when they are compiled.

use std::collections::BTreeMap;

use arrayvec::ArrayVec;

use crate::node::Set;

use super::MAX_MEMBERS;
use super::candidates::Candidates;
use super::group::{Member, PARAMETER};
use super::random::Random;
use super::trace::{Fate, Trace};

/// The most sets that are answered together.
pub(crate) const MULTIVALUE_SETS: usize = 8;

/// In the parameter: some of the values are in a set with others, too.
const OVERLAPS: u8 = 1;

/// The parameters of members with these records, none of an alias: whether they overlap with
/// others, and which one stands for them before they stand for themselves.
pub(crate) fn parameters(sets: &[Option<Set<'_>>]) -> Vec<[u8; PARAMETER]> {
    let mut alike: BTreeMap<Vec<&[u8]>, Vec<(u32, usize)>> = BTreeMap::new();
    for (place, set) in sets.iter().enumerate() {
        let Some(set) = set else { continue };
        let mut values: Vec<&[u8]> = set.rotated(0).collect();
        values.sort_unstable();
        alike.entry(values).or_default().push((set.ttl, place));
    }
    let mut often: BTreeMap<&[u8], usize> = BTreeMap::new();
    for value in alike.keys().flatten() {
        *often.entry(value).or_default() += 1;
    }
    let mut parameters = vec![[0; PARAMETER]; sets.len()];
    for (values, mut line) in alike {
        line.sort_unstable();
        let overlaps = values.iter().any(|value| often[value] > 1);
        let mut before = 0;
        for (_, place) in line {
            let [low, high] = u16::to_le_bytes(before);
            parameters[place][..3].copy_from_slice(&[u8::from(overlaps) * OVERLAPS, low, high]);
            // A group has no more members than a number can say; plans accept far fewer.
            before = u16::try_from(place + 1).unwrap_or(0);
        }
    }
    parameters
}

/// Whether some of a member's values may be in other members that are answered with it.
pub(crate) fn overlaps(member: &Member<'_>) -> bool {
    member.parameter[0] & OVERLAPS != 0
}

/// The place of the member with the same values that is next in line to stand for this one.
fn before(member: &Member<'_>) -> Option<usize> {
    let [_, low, high, ..] = *member.parameter;
    usize::from(u16::from_le_bytes([low, high])).checked_sub(1)
}

/// Whether another member in play, with the same values, stands for this one.
fn is_stood_for(candidates: &Candidates<'_>, member: &Member<'_>) -> bool {
    let next = |member: &Member<'_>| candidates.group().member(before(member)?);
    let mut at = next(member);
    // A line of members has an end; it is as long as there are members at most.
    for _ in 0..MAX_MEMBERS {
        match at {
            Some(other) if candidates.is_in_play(&other) => return true,
            Some(other) => at = next(&other),
            None => return false,
        }
    }
    false
}

/// Chooses all that are in play and have values of their own, or eight of them, in random order.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    random: &mut Random,
    trace: &mut T,
    chosen: &mut ArrayVec<usize, MULTIVALUE_SETS>,
) {
    let different = || {
        let in_play = candidates.in_play();
        in_play.filter(|(_, member)| !member.is_alias() && !is_stood_for(candidates, member))
    };
    if T::ON {
        for (place, member) in candidates.in_play() {
            if is_stood_for(candidates, &member) {
                trace.fate(place, || Fate::SameValues);
            }
        }
        if let Some(run) = trace.draw_several(different().count()) {
            let run = different()
                .skip(run * MULTIVALUE_SETS)
                .take(MULTIVALUE_SETS);
            chosen.extend(run.map(|(place, _)| place));
            return;
        }
    }
    for (met, (place, _)) in different().enumerate() {
        // Each of the first `met` is among the chosen with the same likelihood (algorithm R).
        if !chosen.is_full() {
            chosen.push(place);
            continue;
        }
        let seat = random.below(met + 1);
        let out = match chosen.get_mut(seat) {
            Some(seat) => std::mem::replace(seat, place),
            None => place,
        };
        trace.fate(out, || Fate::NotDrawn);
    }
    for last in (1..chosen.len()).rev() {
        chosen.swap(last, random.below(last + 1));
    }
}
