//! Failover: the primary, or the secondary while the primary is down.

use meridian_model::FailoverRole;

use super::candidates::{Candidates, Mode};
use super::group::{Member, PARAMETER};
use super::trace::{Fate, Trace};

/// The parameter of a member.
pub(crate) fn parameter(role: FailoverRole) -> [u8; PARAMETER] {
    let mut parameter = [0; PARAMETER];
    parameter[0] = match role {
        FailoverRole::Primary => 0,
        FailoverRole::Secondary => 1,
    };
    parameter
}

/// Which half of the pair a member is.
pub(crate) fn role(member: &Member<'_>) -> FailoverRole {
    match member.parameter[0] {
        0 => FailoverRole::Primary,
        _ => FailoverRole::Secondary,
    }
}

/// The primary if it is healthy, else the secondary if that is, else the primary again. Half a
/// pair answers always.
pub(crate) fn choose<T: Trace>(candidates: &Candidates<'_>, trace: &mut T) -> Option<usize> {
    let find = |wanted| {
        candidates
            .in_play()
            .find(|(_, member)| role(member) == wanted)
    };
    let chosen = find(FailoverRole::Primary).or_else(|| find(FailoverRole::Secondary));
    let (chosen, _) = chosen?;
    let others = candidates.in_play().filter(|(place, _)| *place != chosen);
    if T::ON {
        for (place, _) in others {
            trace.fate(place, || match candidates.mode {
                Mode::Healthy => Fate::PrimaryIsUp,
                Mode::LastResort => Fate::PrimaryIsLastResort,
            });
        }
    }
    Some(chosen)
}
