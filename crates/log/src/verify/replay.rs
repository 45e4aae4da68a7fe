//! The tables beside a replay of the journal in memory.

use meridian_model::Seq;

use crate::format::Entry;
use crate::tables::{Digest, Snapshot, Tables};

use super::VerifyError;

/// What was found to be in order about tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TablesReport {
    /// Up to where they are; entries after it were not compared.
    pub applied: Seq,
    /// Their digest, recomputed from their rows and equal to that of the replay.
    pub digest: Digest,
}

/// The tables under test, and what they should be.
pub(super) struct Replay {
    snapshot: Snapshot,
    tables: Tables,
}

impl Replay {
    pub(super) fn new(tables: &Tables) -> Result<Self, VerifyError> {
        Ok(Self {
            snapshot: tables.read()?,
            tables: Tables::in_memory()?,
        })
    }

    /// Up to where the tables under test are.
    pub(super) fn applied(&self) -> Seq {
        self.snapshot.head().seq
    }

    /// Applies the entries up to the one the tables under test have reached.
    pub(super) fn follow(&self, entries: &[Entry]) -> Result<(), VerifyError> {
        let applied = self.applied();
        let due = entries.partition_point(|entry| entry.seq <= applied);
        if due > 0 {
            self.tables.apply(&entries[..due])?;
        }
        Ok(())
    }

    /// Compares the tables under test with what the entries made.
    pub(super) fn compare(&self) -> Result<TablesReport, VerifyError> {
        let replayed = self.tables.read()?;
        let (seq, applied) = (self.applied(), self.snapshot.head().hash);
        if applied != replayed.head().hash {
            return Err(VerifyError::TablesOffChain {
                seq,
                applied,
                actual: replayed.head().hash,
            });
        }
        let (found, expected) = (
            self.snapshot.digest_by_table()?,
            replayed.digest_by_table()?,
        );
        for ((table, found), (_, expected)) in found.into_iter().zip(expected) {
            if found != expected {
                return Err(VerifyError::Rows { seq, table });
            }
        }
        let (kept, actual) = (self.snapshot.digest(), self.snapshot.recompute_digest()?);
        if kept != actual {
            return Err(VerifyError::KeptDigest { seq, kept, actual });
        }
        Ok(TablesReport {
            applied: seq,
            digest: kept,
        })
    }
}
