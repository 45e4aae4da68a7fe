//! Choosing the least of some measure, and a stable choice where it does not tell: the same at
//! every name server, and the others' clients stay where they are when one candidate goes.

use std::cmp::Ordering;

use meridian_atlas::RangeId;

use super::candidates::Candidates;
use super::group::Member;
use super::trace::{Fate, Trace};

/// The member in play with the least measure; of equal ones, and where all are infinite, the one
/// that the client's range of addresses falls to.
pub(crate) fn least<T: Trace>(
    candidates: &Candidates<'_>,
    range: impl Fn() -> RangeId,
    trace: &mut T,
    mut measure: impl FnMut(usize, &Member<'_>, &mut T) -> f64,
) -> Option<usize> {
    let mut best: Option<(f64, usize, Option<u64>)> = None;
    let mut measured = Vec::new();
    for (place, member) in candidates.in_play() {
        let own = measure(place, &member, trace);
        if T::ON {
            measured.push((place, own));
        }
        let Some((least, least_place, lot)) = &mut best else {
            best = Some((own, place, None));
            continue;
        };
        let out = match own.total_cmp(least) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                let other = *lot.get_or_insert_with(|| lot_of(candidates, *least_place, range()));
                lot_of(candidates, place, range()) > other
            }
        };
        if out {
            best = Some((own, place, None));
        }
    }
    let (least, place, _) = best?;
    if T::ON {
        for (place, own) in &measured {
            trace.fate(*place, || match own.total_cmp(&least) {
                Ordering::Equal if own.is_infinite() => Fate::NobodyKnows,
                Ordering::Equal => Fate::AsNear,
                Ordering::Greater | Ordering::Less => Fate::Outdone,
            });
        }
        measured.retain(|(_, own)| own.total_cmp(&least).is_eq());
        if measured.len() > 1
            && let Some(option) = trace.draw(|| vec![1; measured.len()])
        {
            return measured.get(option).map(|(place, _)| *place);
        }
    }
    Some(place)
}

/// What a member draws for a range of addresses: nothing that differs from server to server, such
/// as keyed hashes, takes part.
fn lot_of(candidates: &Candidates<'_>, place: usize, RangeId(range): RangeId) -> u64 {
    let group = candidates.group();
    let names = group.member(place).and_then(|member| group.names(&member));
    let identifier = names.map_or("", |names| names.identifier);
    let hash = identifier.bytes().fold(u64::from(range), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}
