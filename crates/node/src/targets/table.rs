//! Tables on their way from the thread that makes them to the one that puts them into Worlds: the
//! latter only takes a pointer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use meridian_answer::ExternalTargets;

/// The most tables that are kept until nobody else has them. More come to be only where a World is
/// not let go of, and then whoever does so frees its table.
const KEPT: usize = 4;

/// Where a table is left by its maker, the only one, and taken from.
#[derive(Debug, Default)]
pub(super) struct Handover {
    tables: Mutex<Tables>,
    /// Whether there is one to be taken, so that a look needs no lock.
    is_posted: AtomicBool,
}

#[derive(Debug, Default)]
struct Tables {
    taken: Option<ExternalTargets>,
    posted: Option<ExternalTargets>,
}

/// The tables that were made, so that the last to have one is not whoever answers by it.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<ExternalTargets>);

impl Handover {
    /// The table that was left here since the last time, if there is one.
    pub(super) fn take(&self) -> Option<ExternalTargets> {
        if !self.is_posted.load(Ordering::Acquire) {
            return None;
        }
        self.is_posted.store(false, Ordering::Relaxed);
        let mut tables = self.tables();
        let posted = tables.posted.take()?;
        tables.taken = Some(posted.clone());
        Some(posted)
    }

    /// The newest there is; the first one is made.
    pub(super) fn newest(&self, first: impl FnOnce() -> ExternalTargets) -> ExternalTargets {
        if let Some(posted) = self.take() {
            return posted;
        }
        self.tables().taken.get_or_insert_with(first).clone()
    }

    /// Makes a table to follow the one that was taken last, and leaves it here. One that nobody took
    /// is taken back before.
    pub(super) fn post(
        &self,
        make: impl FnOnce(&ExternalTargets) -> ExternalTargets,
    ) -> ExternalTargets {
        let (before, unwanted) = {
            let mut tables = self.tables();
            (tables.taken.clone(), tables.posted.take())
        };
        drop(unwanted);
        let table = make(&before.unwrap_or_else(ExternalTargets::none));
        self.tables().posted = Some(table.clone());
        self.is_posted.store(true, Ordering::Release);
        table
    }

    /// It is in order between any two steps, so a poisoned one is in order.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    /// Keeps one more.
    pub(super) fn keep(&mut self, table: ExternalTargets) {
        self.0.push(table);
        let beyond = self.0.len().saturating_sub(KEPT);
        self.0.drain(..beyond);
    }

    /// Frees those that nobody else has.
    pub(super) fn free(&mut self) {
        self.0.retain(|table| !table.is_only());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meridian_answer::HashKey;

    const KEY: HashKey = HashKey([1, 2]);

    fn next(before: &ExternalTargets) -> ExternalTargets {
        before.followed_by(KEY, [])
    }

    #[test]
    fn a_table_is_taken_once_and_the_newest_counts() {
        let handover = Handover::default();
        assert!(handover.take().is_none());
        let first = handover.newest(ExternalTargets::none);
        assert!(handover.newest(|| unreachable!()).is_same(&first));
        assert!(handover.take().is_none());
        handover.post(|before| {
            assert!(before.is_same(&first));
            next(before)
        });
        let newer = handover.post(|before| {
            // Nobody took the one in between.
            assert!(before.is_same(&first));
            next(before)
        });
        assert!(handover.take().is_some_and(|table| table.is_same(&newer)));
        assert!(handover.take().is_none());
        assert!(handover.newest(|| unreachable!()).is_same(&newer));
        let newest = handover.post(next);
        assert!(handover.newest(|| unreachable!()).is_same(&newest));
        assert!(handover.take().is_none());
    }

    #[test]
    fn tables_are_kept_until_nobody_else_has_them() {
        let mut made = Made::default();
        let held: Vec<ExternalTargets> = (0..KEPT).map(|_| ExternalTargets::none()).collect();
        for table in &held {
            made.keep(table.clone());
        }
        made.free();
        assert_eq!(made.0.len(), KEPT);
        drop(held);
        made.free();
        assert_eq!(made.0.len(), 0);
        for _ in 0..=KEPT {
            made.keep(ExternalTargets::none());
        }
        assert_eq!(made.0.len(), KEPT);
    }
}
