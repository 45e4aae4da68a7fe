//! Which health checks are down, from what the tables know of them, this node was handed directly
//! and checkers found.

use std::collections::HashMap;
use std::sync::Arc;

use meridian_answer::{HashKey, Health};
use meridian_log::{ReadError, Snapshot};
use meridian_model::{
    BreakGlass, HealthCheck, HealthSlot, HealthSwitch, Observed, Reason, Standing, Timestamp,
    standings,
};

use crate::break_glass::BreakGlassFile;
use crate::checkers::{Findings, Flip, Flips};
use crate::condition::{Condition, HealthCounts};

/// What the health of the World is made of, and how much of it is in the World.
pub(super) struct Source {
    condition: Arc<Condition>,
    break_glass: Option<Arc<BreakGlassFile>>,
    /// As the tables had them at the last look.
    checks: Arc<Vec<HealthCheck>>,
    switches: Vec<HealthSwitch>,
    /// The revision of the documents that was read.
    revision: u64,
    /// When what was read stops being so.
    until: Option<Timestamp>,
    /// What checkers found, as far as it was read.
    findings: Arc<Findings>,
    /// How checks stand in the World; none before the first look.
    standing: Option<HashMap<HealthSlot, meridian_model::Health>>,
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
            revision: 0,
            until: None,
            findings,
            standing: None,
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

    /// The checks that are down at this moment, with the tables read again, which is said to
    /// checkers.
    pub(super) fn read(
        &mut self,
        snapshot: &Snapshot,
        key: HashKey,
        now: Timestamp,
    ) -> Result<Health, ReadError> {
        let checks = snapshot.health_checks()?;
        self.switches = snapshot.health_switches()?;
        if *self.checks != checks || self.standing.is_none() {
            self.checks = Arc::new(checks);
            self.condition.board().post_checks(Arc::clone(&self.checks));
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
                votes: &self.findings.votes,
            },
        );
        self.condition.health_is(count(&standings));
        self.tell_flips(&standings, &documents, now);
        let down = self.checks.iter().zip(&standings);
        let down = down.filter(|(_, standing)| !standing.health.is_healthy());
        Health::of_down(key, down.map(|(check, _)| check.id.as_str()))
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

    /// Tells of checks whose state became another. Those that were not there before did not flip.
    fn tell_flips(&mut self, standings: &[Standing], documents: &[BreakGlass], now: Timestamp) {
        let is_now = standings
            .iter()
            .map(|standing| (standing.slot, standing.health));
        let Some(before) = self.standing.replace(is_now.collect()) else {
            return;
        };
        let flipped = |standing: &Standing| {
            let was = before.get(&standing.slot);
            was.is_some_and(|was| *was != standing.health)
        };
        let places = standings.iter().enumerate();
        let flips: Vec<Flip> = places
            .filter(|(_, standing)| flipped(standing))
            .map(|(check, standing)| Flip {
                check,
                standing: *standing,
                said: self.said(check, standing, documents),
            })
            .collect();
        if !flips.is_empty() {
            self.condition.board().post_flips(Flips {
                at: now,
                checks: Arc::clone(&self.checks),
                flips,
            });
        }
    }

    /// Why somebody switched the check.
    fn said(&self, check: usize, standing: &Standing, documents: &[BreakGlass]) -> String {
        let id = self.checks.get(check).map(|check| &check.id);
        let said = match standing.reason {
            Reason::Switched => {
                let mut switches = self.switches.iter();
                let found = switches.find(|switch| Some(&switch.check) == id);
                found.map(|switch| &switch.reason)
            }
            Reason::BreakGlass => {
                let mut documents = documents.iter();
                let found = documents.find(|document| Some(&document.check) == id);
                found.map(|document| &document.reason)
            }
            _ => None,
        };
        said.cloned().unwrap_or_default()
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
