//! What those do together who have the turn: each plans on its own thread, all on the same state,
//! and one of them appends what all have handed in.
//!
//! Who is in a group is said in turns.rs, what may share an entry in append.rs.

use std::collections::BTreeMap;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use meridian_log::{Commit, Snapshot};
use meridian_model::Timestamp;

use crate::refusal::Fault;
use crate::turns::Ticket;

/// What a round of plans is made on.
pub(crate) struct Basis {
    /// The state at the journal's head.
    pub(crate) snapshot: Snapshot,
    /// The time of the entry that is to follow.
    pub(crate) now: Timestamp,
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is in the journal.
    Written,
    /// It is not: to be planned again, on the state as it is by then.
    Again,
    /// Writing failed.
    Failed(Fault),
}

/// Those who have the turn at the same time.
pub(crate) struct Group {
    round: Mutex<Round>,
    /// Verdicts were given, or nobody is missing any more.
    changed: Condvar,
}

/// One state, one plan of each, one append. Who hears [`Verdict::Again`] is in the next one.
#[derive(Default)]
struct Round {
    /// How many have neither handed in nor left.
    missing: usize,
    basis: Option<Result<Arc<Basis>, Fault>>,
    handed: Vec<(Ticket, Commit)>,
    verdicts: BTreeMap<Ticket, Verdict>,
}

impl Group {
    /// A group of so many, all of whom will hand in or leave.
    pub(crate) fn of(members: usize) -> Self {
        let round = Round {
            missing: members,
            ..Round::default()
        };
        Self {
            round: Mutex::new(round),
            changed: Condvar::new(),
        }
    }

    /// The state of this round, which whoever comes first makes for all: a failure too, so that
    /// they do not wait for the same thing one after another.
    pub(crate) fn basis(
        &self,
        make: impl FnOnce() -> Result<Basis, Fault>,
    ) -> Result<Arc<Basis>, Fault> {
        let mut round = self.round();
        round
            .basis
            .get_or_insert_with(|| make().map(Arc::new))
            .clone()
    }

    /// Leaves without a commit.
    pub(crate) fn leave(&self) {
        let mut round = self.round();
        round.missing = round.missing.saturating_sub(1);
        if round.missing == 0 {
            // Nobody keeps an old state alive until others write.
            round.basis = None;
            self.changed.notify_all();
        }
    }

    /// Hands a commit in and waits for what becomes of it. Once nobody is missing, one of those who
    /// wait calls its `judge` outside of the lock, which has a verdict for each commit and does not
    /// panic.
    pub(crate) fn hand_in(
        &self,
        ticket: Ticket,
        commit: Commit,
        judge: impl FnOnce(Vec<(Ticket, Commit)>) -> Vec<(Ticket, Verdict)>,
    ) -> Verdict {
        let mut judge = Some(judge);
        let mut round = self.round();
        round.handed.push((ticket, commit));
        round.missing = round.missing.saturating_sub(1);
        loop {
            if let Some(verdict) = round.verdicts.remove(&ticket) {
                return verdict;
            }
            // Whoever judges has a verdict after that, so nobody does so twice.
            if round.missing == 0
                && !round.handed.is_empty()
                && let Some(judge) = judge.take()
            {
                let handed = mem::take(&mut round.handed);
                round.basis = None;
                drop(round);
                let verdicts = judge(handed);
                round = self.round();
                round.give(verdicts);
                self.changed.notify_all();
            } else {
                round = self
                    .changed
                    .wait(round)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        // Only `make` of a basis can panic below, before anything is changed.
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Round {
    fn give(&mut self, verdicts: Vec<(Ticket, Verdict)>) {
        let again = |(_, verdict): &&(Ticket, Verdict)| verdict.is_preliminary();
        self.missing = verdicts.iter().filter(again).count();
        self.verdicts.extend(verdicts);
    }
}

/// The verdicts of `append` on so many commits: a panic of it does not keep the others waiting.
pub(crate) fn judged(count: usize, append: impl FnOnce() -> Vec<Verdict>) -> Vec<Verdict> {
    panic::catch_unwind(AssertUnwindSafe(append)).unwrap_or_else(|_| {
        let fault = Fault::Storage("a panic while appending, which is a fault of ours".to_owned());
        vec![Verdict::Failed(fault); count]
    })
}

impl Verdict {
    /// Whether there is another round for it.
    pub(crate) fn is_preliminary(&self) -> bool {
        *self == Self::Again
    }
}
