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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use meridian_model::{HealthCheckConfig, HealthSlot, Standings};

    use super::*;

    /// A check by a letter: what it is, and how often it is turned round.
    #[derive(Clone, Copy)]
    enum Kind {
        Up,
        Down,
        /// So many of these have to be healthy.
        Of(u16, &'static str),
        Inverted(u16, &'static str),
        Disabled(u16, &'static str),
        /// Switched by hand to up.
        Switched(u16, &'static str),
    }
    use Kind::{Disabled, Down, Inverted, Of, Switched, Up};

    fn id(letter: char) -> HealthCheckId {
        let text = format!("{:08x}-0000-4000-8000-000000000000", u32::from(letter));
        HealthCheckId::new(&text).unwrap()
    }

    fn check(letter: char, kind: Kind) -> HealthCheck {
        let subject = match kind {
            Up | Down => HealthSubject::RoutingControl(letter.to_string()),
            Of(threshold, children)
            | Inverted(threshold, children)
            | Disabled(threshold, children)
            | Switched(threshold, children) => HealthSubject::Calculated {
                threshold,
                children: children.chars().map(id).collect(),
            },
        };
        let config = HealthCheckConfig {
            inverted: matches!(kind, Inverted(..)),
            disabled: matches!(kind, Disabled(..)),
            subject,
        };
        HealthCheck {
            id: id(letter),
            account: AccountId::new("111111111111").unwrap(),
            caller_reference: String::new(),
            version: 1,
            created_with: config.clone(),
            config,
            slot: HealthSlot {
                slot: u32::from(letter),
                incarnation: 1,
            },
        }
    }

    /// How checks stand, with these switched by hand.
    fn stand(checks: &[(char, Kind)], switched: &[(char, bool)]) -> State {
        let (mut standings, mut state) = (Standings::default(), State::default());
        let health = |up| match up {
            true => Health::Healthy,
            false => Health::Unhealthy,
        };
        for (letter, kind) in checks {
            let check = Arc::new(check(*letter, *kind));
            standings.put(Arc::clone(&check));
            match kind {
                Up | Switched(..) => standings.switch(&check.id, Some(Health::Healthy)),
                Down => standings.switch(&check.id, Some(Health::Unhealthy)),
                Of(..) | Inverted(..) | Disabled(..) => {}
            }
            state.checks.put(&check);
        }
        for (letter, up) in switched {
            standings.switch(&id(*letter), Some(health(*up)));
        }
        for slot in standings.settle(|_| None) {
            if let Some(standing) = standings.standing(slot) {
                state.standings.put(slot, standing);
            }
        }
        state
    }

    /// Which checks are down, if these are supposed.
    fn down(checks: &[(char, Kind)], supposed: &[(char, bool)]) -> String {
        let state = stand(checks, &[]);
        let said = supposed
            .iter()
            .map(|(letter, up)| (id(*letter).to_string(), *up));
        let said: Vec<_> = said.collect();
        let supposition = Supposition::of(&said, &state);
        let known: HashMap<_, _> = supposition.health().into_iter().collect();
        let is_down = |letter: &char| match known.get(id(*letter).as_str()) {
            Some(state) => *state == CheckState::Down,
            None => !state
                .of(id(*letter).as_str())
                .unwrap()
                .1
                .health
                .is_healthy(),
        };
        let letters = checks.iter().map(|(letter, _)| *letter);
        letters.filter(is_down).collect()
    }

    /// What is supposed, of which checks, and which are down then.
    type Case = (
        &'static str,
        &'static [(char, Kind)],
        &'static [(char, bool)],
        &'static str,
    );

    const A_DOWN: &[(char, bool)] = &[('a', false)];
    const A_UP: &[(char, bool)] = &[('a', true)];

    #[rustfmt::skip]
    const CASES: &[Case] = &[
        ("nothing", &[('a', Up), ('p', Of(1, "a"))], &[], ""),
        ("a child", &[('a', Up), ('p', Of(1, "a"))], A_DOWN, "ap"),
        ("a child, up", &[('a', Down), ('p', Of(1, "a"))], A_UP, ""),
        ("one of two", &[('a', Up), ('b', Up), ('p', Of(1, "ab"))], A_DOWN, "a"),
        ("both needed", &[('a', Up), ('b', Up), ('p', Of(2, "ab"))], A_DOWN, "ap"),
        ("none needed", &[('a', Up), ('p', Of(0, "a"))], A_DOWN, "a"),
        ("turned round", &[('a', Up), ('p', Inverted(1, "a"))], A_DOWN, "a"),
        ("turned round, up", &[('a', Down), ('p', Inverted(1, "a"))], A_UP, "p"),
        // The topmost has the first place.
        ("step by step", &[('p', Of(1, "q")), ('q', Of(1, "r")), ('a', Up), ('r', Of(1, "a"))], A_DOWN, "pqar"),
        ("by two ways", &[('a', Up), ('p', Of(1, "a")), ('q', Inverted(1, "a")), ('r', Of(2, "pq"))], A_DOWN, "apr"),
        ("disabled", &[('a', Up), ('p', Disabled(1, "a"))], A_DOWN, "a"),
        ("by hand", &[('a', Up), ('p', Switched(1, "a"))], A_DOWN, "a"),
        ("above one by hand", &[('a', Up), ('p', Switched(1, "a")), ('q', Of(1, "p"))], A_DOWN, "a"),
        ("one that is calculated", &[('b', Up), ('a', Of(1, "b")), ('q', Of(1, "a"))], A_DOWN, "aq"),
        ("both", &[('a', Up), ('p', Of(1, "a")), ('q', Of(1, "p"))], &[('a', false), ('p', true)], "a"),
        ("a child is gone", &[('a', Up), ('p', Of(2, "az"))], A_UP, ""),
    ];

    #[test]
    fn what_follows_from_a_supposition() {
        for (what, checks, supposed, expected) in CASES {
            assert_eq!(down(checks, supposed), *expected, "{what}");
            // As if it were so.
            let so = stand(checks, supposed);
            let letters = checks.iter().map(|(letter, _)| *letter);
            let is_down = |letter: &char| {
                let (_, now) = so.of(id(*letter).as_str()).unwrap();
                !now.health.is_healthy()
            };
            let really: String = letters.filter(is_down).collect();
            assert_eq!(really, *expected, "{what}");
        }
    }

    #[test]
    fn what_is_said_is_told_apart_from_what_follows() {
        let state = stand(&[('a', Up), ('p', Of(1, "a")), ('u', Of(1, "z"))], &[]);
        let unknown = "not-here".to_owned();
        let said = [(id('a').to_string(), false), (unknown.clone(), true)];
        let supposition = Supposition::of(&said, &state);
        assert!(supposition.is_said(id('a').as_str()) && supposition.is_said(&unknown));
        assert!(!supposition.is_said(id('p').as_str()));
        assert_eq!(supposition.standing(id('a').as_str()), None);
        let parent = supposition.standing(id('p').as_str()).unwrap();
        let none = Reason::Children {
            healthy: 0,
            threshold: 1,
        };
        assert_eq!((parent.health, parent.reason), (Health::Unhealthy, none));
        // What nobody knows is nobody's, and is answered by all the same.
        assert!(supposition.health().contains(&(&unknown, CheckState::Up)));
        let nothing = Supposition::of(&[], &state);
        assert_eq!((nothing.health(), nothing.said().count()), (Vec::new(), 0));
    }
}
