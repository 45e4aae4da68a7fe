//! What the outcome of every check is, and why: from the checks, the switches and what was
//! observed. The same facts give the same outcomes on every node.

use std::collections::HashMap;

use super::{
    BreakGlass, ControlState, Health, HealthCheck, HealthSlot, HealthSubject, HealthSwitch,
    RoutingControl, WithoutData,
};
use crate::facts::Timestamp;
use crate::id::HealthCheckId;

/// A check's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub slot: HealthSlot,
    /// What it is.
    pub health: Health,
    /// By what it is decided.
    pub reason: Reason,
    /// It was turned round after that, because the check is inverted. Switches are not turned.
    pub turned_round: bool,
}

/// By what an outcome is decided. What comes first here is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A switch that this node was handed directly.
    BreakGlass,
    /// A switch in the journal.
    Switched,
    /// The check is disabled, which is healthy.
    Disabled,
    /// How many children are healthy, and have to be.
    Children {
        /// That are healthy.
        healthy: u16,
        /// That have to be.
        threshold: u16,
    },
    /// A routing control, which somebody turned so.
    RoutingControl,
    /// A routing control that nobody ever turned, which is off.
    UnturnedControl,
    /// What was observed.
    Observed,
    /// Nothing was observed of a metric, and the check says what that is to be.
    WithoutData,
    /// Nothing was observed yet, which is healthy.
    Unobserved,
}

/// What is known beside the checks themselves.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The switches in the journal.
    pub switches: &'a [HealthSwitch],
    /// Those that this node was handed directly.
    pub break_glass: &'a [BreakGlass],
    /// When.
    pub now: Timestamp,
    /// The routing controls that were ever turned.
    pub controls: &'a [RoutingControl],
    /// What was observed of the checks in these places.
    pub votes: &'a HashMap<HealthSlot, Health>,
}

/// The outcomes of all checks, in their order. It takes time in proportion to the number of checks
/// and of their children.
///
/// Children that are not among the checks count as healthy, as everywhere where a check is named
/// that is gone. There are no loops; if a journal had one, the child that closes it would count as
/// healthy too.
pub fn standings(checks: &[HealthCheck], observed: &Observed<'_>) -> Vec<Standing> {
    let mut evaluation = Evaluation::new(checks, observed);
    for index in 0..checks.len() {
        evaluation.reach(index);
    }
    let places = checks.iter().zip(evaluation.outcomes);
    places
        .filter_map(|(check, outcome)| match outcome {
            Outcome::Known(outcome) => Some(outcome.standing(check.slot)),
            Outcome::Unknown | Outcome::Sought => None,
        })
        .collect()
}

/// How far one check is.
#[derive(Clone, Copy)]
enum Outcome {
    Unknown,
    /// Its children come first.
    Sought,
    Known(Decided),
}

#[derive(Clone, Copy)]
struct Decided {
    health: Health,
    reason: Reason,
    turned_round: bool,
}

impl Decided {
    const fn standing(self, slot: HealthSlot) -> Standing {
        Standing {
            slot,
            health: self.health,
            reason: self.reason,
            turned_round: self.turned_round,
        }
    }
}

struct Evaluation<'a> {
    checks: &'a [HealthCheck],
    votes: &'a HashMap<HealthSlot, Health>,
    by_id: HashMap<&'a HealthCheckId, usize>,
    /// How routing controls are turned, by their ARNs.
    controls: HashMap<&'a str, Health>,
    /// What is decided by hand.
    switched: HashMap<&'a HealthCheckId, (Health, Reason)>,
    outcomes: Vec<Outcome>,
}

impl<'a> Evaluation<'a> {
    fn new(checks: &'a [HealthCheck], observed: &Observed<'a>) -> Self {
        let by_id = checks.iter().enumerate();
        let switches = observed.switches.iter();
        let mut switched: HashMap<_, _> = switches
            .map(|switch| (&switch.check, (switch.health, Reason::Switched)))
            .collect();
        for document in in_force(observed.break_glass, observed.now) {
            if let Some(health) = document.health {
                switched.insert(&document.check, (health, Reason::BreakGlass));
            }
        }
        Self {
            checks,
            votes: observed.votes,
            controls: observed
                .controls
                .iter()
                .map(|control| (control.arn.as_str(), control.state.health()))
                .collect(),
            by_id: by_id.map(|(index, check)| (&check.id, index)).collect(),
            switched,
            outcomes: vec![Outcome::Unknown; checks.len()],
        }
    }

