//! Counting: once a second, and as soon as a checker has changed its mind, the tables of all
//! checkers are taken, and what follows from them is left on the board, and handed to those who keep it.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meridian_control::{Environment, SystemEnvironment};
use meridian_health::{
    Damping, Guardrails, OutOfPlaces, Outline, Register, Rules, State as Known, Votes,
};
use meridian_model::HealthCheck;

use super::board::Board;
use super::checks::Checks;
use super::keeping::{Keeping, Written};

/// The votes, and the guardrails behind them.
pub(crate) struct Tally {
    pub(crate) votes: Votes,
    pub(crate) damping: Damping,
    /// The checks that are counted.
    checks: Checks,
}

/// What counts, and what it has kept.
pub(super) struct Count {
    board: Arc<Board>,
    keeping: Keeping,
    /// What is on the disk, or will be unless that fails.
    kept: Option<Outline>,
    began: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            votes: Votes::new(Rules::ROUTE_53, Register::default()),
            damping: Damping::new(Guardrails::OFF),
            checks: Checks::default(),
        }
    }
}

impl Tally {
    /// Counts votes on these checks from now on.
    fn follow(&mut self, checks: &Checks) {
        let before = mem::replace(&mut self.checks, checks.clone());
        for (before, now) in checks.differences(&before) {
            if let Some(gone) = before.filter(|gone| now.is_none_or(|now| now.slot != gone.slot)) {
                self.votes.remove(gone.slot);
                self.damping.remove(gone.slot);
            }
            if let Some(check) = now
                && let Err(error) = self.put(check)
            {
                tracing::error!(check = %check.id, %error, "a check is not voted on: {error}");
            }
        }
    }

    fn put(&mut self, check: &HealthCheck) -> Result<(), OutOfPlaces> {
        self.votes.put(check)?;
        self.damping.put(check)
    }

    /// Takes up what was known of these checks before a restart, behind these guardrails: what they
    /// made of it was answered by.
    pub(super) fn restore(checks: Vec<HealthCheck>, known: &Known, rails: Guardrails) -> Self {
        let mut tally = Self::default();
        tally.damping.set_rails(rails);
        tally.follow(&checks.into_iter().collect());
        tally.votes.restore(known);
        tally.damping.restore(known);
        tally
    }

    /// Leaves on the board what is known.
    pub(super) fn post(&self, board: &Board) {
        board.post_votes(&self.checks, self.damping.healths());
    }
}

impl Count {
    /// Goes on from what is on the board, by these rules.
    pub(super) fn begin(
        board: Arc<Board>,
        keeping: Keeping,
        (rules, rails, register): (Rules, Guardrails, Register),
    ) -> Self {
        let mut tally = board.tally();
        tally.votes.set_rules(rules);
        tally.votes.register(register);
        tally.damping.set_rails(rails);
        drop(tally);
        Self {
            board,
            keeping,
            kept: None,
            began: Instant::now(),
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Takes these tables, and says what follows from all there are. The checks are those that
    /// checkers are told of: what a table says counts where both sides knew of the same ones.
    pub(super) fn turn(&mut self, checks: &Checks, tables: &[Arc<[u8]>]) {
        let board = Arc::clone(&self.board);
        let mut tally = board.tally();
        tally.follow(checks);
        let now = self.now();
        for table in tables {
            if let Err(error) = tally.votes.take(table, now) {
                tracing::warn!(%error, "a checker's table is not counted: {error}");
            }
        }
        let Tally { votes, damping, .. } = &mut *tally;
        damping.step(votes.judge(now), now);
        let outcome = self.keeping.outcome();
        self.heed(outcome);
        // What is found while a state is being written goes with the next one.
        let new = (!self.keeping.is_at_work()).then(|| self.unkept(votes, damping));
        tally.post(&board);
        drop(tally);
        if let Some((known, outline)) = new.flatten() {
            self.kept = Some(outline);
            self.keeping.hand(known);
        }
    }

    /// What failed is tried again with the next turn.
    fn heed(&mut self, outcome: Option<Written>) {
        if outcome == Some(Written::Not) {
            self.kept = None;
        }
    }

    /// What is not kept yet.
    fn unkept(&self, votes: &Votes, damping: &Damping) -> Option<(Known, Outline)> {
        let is_kept = |kept: &Outline| kept.is_of(votes, damping);
        (!self.kept.as_ref().is_some_and(is_kept)).then(|| {
            let known = Known::of(votes, damping, SystemEnvironment::new().now());
            (known, Outline::of(votes, damping))
        })
    }
}

/// What was found is on the disk at the end.
impl Drop for Count {
    fn drop(&mut self) {
        let outcome = self.keeping.end();
        self.heed(outcome);
        let board = Arc::clone(&self.board);
        let tally = board.tally();
        let new = self.unkept(&tally.votes, &tally.damping);
        drop(tally);
        if let Some((known, _)) = new {
            self.keeping.write(&known);
        }
    }
}
