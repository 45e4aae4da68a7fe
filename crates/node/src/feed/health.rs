//! Which health checks are down, from what the tables know of them, this node was handed directly
//! and checkers found. Only what has changed is looked at, but for the first time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use meridian_answer::{CheckState, HashKey, Health};
use meridian_health::Places;
use meridian_log::{ReadError, Snapshot};
use meridian_model::{
    AccountId, BreakGlass, Effect, HealthCheck, HealthCheckId, HealthSwitch, ProbeRights, Reason,
    Seq, Standing, Standings, State as _, TaggedKind, TaggedResource, Timestamp,
};

use crate::break_glass::BreakGlassFile;
use crate::checkers::{Checks, Findings, Marks, State};
use crate::condition::{Condition, HealthCounts};

/// What a run of entries asks to be looked at again.
#[derive(Default)]
pub(super) struct Touched {
    checks: BTreeSet<HealthCheckId>,
    switches: BTreeSet<HealthCheckId>,
    controls: BTreeSet<String>,
    /// Accounts have rights to what is probed.
    accounts: BTreeSet<AccountId>,
    /// Some tags of checks say how they are probed and what they are called.
    tags: BTreeSet<HealthCheckId>,
}

/// What the health of the World is made of, and how much of it is in the World.
pub(super) struct Source {
    condition: Arc<Condition>,
    break_glass: Option<Arc<BreakGlassFile>>,
    standings: Standings,
    /// The same as it was told last.
    told: Told,
    switches: HashMap<HealthCheckId, HealthSwitch>,
    rights: Arc<HashMap<AccountId, ProbeRights>>,
    known_through: Seq,
    /// The revision of the documents that was read.
    revision: Option<u64>,
    documents: Vec<BreakGlass>,
    /// When what was read stops being so.
    until: Option<Timestamp>,
    /// What checkers found, as far as it was read.
    findings: Arc<Findings>,
}

/// What is on the board.
#[derive(Default)]
struct Told {
    checks: Checks,
    standings: Places<Standing>,
    said: Arc<HashMap<HealthCheckId, String>>,
    marks: Marks,
    counts: HealthCounts,
}

impl Touched {
    /// Takes note of an effect, if it is about any of this.
    pub(super) fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::PutHealthCheck(check) => {
                self.checks.insert(check.id.clone());
            }
            Effect::DeleteHealthCheck(id) => {
                self.checks.insert(id.clone());
            }
            Effect::PutHealthSwitch(switch) => {
                self.switches.insert(switch.check.clone());
            }
            Effect::DeleteHealthSwitch(id) => {
                self.switches.insert(id.clone());
            }
            Effect::PutRoutingControl(control) => {
                self.controls.insert(control.arn.clone());
            }
            Effect::PutAccount(account) => {
                self.accounts.insert(account.id.clone());
            }
            Effect::DeleteAccount(id) => {
                self.accounts.insert(id.clone());
            }
            Effect::PutTags(set) => self.tags.extend(Marks::check_of(&set.resource)),
            _ => {}
        }
    }

    /// Whether there is nothing to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.checks.is_empty()
            && self.switches.is_empty()
            && self.controls.is_empty()
            && self.accounts.is_empty()
            && self.tags.is_empty()
    }
}

impl Source {
    /// The tables, and what checkers say to `condition`. What was read is told to it.
    pub(super) fn new(condition: Arc<Condition>) -> Self {
        Self {
            condition,
            break_glass: None,
            standings: Standings::default(),
            told: Told::default(),
            switches: HashMap::new(),
            rights: Arc::default(),
            known_through: Seq(0),
            revision: None,
            documents: Vec::new(),
            until: None,
            findings: Arc::default(),
        }
    }

    /// The rights of accounts to what is connected to on their behalf, and to what host names elsewhere
    /// lead to; the others have the least.
    pub(super) fn rights(&self) -> &Arc<HashMap<AccountId, ProbeRights>> {
        &self.rights
    }

    /// Documents of this file too.
    pub(super) fn heed(&mut self, break_glass: Arc<BreakGlassFile>) {
        self.break_glass = Some(break_glass);
    }

    /// Where documents come from.
    pub(super) fn break_glass(&self) -> Option<&Arc<BreakGlassFile>> {
        self.break_glass.as_ref()
    }

    /// Whether a document came since it was read, the time of one is over, or checkers found
    /// something else.
    pub(super) fn is_outdated(&self, now: Timestamp) -> bool {
        let found = self.condition.board().findings().revision;
        let handed = self.break_glass.as_ref().map(|file| file.revision());
        found != self.findings.revision
            || handed != self.revision
            || self.until.is_some_and(|until| until <= now)
    }