    /// Decides a check, its children before it. Each check is put on the stack by each parent at
    /// most, and opened once.
    fn reach(&mut self, index: usize) {
        let mut stack = vec![index];
        while let Some(&at) = stack.last() {
            match self.outcomes[at] {
                Outcome::Known(_) => {
                    stack.pop();
                }
                Outcome::Unknown => {
                    self.outcomes[at] = Outcome::Sought;
                    stack.extend(self.awaited(at));
                }
                Outcome::Sought => {
                    self.outcomes[at] = Outcome::Known(self.decide(at));
                    stack.pop();
                }
            }
        }
    }

    /// The children that have to be decided before the check.
    fn awaited(&self, at: usize) -> Vec<usize> {
        let check = &self.checks[at];
        if check.config.disabled || self.switched.contains_key(&check.id) {
            return Vec::new();
        }
        let children = check.config.children().iter();
        let known = children.filter_map(|child| self.by_id.get(child).copied());
        known
            .filter(|child| matches!(self.outcomes[*child], Outcome::Unknown))
            .collect()
    }

    fn decide(&self, at: usize) -> Decided {
        let check = &self.checks[at];
        if let Some((health, reason)) = self.switched.get(&check.id).copied() {
            return Decided {
                health,
                reason,
                turned_round: false,
            };
        }
        let (health, reason) = self.upright(check);
        let turned_round = check.config.inverted;
        Decided {
            health: if turned_round {
                health.turned_round()
            } else {
                health
            },
            reason,
            turned_round,
        }
    }

    /// The outcome before it is turned round.
    fn upright(&self, check: &HealthCheck) -> (Health, Reason) {
        if check.config.disabled {
            return (Health::Healthy, Reason::Disabled);
        }
        let without_data = match &check.config.subject {
            HealthSubject::Calculated {
                threshold,
                children,
            } => return self.calculated(*threshold, children),
            HealthSubject::Metric { without_data, .. } => Some(*without_data),
            HealthSubject::RoutingControl(arn) => {
                return match self.controls.get(arn.as_str()) {
                    Some(health) => (*health, Reason::RoutingControl),
                    None => (ControlState::Off.health(), Reason::UnturnedControl),
                };
            }
            HealthSubject::Endpoint(_) => None,
        };
        match (self.votes.get(&check.slot).copied(), without_data) {
            (Some(health), _) => (health, Reason::Observed),
            (None, Some(WithoutData::Unhealthy)) => (Health::Unhealthy, Reason::WithoutData),
            // Once there are observations, the last one stays until there is another.
            (None, Some(WithoutData::Healthy | WithoutData::LastKnown)) => {
                (Health::Healthy, Reason::WithoutData)
            }
            (None, None) => (Health::Healthy, Reason::Unobserved),
        }
    }

    fn calculated(&self, threshold: u16, children: &[HealthCheckId]) -> (Health, Reason) {
        let healthy = children.iter().filter(|child| self.counts(child)).count();
        // There are at most 256 children.
        let healthy = u16::try_from(healthy).unwrap_or(u16::MAX);
        let health = if healthy >= threshold {
            Health::Healthy
        } else {
            Health::Unhealthy
        };
        (health, Reason::Children { healthy, threshold })
    }

    fn counts(&self, child: &HealthCheckId) -> bool {
        let outcome = self.by_id.get(child).map(|index| self.outcomes[*index]);
        match outcome {
            Some(Outcome::Known(decided)) => decided.health.is_healthy(),
            Some(Outcome::Unknown | Outcome::Sought) | None => true,
        }
    }
}

/// For each check the document of the highest version, unless its time is over: then none of the
/// older ones comes back either.
fn in_force(documents: &[BreakGlass], now: Timestamp) -> impl Iterator<Item = &BreakGlass> {
    let mut newest: HashMap<&HealthCheckId, &BreakGlass> = HashMap::new();
    for document in documents {
        let known = newest.entry(&document.check).or_insert(document);
        if document.version > known.version {
            *known = document;
        }
    }
    newest
        .into_values()
        .filter(move |document| now < document.expires_at)
}
