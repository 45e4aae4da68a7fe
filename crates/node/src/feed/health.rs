//! Which health checks are down, from what the tables know of them, this node was handed directly
//! and checkers found.

use std::collections::HashMap;
use std::sync::Arc;

use meridian_answer::{HashKey, Health};
use meridian_log::{ReadError, Snapshot};
use meridian_model::{
    AccountId, BreakGlass, HealthCheck, HealthCheckId, HealthSwitch, Observed, ProbeRights, Reason,
    RoutingControl, Seq, Standing, Timestamp, standings,
};

use crate::break_glass::BreakGlassFile;
use crate::checkers::{Findings, Marks, State};
use crate::condition::{Condition, HealthCounts};

/// What the health of the World is made of, and how much of it is in the World.
pub(super) struct Source {
    condition: Arc<Condition>,
    break_glass: Option<Arc<BreakGlassFile>>,
    /// As the tables had them at the last look.
    checks: Arc<Vec<HealthCheck>>,
    switches: Vec<HealthSwitch>,
    controls: Vec<RoutingControl>,
    rights: Arc<HashMap<AccountId, ProbeRights>>,
    marks: Arc<Marks>,
    known_through: Seq,
    /// The revision of the documents that was read.
    revision: u64,
    /// When what was read stops being so.
    until: Option<Timestamp>,
    /// What checkers found, as far as it was read.
    findings: Arc<Findings>,
}

impl Source {
    /// The tables, and what checkers say to `condition`. What was read is told to it.
    pub(super) fn new(condition: Arc<Condition>) -> Self {
        let findings = condition.board().findings();
        Self {
            condition,
            break_glass: None,
            checks: Arc::default(),
            switches: Vec::new(),
            controls: Vec::new(),
            rights: Arc::default(),
            marks: Arc::default(),
            known_through: Seq(0),
            revision: 0,
            until: None,
            findings,
        }
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
            || handed.is_some_and(|revision| revision != self.revision)
            || self.until.is_some_and(|until| until <= now)
    }

    /// The checks that are down at this moment, with the tables read again.
    pub(super) fn read(
        &mut self,
        snapshot: &Snapshot,
        key: HashKey,
        now: Timestamp,
    ) -> Result<Health, ReadError> {
        let checks = snapshot.health_checks()?;
        self.switches = snapshot.health_switches()?;
        self.controls = snapshot.routing_controls()?;
        let accounts = snapshot.accounts()?.into_iter();
        let rights = accounts.map(|account| (account.probe_rights(), account.id));
        let more = rights.filter(|(rights, _)| *rights != ProbeRights::Public);
        let rights: HashMap<_, _> = more.map(|(rights, id)| (id, rights)).collect();
        if *self.rights != rights {
            self.rights = Arc::new(rights);
        }
        let marks = Marks::read(snapshot)?;
        if *self.marks != marks {
            self.marks = Arc::new(marks);
        }
        self.known_through = snapshot.head().seq;
        if *self.checks != checks {
            self.checks = Arc::new(checks);
        }
        Ok(self.at(key, now))
    }

    /// The checks that are down at this moment, as far as the tables have been read. It takes the
    /// same time whatever became of how many.
    pub(super) fn at(&mut self, key: HashKey, now: Timestamp) -> Health {
        let documents = self.documents(now);
        self.findings = self.condition.board().findings();
        let standings = standings(
            &self.checks,
            &Observed {
                switches: &self.switches,
                break_glass: &documents,
                now,
                controls: &self.controls,
                votes: &self.findings.votes,
            },
        );
        self.condition.health_is(count(&standings));
        let down = self.checks.iter().zip(&standings);
        let down = down.filter(|(_, standing)| !standing.health.is_healthy());
        let health = Health::of_down(key, down.map(|(check, _)| check.id.as_str()));
        let state = State {
            checks: Arc::clone(&self.checks),
            said: self.said(&documents, now),
            rights: Arc::clone(&self.rights),
            marks: Arc::clone(&self.marks),
            known_through: self.known_through,
            standings,
        };
        self.condition.board().post_state(state, now);
        health
    }

    fn documents(&mut self, now: Timestamp) -> Vec<BreakGlass> {
        let mut documents = Vec::new();
        if let Some(file) = &self.break_glass {
            // A document that comes between the two is read again.
            self.revision = file.revision();
            documents = file.documents();
        }
        let times = documents.iter().map(|document| document.expires_at);
        self.until = times.filter(|time| *time > now).min();
        documents
    }

    /// Why people switched checks.
    fn said(&self, documents: &[BreakGlass], now: Timestamp) -> HashMap<HealthCheckId, String> {
        let switched = self.switches.iter();
        let switched = switched.map(|switch| (switch.check.clone(), switch.reason.clone()));
        let handed = documents.iter();
        let handed =
            handed.filter(|document| document.health.is_some() && document.expires_at > now);
        let handed = handed.map(|document| (document.check.clone(), document.reason.clone()));
        // Of a check that is in both the latter counts.
        switched.chain(handed).collect()
    }
}

fn count(standings: &[Standing]) -> HealthCounts {
    let mut counts = HealthCounts::default();
    for standing in standings {
        counts.healthy += usize::from(standing.health.is_healthy());
        counts.unhealthy += usize::from(!standing.health.is_healthy());
        counts.switched += usize::from(standing.reason == Reason::Switched);
        counts.break_glass += usize::from(standing.reason == Reason::BreakGlass);
    }
    counts
}