    /// The checks that are down at this moment, with the tables read as a whole.
    pub(super) fn read(
        &mut self,
        snapshot: &Snapshot,
        key: HashKey,
        now: Timestamp,
    ) -> Result<Health, ReadError> {
        self.follow_checks(snapshot.health_checks()?);
        let mut standings = Standings::default();
        for check in self.told.checks.iter() {
            standings.put(Arc::clone(check));
        }
        for control in snapshot.routing_controls()? {
            standings.turn(&control);
        }
        self.switches.clear();
        for switch in snapshot.health_switches()? {
            standings.switch(&switch.check, Some(switch.health));
            self.switches.insert(switch.check.clone(), switch);
        }
        let accounts = snapshot.accounts()?.into_iter();
        let rights = accounts.map(|account| (account.probe_rights(), account.id));
        let more = rights.filter(|(rights, _)| *rights != ProbeRights::Public);
        let rights: HashMap<_, _> = more.map(|(rights, id)| (id, rights)).collect();
        if *self.rights != rights {
            self.rights = Arc::new(rights);
        }
        self.told.marks = Marks::read(snapshot)?;
        self.known_through = snapshot.head().seq;
        // All is decided anew, by whatever was handed over and found.
        self.standings = standings;
        self.told.standings = Places::default();
        self.told.counts = HealthCounts::default();
        self.revision = None;
        self.documents.clear();
        self.told.said = Arc::new(self.said(now));
        self.findings = Arc::default();
        self.take_up(now);
        let down = self.told.standings.iter();
        let down = down.filter(|(_, standing)| !standing.health.is_healthy());
        let down = down.filter_map(|(slot, _)| self.standings.check(slot));
        Ok(Health::of_down(key, down.map(|check| check.id.as_str())))
    }

    /// These are all the checks. What is the same as before stays where it is, so that those who
    /// go by it have nothing to do.
    fn follow_checks(&mut self, checks: Vec<HealthCheck>) {
        let (before, now) = (
            self.told.checks.clone(),
            checks.into_iter().collect::<Checks>(),
        );
        for (gone, new) in now.differences(&before) {
            match (gone, new) {
                (_, Some(check)) => self.told.checks.put(check),
                (Some(gone), None) => self.told.checks.take(gone.slot.slot),
                (None, None) => {}
            }
        }
    }

    /// The checks that are down at this moment, when these were before and this was touched in the
    /// tables; none if they are the same.
    pub(super) fn follow(
        &mut self,
        snapshot: &Snapshot,
        touched: &Touched,
        before: &Health,
        now: Timestamp,
    ) -> Result<Option<Health>, ReadError> {
        // Looked for before anything is put in: another check may take the place.
        let is_down = |id: &&HealthCheckId| {
            let slot = self.standings.place(id);
            let standing = slot.and_then(|slot| self.standings.standing(slot));
            standing.is_some_and(|standing| !standing.health.is_healthy())
        };
        let mut gone: Vec<&HealthCheckId> = touched.checks.iter().filter(is_down).collect();
        for id in &touched.checks {
            let slot = self.standings.place(id);
            let check = snapshot.health_check(id)?;
            if self.told.checks.of(id.as_str()).map(|known| &**known) == check.as_ref() {
                continue;
            }
            match (check.map(Arc::new), slot) {
                (Some(check), _) => {
                    self.told.checks.put(&check);
                    self.standings.put(check);
                }
                (None, Some(slot)) => {
                    self.told.checks.take(slot);
                    self.standings.remove(id);
                }
                (None, None) => {}
            }
        }
        for id in &touched.switches {
            let switch = snapshot.health_switch(id)?;
            let says = switch.as_ref().map(|switch| switch.health);
            self.standings.switch(id, says);
            match switch {
                Some(switch) => self.switches.insert(id.clone(), switch),
                None => self.switches.remove(id),
            };
        }
        if !touched.switches.is_empty() {
            self.told.said = Arc::new(self.said(now));
        }
        for arn in &touched.controls {
            if let Some(control) = snapshot.routing_control(arn)? {
                self.standings.turn(&control);
            }
        }
        self.follow_accounts(snapshot, &touched.accounts)?;
        for id in &touched.tags {
            let resource = TaggedResource {
                kind: TaggedKind::HealthCheck,
                id: id.to_string(),
            };
            let tags = snapshot.tags(&resource)?;
            self.told.marks.put(id, &tags);
        }
        self.known_through = snapshot.head().seq;
        gone.retain(|id| self.standings.place(id).is_none());
        let gone: Vec<_> = gone
            .into_iter()
            .map(|id| (id.clone(), CheckState::Up))
            .collect();
        Ok(self.after(gone, before, now))
    }

