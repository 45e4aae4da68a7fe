//! What the outcome of every check is, kept up: whoever knows what has changed says so, and only
//! what that concerns is decided again. What decides an outcome is the same whatever was before, so
//! the same facts give the same outcomes on every node.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use super::{
    BreakGlass, ControlState, Health, HealthCheck, HealthSlot, HealthSubject, Reason,
    RoutingControl, Standing, WithoutData,
};
use crate::facts::Timestamp;
use crate::id::HealthCheckId;

/// The outcomes of all checks.
///
/// A change is one of the methods, and takes effect with the next [`settle`](Self::settle). That
/// takes time in proportion to the checks that are concerned and their children: those that were
/// named since the last time, and all that are calculated from them.
///
/// Children that are not among the checks count as healthy, as everywhere where a check is named
/// that is gone. There are no loops; if a journal had one, the child that closes it would count as
/// healthy too.
#[derive(Debug, Default)]
pub struct Standings {
    /// By place.
    entries: Vec<Option<Entry>>,
    by_id: HashMap<HealthCheckId, u32>,
    /// Who is calculated from a check, whether that is there or not.
    parents: HashMap<HealthCheckId, Vec<u32>>,
    /// Who goes by a routing control, by its ARN.
    users: HashMap<String, Vec<u32>>,
    /// How routing controls were turned, by their ARNs.
    controls: HashMap<String, Health>,
    /// What the journal says by hand.
    switches: HashMap<HealthCheckId, Health>,
    /// What this node was handed directly, as far as it is in force.
    documents: HashMap<HealthCheckId, Health>,
    /// What is to be decided again; some more than once, some gone.
    stale: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    check: Arc<HealthCheck>,
    outcome: Outcome,
}

/// How far one check is.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Unknown,
    /// Its children come first.
    Sought,
    Known(Standing),
}

impl Standings {
    /// A check as it is from now on. Whatever had its place is gone.
    pub fn put(&mut self, check: Arc<HealthCheck>) {
        self.remove(&check.id);
        let slot = check.slot.slot;
        if let Some(former) = self.check(slot).map(|former| former.id.clone()) {
            self.remove(&former);
        }
        let at = slot as usize;
        if self.entries.len() <= at {
            self.entries.resize_with(at + 1, || None);
        }
        match &check.config.subject {
            HealthSubject::Calculated { children, .. } => {
                for child in children {
                    self.parents.entry(child.clone()).or_default().push(slot);
                }
            }
            HealthSubject::RoutingControl(arn) => {
                self.users.entry(arn.clone()).or_default().push(slot);
            }
            HealthSubject::Endpoint(_) | HealthSubject::Metric { .. } => {}
        }
        self.by_id.insert(check.id.clone(), slot);
        self.entries[at] = Some(Entry {
            check,
            outcome: Outcome::Unknown,
        });
        self.stale.push(slot);
    }

    /// A check is gone, if it was there.
    pub fn remove(&mut self, check: &HealthCheckId) {
        let Some(slot) = self.by_id.remove(check) else {
            return;
        };
        let entry = self.entries[slot as usize].take();
        match entry.as_ref().map(|entry| &entry.check.config.subject) {
            Some(HealthSubject::Calculated { children, .. }) => {
                for child in children {
                    leave(&mut self.parents, child, slot);
                }
            }
            Some(HealthSubject::RoutingControl(arn)) => leave(&mut self.users, arn, slot),
            _ => {}
        }
        self.stale.push(slot);
        self.stale
            .extend(self.parents.get(check).into_iter().flatten());
    }

    /// The journal says this of a check by hand; nothing any more if there is none.
    pub fn switch(&mut self, check: &HealthCheckId, says: Option<Health>) {
        match says {
            Some(health) => self.switches.insert(check.clone(), health),
            None => self.switches.remove(check),
        };
        self.stale.extend(self.by_id.get(check));
    }

    /// These are all the documents that this node was handed, at this time.
    pub fn hand_over(&mut self, documents: &[BreakGlass], now: Timestamp) {
        let said = in_force(documents, now);
        let said = said.filter_map(|document| Some((document.check.clone(), document.health?)));
        let before = mem::replace(&mut self.documents, said.collect());
        for check in before.keys().chain(self.documents.keys()) {
            if before.get(check) != self.documents.get(check) {
                self.stale.extend(self.by_id.get(check));
            }
        }
    }

    /// A routing control is turned this way.
    pub fn turn(&mut self, control: &RoutingControl) {
        let health = control.state.health();
        self.controls.insert(control.arn.clone(), health);
        self.stale
            .extend(self.users.get(&control.arn).into_iter().flatten());
    }

    /// Something else may be observed of the check in this place.
    pub fn observe(&mut self, slot: u32) {
        self.stale.push(slot);
    }

    /// Decides what is to be decided, by what is observed of checks. Returns the places of which
    /// the outcome may be another one, each once: see [`standing`](Self::standing).
    pub fn settle(&mut self, observed: impl Fn(HealthSlot) -> Option<Health>) -> Vec<u32> {
        let mut concerned = mem::take(&mut self.stale);
        concerned.sort_unstable();
        concerned.dedup();
        for slot in &concerned {
            self.forget(*slot);
        }
        // Each is put in once: what is unknown is in already.
        let mut at = 0;
        while let Some(&slot) = concerned.get(at) {
            at += 1;
            for parent in self.parents_of(slot) {
                if self.forget(parent) {
                    concerned.push(parent);
                }
            }
        }
        let mut stack = Vec::new();
        for slot in &concerned {
            stack.push(*slot);
            self.reach(&mut stack, &observed);
        }
        concerned
    }

