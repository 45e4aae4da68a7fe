//! Multivalue: up to eight healthy sets at once, at random.

use arrayvec::ArrayVec;

use super::candidates::Candidates;
use super::random::Random;
use super::trace::{Fate, Trace};

/// The most sets that are answered together.
pub(crate) const MULTIVALUE_SETS: usize = 8;

/// All that are in play, or eight of them, in random order.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    random: &mut Random,
    trace: &mut T,
) -> ArrayVec<usize, MULTIVALUE_SETS> {
    let mut chosen = ArrayVec::new();
    let in_play = || {
        let in_play = candidates.in_play();
        in_play.filter(|(_, member)| !member.is_alias())
    };
    if T::ON
        && let Some(run) = trace.draw_several(in_play().count())
    {
        let run = in_play().skip(run * MULTIVALUE_SETS).take(MULTIVALUE_SETS);
        return run.map(|(place, _)| place).collect();
    }
    for (met, (place, _)) in in_play().enumerate() {
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
    chosen
}
