//! Checking a journal from its first entry on, and the tables against a replay of it.

use meridian_model::{Seq, Timestamp};

use crate::format::{Entry, Hash};
use crate::journal::{Head, Journal, JournalError};
use crate::storage::OpenError;
use crate::tables::{ApplyError, Digest, MAX_ENTRIES_PER_WRITE, ReadError, Snapshot, Tables};

/// What was found to be in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The journal's head.
    pub head: Head,
    /// Entries checked.
    pub entries: u64,
    /// Commits in them.
    pub commits: u64,
    /// Effects in them.
    pub effects: u64,
    /// About the tables, when they were given.
    pub tables: Option<TablesReport>,
}

/// What was found to be in order about tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TablesReport {
    /// Up to where they are; entries after it were not compared.
    pub applied: Seq,
    /// Their digest, recomputed from their rows and equal to that of the replay.
    pub digest: Digest,
}

/// The first place that is not in order.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry is missing.
    #[error("entry {expected} is missing: entry {found} comes after the one before it")]
    Gap {
        /// The missing one.
        expected: Seq,
        /// The one found.
        found: Seq,
    },
    /// The chain ends before the head.
    #[error("the journal ends with entry {last}, its head is entry {}", head.seq)]
    Short {
        /// The last entry found.
        last: Seq,
        /// The head.
        head: Head,
    },
    /// An entry does not continue the one before.
    #[error("entry {seq} follows an entry of hash {follows}, the one before it has {actual}")]
    Chain {
        /// Which entry.
        seq: Seq,
        /// What it says it follows.
        follows: Hash,
        /// What it follows.
        actual: Hash,
    },
    /// The last entry is not the one the head names.
    #[error("entry {seq} has hash {actual}, the journal's head says {head}")]
    HeadHash {
        /// Which entry.
        seq: Seq,
        /// The head's.
        head: Hash,
        /// The entry's.
        actual: Hash,
    },
    /// An entry is of an earlier epoch than the one before.
    #[error("entry {seq} is of epoch {found} after epoch {before}")]
    Epoch {
        /// Which entry.
        seq: Seq,
        /// Its epoch.
        found: u32,
        /// The epoch before.
        before: u32,
    },
    /// Time runs backwards.
    #[error("entry {seq} has time {}, the one before it {}", found.0, before.0)]
    Time {
        /// Which entry.
        seq: Seq,
        /// Its time.
        found: Timestamp,
        /// The time before.
        before: Timestamp,
    },
    /// An entry's level is not that of its effects.
    #[error("entry {seq} says level {found}, its effects are of level {needed}")]
    Level {
        /// Which entry.
        seq: Seq,
        /// What it says.
        found: u16,
        /// What its effects need.
        needed: u16,
    },
    /// The replay has no memory.
    #[error("the replay cannot start: {0}")]
    Replay(#[from] OpenError),
    /// The replay fails.
    #[error("the replay fails: {0}")]
    Apply(#[from] ApplyError),
    /// The tables cannot be read.
    #[error(transparent)]
    Tables(#[from] ReadError),
    /// The tables have entries that the journal has not.
    #[error("the tables are at entry {applied}, the journal ends with entry {head}")]
    TablesAhead {
        /// Up to where the tables are.
        applied: Seq,
        /// The journal's head.
        head: Seq,
    },
    /// The tables come from another chain.
    #[error("the tables applied an entry {seq} of hash {applied}, the journal's has {actual}")]
    TablesOffChain {
        /// Up to where the tables are.
        seq: Seq,
        /// The hash of what they applied.
        applied: Hash,
        /// The journal's.
        actual: Hash,
    },
    /// The tables' rows are not those of the replay.
    #[error("at entry {seq} the rows of the table '{table}' are not those of the replay")]
    Rows {
        /// Up to where the tables are.
        seq: Seq,
        /// The first table that differs.
        table: &'static str,
    },
    /// The rows are right but the digest kept beside them is not.
    #[error("at entry {seq} the tables keep digest {kept}, their rows give {actual}")]
    KeptDigest {
        /// Up to where the tables are.
        seq: Seq,
        /// The one kept.
        kept: Digest,
        /// The one of the rows.
        actual: Digest,
    },
}

/// Walks the whole journal, replays it in memory, and compares the tables with the replay at the
/// entry they have reached.
///
/// # Errors
/// [`VerifyError`] names the first place that is not in order.
pub fn verify(journal: &dyn Journal, tables: Option<&Tables>) -> Result<Report, VerifyError> {
    // The tables are looked at first: what is appended meanwhile is then only ahead of them.
    let snapshot = tables.map(Tables::read).transpose()?;
    let head = journal.head()?;
    if let Some(snapshot) = &snapshot
        && snapshot.head().seq > head.seq
    {
        return Err(VerifyError::TablesAhead {
            applied: snapshot.head().seq,
            head: head.seq,
        });
    }
    let replay = Tables::in_memory()?;
    let mut report = Report {
        head,
        entries: 0,
        commits: 0,
        effects: 0,
        tables: None,
    };
    let mut walk = Walk {
        last: Head::EMPTY,
        time: Timestamp(i64::MIN),
    };
    if let Some(snapshot) = &snapshot
        && snapshot.head().seq == Seq(0)
    {
        report.tables = Some(compare(snapshot, &replay)?);
    }
    // Each turn reads at least one entry, or ends.
    while walk.last.seq < head.seq {
        let entries = journal.read(walk.last.seq, MAX_ENTRIES_PER_WRITE)?;
        if entries.is_empty() {
            return Err(VerifyError::Short {
                last: walk.last.seq,
                head,
            });
        }
        for entry in entries.iter().take_while(|entry| entry.seq <= head.seq) {
            walk.check(entry)?;
            report.entries += 1;
            report.commits += entry.commits.len() as u64;
            report.effects += effects(entry);
        }
        if let Some(snapshot) = snapshot.as_ref().filter(|_| report.tables.is_none()) {
            let applied = snapshot.head().seq;
            let due = entries.partition_point(|entry| entry.seq <= applied);
            replay.apply(&entries[..due])?;
            if replay.head().seq == applied {
                report.tables = Some(compare(snapshot, &replay)?);
            }
        }
    }
    if walk.last.hash != head.hash {
        return Err(VerifyError::HeadHash {
            seq: head.seq,
            head: head.hash,
            actual: walk.last.hash,
        });
    }
    Ok(report)
}

/// Where the walk along the chain is.
struct Walk {
    last: Head,
    time: Timestamp,
}

impl Walk {
    fn check(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        let seq = entry.seq;
        let expected = Seq(self.last.seq.0 + 1);
        if seq != expected {
            return Err(VerifyError::Gap {
                expected,
                found: seq,
            });
        }
        if entry.previous != self.last.hash {
            return Err(VerifyError::Chain {
                seq,
                follows: entry.previous,
                actual: self.last.hash,
            });
        }
        if entry.epoch < self.last.epoch {
            return Err(VerifyError::Epoch {
                seq,
                found: entry.epoch,
                before: self.last.epoch,
            });
        }
        if entry.time < self.time {
            return Err(VerifyError::Time {
                seq,
                found: entry.time,
                before: self.time,
            });
        }
        // A level above ours does not get here: decoding refuses it.
        let effects = entry.commits.iter().flat_map(|commit| &commit.effects);
        let needed = effects
            .map(meridian_model::Effect::level)
            .max()
            .unwrap_or(1);
        if entry.level != needed {
            return Err(VerifyError::Level {
                seq,
                found: entry.level,
                needed,
            });
        }
        self.last = entry.head();
        self.time = entry.time;
        Ok(())
    }
}

fn effects(entry: &Entry) -> u64 {
    let counts = entry.commits.iter().map(|commit| commit.effects.len());
    counts.sum::<usize>() as u64
}

/// Compares tables with a replay that reached the same entry.
fn compare(snapshot: &Snapshot, replay: &Tables) -> Result<TablesReport, VerifyError> {
    let replayed = replay.read()?;
    let (seq, applied) = (snapshot.head().seq, snapshot.head().hash);
    if applied != replayed.head().hash {
        return Err(VerifyError::TablesOffChain {
            seq,
            applied,
            actual: replayed.head().hash,
        });
    }
    let (found, expected) = (snapshot.digest_by_table()?, replayed.digest_by_table()?);
    for ((table, found), (_, expected)) in found.into_iter().zip(expected) {
        if found != expected {
            return Err(VerifyError::Rows { seq, table });
        }
    }
    let (kept, actual) = (snapshot.digest(), replayed.recompute_digest()?);
    if kept != actual {
        return Err(VerifyError::KeptDigest { seq, kept, actual });
    }
    Ok(TablesReport {
        applied: seq,
        digest: kept,
    })
}