    /// How the check in this place stands since it was settled.
    pub fn standing(&self, slot: u32) -> Option<Standing> {
        match self.entry(slot)?.outcome {
            Outcome::Known(standing) => Some(standing),
            Outcome::Unknown | Outcome::Sought => None,
        }
    }

    /// The check in this place.
    pub fn check(&self, slot: u32) -> Option<&Arc<HealthCheck>> {
        Some(&self.entry(slot)?.check)
    }

    /// The place of a check.
    pub fn place(&self, check: &HealthCheckId) -> Option<u32> {
        self.by_id.get(check).copied()
    }

    fn entry(&self, slot: u32) -> Option<&Entry> {
        self.entries.get(slot as usize)?.as_ref()
    }

    fn parents_of(&self, slot: u32) -> Vec<u32> {
        let parents = self
            .check(slot)
            .and_then(|check| self.parents.get(&check.id));
        parents.cloned().unwrap_or_default()
    }

    /// Says whether its outcome was known.
    fn forget(&mut self, slot: u32) -> bool {
        let entry = self.entries.get_mut(slot as usize).and_then(Option::as_mut);
        let before = entry.map(|entry| mem::replace(&mut entry.outcome, Outcome::Unknown));
        matches!(before, Some(Outcome::Known(_)))
    }

    /// Decides the check on the stack, its children before it. Each check is put on the stack by
    /// each parent at most, and opened once.
    fn reach(&mut self, stack: &mut Vec<u32>, observed: &impl Fn(HealthSlot) -> Option<Health>) {
        while let Some(&slot) = stack.last() {
            let outcome = self.entry(slot).map(|entry| entry.outcome);
            let next = match outcome {
                None | Some(Outcome::Known(_)) => {
                    stack.pop();
                    continue;
                }
                Some(Outcome::Unknown) => {
                    self.await_children(slot, stack);
                    Outcome::Sought
                }
                Some(Outcome::Sought) => {
                    stack.pop();
                    match self.check(slot) {
                        Some(check) => Outcome::Known(self.decide(check, observed)),
                        None => continue,
                    }
                }
            };
            if let Some(entry) = &mut self.entries[slot as usize] {
                entry.outcome = next;
            }
        }
    }

    /// Puts the children on the stack that have to be decided before the check.
    fn await_children(&self, slot: u32, stack: &mut Vec<u32>) {
        let Some(check) = self.check(slot) else {
            return;
        };
        if check.config.disabled || self.by_hand(check).is_some() {
            return;
        }
        let children = check.config.children().iter();
        let known = children.filter_map(|child| self.place(child));
        let is_unknown = |child: &u32| {
            let entry = self.entry(*child);
            entry.is_some_and(|entry| matches!(entry.outcome, Outcome::Unknown))
        };
        stack.extend(known.filter(is_unknown));
    }

    fn decide(
        &self,
        check: &HealthCheck,
        observed: &impl Fn(HealthSlot) -> Option<Health>,
    ) -> Standing {
        if let Some((health, reason)) = self.by_hand(check) {
            return Standing {
                slot: check.slot,
                health,
                reason,
                turned_round: false,
            };
        }
        let (health, reason) = self.upright(check, observed);
        let turned_round = check.config.inverted;
        Standing {
            slot: check.slot,
            health: if turned_round {
                health.turned_round()
            } else {
                health
            },
            reason,
            turned_round,
        }
    }

    /// What people say.
    fn by_hand(&self, check: &HealthCheck) -> Option<(Health, Reason)> {
        let document = self.documents.get(&check.id).copied();
        let document = document.map(|health| (health, Reason::BreakGlass));
        document.or_else(|| {
            let switch = self.switches.get(&check.id).copied();
            switch.map(|health| (health, Reason::Switched))
        })
    }

    /// The outcome before it is turned round.
    fn upright(
        &self,
        check: &HealthCheck,
        observed: &impl Fn(HealthSlot) -> Option<Health>,
    ) -> (Health, Reason) {
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
                return match self.controls.get(arn) {
                    Some(health) => (*health, Reason::RoutingControl),
                    None => (ControlState::Off.health(), Reason::UnturnedControl),
                };
            }
            HealthSubject::Endpoint(_) => None,
        };
        match (observed(check.slot), without_data) {
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
        let standing = self.place(child).and_then(|slot| self.standing(slot));
        standing.is_none_or(|standing| standing.health.is_healthy())
    }
}

/// Takes a place out of a list, and the list if that was the last.
fn leave<K, Q>(lists: &mut HashMap<K, Vec<u32>>, key: &Q, slot: u32)
where
    K: std::borrow::Borrow<Q> + Eq + std::hash::Hash,
    Q: Eq + std::hash::Hash + ?Sized,
{
    if let Some(list) = lists.get_mut(key) {
        list.retain(|other| *other != slot);
        if list.is_empty() {
            lists.remove(key);
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
