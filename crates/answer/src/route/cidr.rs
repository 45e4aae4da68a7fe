//! IP-based: the set for the location that owns the client's network.

use crate::cidr::Found;
use crate::hash::HashKey;
use crate::health::Key;

use super::candidates::Candidates;
use super::group::{Member, PARAMETER};
use super::trace::{Fate, Trace};

/// The location of a set for all other clients.
const OTHERS: &str = "*";

/// The parameter of a member: its location's key, 0 for `*`.
pub(crate) fn parameter(key: HashKey, collection: &str, location: &str) -> [u8; PARAMETER] {
    let mut parameter = [0; PARAMETER];
    if location != OTHERS {
        let collection = Key::of_collection(key, collection);
        let location = Key::of_location(key, collection, location);
        parameter[..8].copy_from_slice(&location.0.to_le_bytes());
    }
    parameter
}

fn location(member: &Member<'_>) -> Option<Key> {
    let bytes = member.parameter.first_chunk::<8>()?;
    let key = u64::from_le_bytes(*bytes);
    (key != 0).then_some(Key(key))
}

/// The set of the location that was found while it is healthy, then that for all others while that
/// is, then the first again. And for how many bits of the client's address that is so.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    found: Found,
    trace: &mut T,
) -> (Option<usize>, u8) {
    let (mut own, mut others, mut locations) = (None, None, 0);
    for (place, member) in candidates.all() {
        match location(&member) {
            None => others = Some((place, member)),
            location if location == found.what => own = Some((place, member)),
            Some(_) => {}
        }
        locations += usize::from(location(&member).is_some());
    }
    let healthy = |(_, member): &(usize, Member<'_>)| candidates.is_in_play(member);
    let in_play = own.filter(healthy).or_else(|| others.filter(healthy));
    let chosen = in_play.or(own).or(others);
    if T::ON {
        let could_be = |member| in_play.is_none() || candidates.is_in_play(member);
        if let (Some((own, _)), Some((place, member))) = (own, others)
            && chosen.is_some_and(|(chosen, _)| chosen == own)
            && could_be(&member)
        {
            trace.fate(place, || Fate::LessSpecific);
        }
        if in_play.is_none() && chosen.is_some() {
            trace.last_resort();
        }
    }
    let scope = if locations > 0 { found.scope } else { 0 };
    (chosen.map(|(place, _)| place), scope)
}