    fn follow_accounts(
        &mut self,
        snapshot: &Snapshot,
        accounts: &BTreeSet<AccountId>,
    ) -> Result<(), ReadError> {
        for id in accounts {
            let rights = snapshot.probe_rights(id)?;
            let more = (rights != ProbeRights::Public).then_some(rights);
            if self.rights.get(id).copied() == more {
                continue;
            }
            let all = Arc::make_mut(&mut self.rights);
            match more {
                Some(rights) => all.insert(id.clone(), rights),
                None => all.remove(id),
            };
        }
        Ok(())
    }

    /// The checks that are down at this moment, as far as the tables have been read, when these
    /// were before; none if they are the same.
    pub(super) fn at(&mut self, before: &Health, now: Timestamp) -> Option<Health> {
        self.after(Vec::new(), before, now)
    }

    /// Likewise when these have become something else already.
    fn after(
        &mut self,
        mut flipped: Vec<(HealthCheckId, CheckState)>,
        before: &Health,
        now: Timestamp,
    ) -> Option<Health> {
        flipped.extend(self.take_up(now));
        let each = flipped.iter().map(|(id, state)| (id.as_str(), *state));
        (!flipped.is_empty()).then(|| before.with_all(each))
    }

    /// Takes up what was handed over and found, and leaves on the board how the checks stand.
    /// Returns those that stand otherwise; one that is new was up for answers before.
    fn take_up(&mut self, now: Timestamp) -> Vec<(HealthCheckId, CheckState)> {
        self.take_documents(now);
        let findings = self.condition.board().findings();
        for slot in findings.differences(&self.findings) {
            self.standings.observe(slot);
        }
        self.findings = findings;
        let concerned = self.standings.settle(|slot| self.findings.of(slot));
        let flipped = concerned.into_iter().filter_map(|slot| {
            let state = self.told.stand(slot, self.standings.standing(slot))?;
            Some((self.standings.check(slot)?.id.clone(), state))
        });
        let flipped = flipped.collect();
        self.condition.health_is(self.told.counts);
        let state = State {
            checks: self.told.checks.clone(),
            standings: self.told.standings.clone(),
            said: Arc::clone(&self.told.said),
            rights: Arc::clone(&self.rights),
            marks: self.told.marks.clone(),
            known_through: self.known_through,
            documents: self.revision,
        };
        self.condition.board().post_state(state, now);
        flipped
    }

    fn take_documents(&mut self, now: Timestamp) {
        let handed = self.break_glass.as_ref().map(|file| file.revision());
        if handed == self.revision && self.until.is_none_or(|until| now < until) {
            return;
        }
        // A document that comes between the two is read again.
        self.revision = handed;
        let file = self.break_glass.as_ref();
        self.documents = file.map(|file| file.documents()).unwrap_or_default();
        let times = self.documents.iter().map(|document| document.expires_at);
        self.until = times.filter(|time| *time > now).min();
        self.standings.hand_over(&self.documents, now);
        self.told.said = Arc::new(self.said(now));
    }

    /// Why people switched checks.
    fn said(&self, now: Timestamp) -> HashMap<HealthCheckId, String> {
        let switched = self.switches.values();
        let switched = switched.map(|switch| (switch.check.clone(), switch.reason.clone()));
        let handed = self.documents.iter();
        let handed =
            handed.filter(|document| document.health.is_some() && document.expires_at > now);
        let handed = handed.map(|document| (document.check.clone(), document.reason.clone()));
        // Of a check that is in both the latter counts.
        switched.chain(handed).collect()
    }
}

impl Told {
    /// The check in this place stands so; it is gone if there is none. Says what it is for answers
    /// if that is something else than before.
    fn stand(&mut self, slot: u32, now: Option<Standing>) -> Option<CheckState> {
        let before = match now {
            Some(now) => self.standings.put(slot, now),
            None => self.standings.take(slot),
        };
        if let Some(before) = &before {
            weigh(&mut self.counts, before, usize::saturating_sub);
        }
        let now = now?;
        weigh(&mut self.counts, &now, usize::saturating_add);
        // Of another check that had the place nothing is taken over.
        let before = before.filter(|before| before.slot == now.slot);
        let was_up = before.is_none_or(|before| before.health.is_healthy());
        let is_up = now.health.is_healthy();
        (was_up != is_up).then_some(if is_up {
            CheckState::Up
        } else {
            CheckState::Down
        })
    }
}

/// Counts a check as it stands, or no more, by what adds or takes away.
fn weigh(counts: &mut HealthCounts, standing: &Standing, by: fn(usize, usize) -> usize) {
    let is_up = standing.health.is_healthy();
    counts.healthy = by(counts.healthy, usize::from(is_up));
    counts.unhealthy = by(counts.unhealthy, usize::from(!is_up));
    let (switched, break_glass) = (
        standing.reason == Reason::Switched,
        standing.reason == Reason::BreakGlass,
    );
    counts.switched = by(counts.switched, usize::from(switched));
    counts.break_glass = by(counts.break_glass, usize::from(break_glass));
}
