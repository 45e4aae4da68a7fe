//! The health of sets and of the groups that aliases point to (the table of reference 5.1).

use meridian_model::{AliasTarget, RecordSet, Routing, SetData};

use crate::case::Outside;
use crate::model::{Group, Oracle, is_outside};
use crate::wrong::Wrong;

/// A set of a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'c> {
    pub(crate) set: &'c RecordSet,
    /// Healthy, or taken as such because none of its group is.
    pub(crate) live: bool,
}

impl<'c> Oracle<'c> {
    /// All sets of the group with what is to be thought of their health.
    pub(crate) fn members(&self, group: Group<'_>) -> Vec<Member<'c>> {
        let sets = self.sets(group);
        let failing = |set: &&'c RecordSet| set.health_check_id.is_some() && !self.passes(set);
        let strict = self.errs(Wrong::NoCheckIsUnhealthy) && sets.iter().any(failing);
        let live: Vec<bool> = sets
            .iter()
            .map(|set| self.is_healthy(set) && !(strict && set.health_check_id.is_none()))
            .collect();
        let last_resort = !live.contains(&true) && !self.errs(Wrong::NoLastResort);
        sets.iter()
            .zip(live)
            .map(|(set, live)| Member {
                set,
                live: live || last_resort,
            })
            .collect()
    }

    /// What its check says; without one, and once the check is deleted, nothing is wrong.
    fn passes(&self, set: &RecordSet) -> bool {
        let gone = !self.errs(Wrong::GoneCheckIsUnhealthy);
        let check = set.health_check_id.as_ref();
        check.is_none_or(|id| self.case.checks.get(id).copied().unwrap_or(gone))
    }

    /// The table of reference 5.1.
    pub(crate) fn is_healthy(&self, set: &RecordSet) -> bool {
        let passes = self.passes(set);
        let SetData::Alias(target) = &set.data else {
            return passes;
        };
        let evaluates = match set.health_check_id {
            _ if self.errs(Wrong::AliasNeverEvaluates) => false,
            _ if self.errs(Wrong::AliasAlwaysEvaluates) => true,
            Some(_) if self.errs(Wrong::AliasCheckAlone) => false,
            _ => target.evaluate_target_health,
        };
        passes && (!evaluates || self.is_target_healthy(target, set))
    }

    /// Whether a group has a healthy member.
    fn is_target_healthy(&self, target: &AliasTarget, alias: &RecordSet) -> bool {
        if is_outside(target) {
            return match self.outside(target, alias) {
                Some(Outside::Records { data, .. }) => !data.is_empty(),
                Some(Outside::Nothing) => false,
                None => self.errs(Wrong::UnresolvedIsHealthy),
            };
        }
        let Some(group) = self.target(target, alias.key.rtype) else {
            return false;
        };
        let key = group.key();
        if let Some(known) = self.known.borrow().get(&key) {
            return *known;
        }
        let counts = |set: &&&RecordSet| {
            let idle = matches!(set.routing, Routing::Weighted(0));
            !(idle && self.errs(Wrong::ZeroWeightIsNoMember))
        };
        let mut sets = self.sets(group).iter().filter(counts);
        let healthy = if self.errs(Wrong::AliasWantsAll) {
            sets.all(|set| self.is_healthy(set))
        } else {
            sets.any(|set| self.is_healthy(set))
        };
        self.known.borrow_mut().insert(key, healthy);
        healthy
    }
}
