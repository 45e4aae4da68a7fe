//! What follows from supposing that health checks are up or down: those that are calculated from
//! them would stand otherwise, too. Nothing that is real is touched.

use std::collections::{BTreeMap, HashMap, HashSet};

use meridian_answer::CheckState;
use meridian_model::{
    AccountId, Health, HealthCheck, HealthCheckId, HealthSubject, Reason, Standing,
};

use crate::checkers::State;

/// Some health checks as they are supposed to be, and what that makes of others.
pub(crate) struct Supposition<'a> {
    /// By id, and whether they are up.
    said: BTreeMap<&'a str, bool>,
    /// How those stand then that are calculated from checks.
    calculated: HashMap<HealthCheckId, Standing>,
}

impl<'a> Supposition<'a> {
    /// These are supposed to be up or down, and all others as they stand. Looks once at all checks,
    /// if anything is supposed.
    pub(crate) fn of(said: &'a [(String, bool)], state: &State) -> Self {
        let said = said.iter().map(|(id, up)| (id.as_str(), *up));
        let mut supposition = Self {
            said: said.collect(),
            calculated: HashMap::new(),
        };
        if supposition.said.is_empty() {
            return supposition;
        }
        let checks = supposition.said.keys().filter_map(|id| state.of(id));
        let accounts: HashSet<&AccountId> = checks.map(|(check, _)| &check.account).collect();
        // Those that people switched, or that are disabled, do not go by their children, which are
        // of the same account.
        let by_children = state.each().filter(|(check, now)| {
            matches!(now.reason, Reason::Children { .. }) && accounts.contains(&check.account)
        });
        let by_children: Vec<_> = by_children.collect();
        // Calculated ones may be children as well: with each round those a step further are right.
        for _ in 0..by_children.len() {
            let mut any = false;
            for (check, now) in &by_children {
                any |= supposition.conclude(state, check, now);
            }
            if !any {
                break;
            }
        }
        supposition
    }

    /// Counts the children of a check. Says whether that is something else than before.
    fn conclude(&mut self, state: &State, check: &HealthCheck, now: &Standing) -> bool {
        let HealthSubject::Calculated {
            threshold,
            children,
        } = &check.config.subject
        else {
            return false;
        };
        let healthy = children.iter().filter(|child| self.counts(state, child));
        // There are at most 256 children.
        let healthy = u16::try_from(healthy.count()).unwrap_or(u16::MAX);
        let is_healthy = (healthy >= *threshold) != now.turned_round;
        let standing = Standing {
            health: match is_healthy {
                true => Health::Healthy,
                false => Health::Unhealthy,
            },
            reason: Reason::Children {
                healthy,
                threshold: *threshold,
            },
            ..*now
        };
        let before = self.calculated.insert(check.id.clone(), standing);
        before.unwrap_or(*now) != standing
    }

    /// Whether a child counts as healthy, as one does that there is none of.
    fn counts(&self, state: &State, child: &HealthCheckId) -> bool {
        if let Some(up) = self.said.get(child.as_str()) {
            return *up;
        }
        let standing = self.calculated.get(child).copied();
        let standing = standing.or_else(|| Some(*state.of(child.as_str())?.1));
        standing.is_none_or(|standing| standing.health.is_healthy())
    }

    /// What answers go by then: each check of which anything is known here.
    pub(crate) fn health(&self) -> Vec<(&str, CheckState)> {
        let said = self.said.iter().map(|(id, up)| (*id, *up));
        let calculated = self.calculated.iter();
        let calculated = calculated.map(|(id, now)| (id.as_str(), now.health.is_healthy()));
        let all = said.chain(calculated.filter(|(id, _)| !self.is_said(id)));
        all.map(|(id, up)| (id, state_of(up))).collect()
    }

    /// How a check that is calculated would stand, whatever is supposed of itself.
    pub(crate) fn standing(&self, id: &str) -> Option<&Standing> {
        self.calculated.get(&HealthCheckId::new(id).ok()?)
    }

    /// Whether anything is supposed of this very check.
    pub(crate) fn is_said(&self, id: &str) -> bool {
        self.said.contains_key(id)
    }

    /// What was supposed: by id, and whether they are up.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&'a str, bool)> {
        self.said.iter().map(|(id, up)| (*id, *up))
    }
}

const fn state_of(up: bool) -> CheckState {
    if up { CheckState::Up } else { CheckState::Down }
}
