//! Counting: once a second, and as soon as a checker has changed its mind, the tables of all
//! checkers are taken, and what follows from them is left on the board and on the disk.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meridian_control::{Environment, SystemEnvironment};
use meridian_health::{Damping, Guardrails, Register, Rules, State as Known, Votes};
use meridian_model::{Health, HealthCheck, HealthSlot};

use super::board::{Board, Findings, differences};
use super::last::LastFile;

/// The votes, and the guardrails behind them.
pub(crate) struct Tally {
    pub(crate) votes: Votes,
    pub(crate) damping: Damping,
    /// The checks that are counted.
    checks: Arc<Vec<HealthCheck>>,
}

/// What counts, and what it has kept.
pub(super) struct Count {
    board: Arc<Board>,
    file: LastFile,
    kept: Option<Known>,
    began: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            votes: Votes::new(Rules::ROUTE_53, Register::default()),
            damping: Damping::new(Guardrails::OFF),
            checks: Arc::default(),
        }
    }
}

impl Tally {
    /// Counts votes on these checks from now on.
    fn follow(&mut self, checks: &Arc<Vec<HealthCheck>>) {
        if Arc::ptr_eq(checks, &self.checks) {
            return;
        }
        let before = mem::replace(&mut self.checks, Arc::clone(checks));
        let (gone, new) = differences(&before, checks);
        for check in gone {
            self.votes.remove(check.slot);
            self.damping.remove(check.slot);
        }
        for check in new {
            let put = self.votes.put(check).and_then(|()| self.damping.put(check));
            if let Err(error) = put {
                tracing::error!(check = %check.id, %error, "a check is not voted on: {error}");
            }
        }
    }

    /// Takes up what was known of these checks before a restart.
    pub(super) fn restore(checks: Vec<HealthCheck>, known: &Known) -> Self {
        let mut tally = Self::default();
        tally.follow(&Arc::new(checks));
        tally.votes.restore(known);
        tally.damping.restore(known);
        tally
    }

    /// What is known of each check that anything is known of.
    pub(super) fn found(&self) -> HashMap<HealthSlot, Health> {
        let healths = self.damping.healths();
        let checks = self.checks.iter();
        let known = checks.filter_map(|check| Some((check.slot, healths.get(check.slot.slot)?)));
        known.collect()
    }
}

impl Count {
    /// Goes on from what is on the board, by these rules.
    pub(super) fn begin(
        board: Arc<Board>,
        file: LastFile,
        (rules, rails, register): (Rules, Guardrails, Register),
    ) -> Self {
        let mut tally = board.tally();
        tally.votes.set_rules(rules);
        tally.votes.register(register);
        tally.damping.set_rails(rails);
        drop(tally);
        Self {
            board,
            file,
            kept: None,
            began: Instant::now(),
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Takes these tables, and says what follows from all there are.
    pub(super) fn turn(&mut self, tables: &[Arc<[u8]>]) {
        let state = self.board.state();
        let board = Arc::clone(&self.board);
        let mut tally = board.tally();
        tally.follow(&state.checks);
        let now = self.now();
        for table in tables {
            if let Err(error) = tally.votes.take(table, now) {
                tracing::warn!(%error, "a checker's table is not counted: {error}");
            }
        }
        let Tally { votes, damping, .. } = &mut *tally;
        damping.step(votes.judge(now), now);
        let known = Known::of(votes, damping, SystemEnvironment::new().now());
        let votes = tally.found();
        drop(tally);
        board.post_findings(Findings {
            votes,
            ..Findings::default()
        });
        self.keep(known);
    }

    /// Writes it down if it is not on the disk already.
    fn keep(&mut self, known: Known) {
        let is_kept = |kept: &Known| kept.says_the_same(&known);
        if self.kept.as_ref().is_some_and(is_kept) {
            return;
        }
        match self.file.write(&known) {
            Ok(()) => self.kept = Some(known),
            // It is tried again with the next turn.
            Err(error) => {
                tracing::warn!(%error, "the states of health checks are not kept: {error:#}");
            }
        }
    }
}
