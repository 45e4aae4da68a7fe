//! Simple: the one set answers, whatever its health.

use super::candidates::Candidates;

/// The only member.
pub(crate) fn choose(candidates: &Candidates<'_>) -> Option<usize> {
    candidates.all().next().map(|(place, _)| place)
}
