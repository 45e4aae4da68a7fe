//! The members of a group with their health: what every policy chooses among.

use crate::health::{Key, Keys};

use super::group::{Group, Member};

/// A group at the moment of choosing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidates<'a> {
    group: Group<'a>,
    down: &'a Keys,
    pub(crate) mode: Mode,
}

/// Who may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The healthy ones.
    Healthy,
    /// Nobody is healthy, so everybody counts as healthy.
    LastResort,
}

impl<'a> Candidates<'a> {
    /// The group with what is down.
    pub(crate) fn new(group: Group<'a>, down: &'a Keys) -> Self {
        let any = group.members().any(|member| is_up(&member, down));
        Self {
            group,
            down,
            mode: if any { Mode::Healthy } else { Mode::LastResort },
        }
    }

    pub(crate) fn group(&self) -> &Group<'a> {
        &self.group
    }

    /// All members, with their places, whether they may be chosen or not.
    #[inline]
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, Member<'a>)> + use<'a> {
        self.group.members().enumerate()
    }

    /// Those that may be chosen: the healthy ones, or all when none is.
    #[inline]
    pub(crate) fn in_play(&self) -> impl Iterator<Item = (usize, Member<'a>)> + use<'a> {
        let (mode, down) = (self.mode, self.down);
        self.all()
            .filter(move |(_, member)| mode == Mode::LastResort || is_up(member, down))
    }

    /// Whether this member may be chosen.
    #[inline]
    pub(crate) fn is_in_play(&self, member: &Member<'_>) -> bool {
        self.mode == Mode::LastResort || is_up(member, self.down)
    }

    /// Whether this member is healthy by itself.
    #[inline]
    pub(crate) fn is_up(&self, member: &Member<'_>) -> bool {
        is_up(member, self.down)
    }

    /// Whether a check or a target is healthy.
    pub(crate) fn is_key_up(&self, key: Key) -> bool {
        !self.down.has(key)
    }
}

/// Whether a member is healthy: its check and its target, where it has such, are not down.
#[inline]
pub(crate) fn is_up(member: &Member<'_>, down: &Keys) -> bool {
    let up = |key| !down.has(key);
    member.check.is_none_or(up) && member.target.is_none_or(up)
}
