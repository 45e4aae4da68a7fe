//! Weighted: at random, in proportion to the weights.

use super::candidates::{Candidates, Mode};
use super::group::{Member, PARAMETER};
use super::random::Random;
use super::trace::{Fate, Trace};

/// The parameter of a member.
pub(crate) fn parameter(weight: u8) -> [u8; PARAMETER] {
    let mut parameter = [0; PARAMETER];
    parameter[0] = weight;
    parameter
}

/// The weight of a member.
pub(crate) fn weight(member: &Member<'_>) -> u8 {
    member.parameter[0]
}

/// Healthy members with a weight first; when there is none, healthy ones of weight 0, each as
/// likely as the other; when nobody is healthy, all that have a weight, and only if none has, all.
pub(crate) fn choose<T: Trace>(
    candidates: &Candidates<'_>,
    random: &mut Random,
    trace: &mut T,
) -> Option<usize> {
    let weights = candidates
        .in_play()
        .map(|(_, member)| usize::from(weight(&member)));
    // At most 255 for each of a bounded number of members.
    let (sum, count) = weights.fold((0, 0), |(sum, count), weight| (sum + weight, count + 1));
    let share = |member: &Member<'_>| match usize::from(weight(member)) {
        _ if sum == 0 => 1,
        weight => weight,
    };
    let shares = || candidates.in_play().map(|(_, member)| share(&member));
    let mut left = match trace.draw(|| shares().collect()) {
        Some(option) => shares().take(option).sum(),
        None => random.below(if sum > 0 { sum } else { count }),
    };
    let mut chosen = None;
    for (place, member) in candidates.in_play() {
        let share = share(&member);
        if share == 0 {
            trace.fate(place, || Fate::ZeroWeight);
            continue;
        }
        if chosen.is_none() && left < share {
            chosen = Some(place);
            if !T::ON {
                break;
            }
        } else {
            trace.fate(place, || Fate::NotDrawn);
        }
        left = left.saturating_sub(share);
    }
    debug_assert!(chosen.is_some() || candidates.mode == Mode::LastResort && count == 0);
    chosen
}
