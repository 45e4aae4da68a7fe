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
/// entry they have reached. The replay takes as much memory as the tables take on the disk; without
/// tables there is none.
///
/// # Errors
/// [`VerifyError`] names the first place that is not in order.
pub fn verify(journal: &dyn Journal, tables: Option<&Tables>) -> Result<Report, VerifyError> {
    // The tables are looked at first: what is appended meanwhile is then only ahead of them.
    let replay = tables.map(Replay::new).transpose()?;
    let head = journal.head()?;
    if let Some(Replay { snapshot, .. }) = &replay
        && snapshot.head().seq > head.seq
    {
        return Err(VerifyError::TablesAhead {
            applied: snapshot.head().seq,
            head: head.seq,
        });
    }
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
        if let Some(replay) = &replay {
            replay.follow(&entries)?;
        }
    }
    if walk.last.hash != head.hash {
        return Err(VerifyError::HeadHash {
            seq: head.seq,
            head: head.hash,
            actual: walk.last.hash,
        });
    }
    report.tables = replay.map(|replay| replay.compare()).transpose()?;
    Ok(report)
}

/// The tables under test, and what they should be.
struct Replay {
    snapshot: Snapshot,
    tables: Tables,
}

impl Replay {
    fn new(tables: &Tables) -> Result<Self, VerifyError> {
        Ok(Self {
            snapshot: tables.read()?,
            tables: Tables::in_memory()?,
        })
    }

    /// Applies the entries up to the one the tables under test have reached.
    fn follow(&self, entries: &[Entry]) -> Result<(), VerifyError> {
        let applied = self.snapshot.head().seq;
        let due = entries.partition_point(|entry| entry.seq <= applied);
        if due > 0 {
            self.tables.apply(&entries[..due])?;
        }
        Ok(())
    }

    fn compare(&self) -> Result<TablesReport, VerifyError> {
        let replayed = self.tables.read()?;
        let (seq, applied) = (self.snapshot.head().seq, self.snapshot.head().hash);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use meridian_model::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::format::Commit;
    use crate::journal::AppendError;
    use crate::local::{ENTRIES, LocalJournal};
    use crate::testing;

    /// A journal that hands out whatever it was made with.
    struct Fixed {
        entries: Vec<Entry>,
        head: Head,
    }

    impl Fixed {
        fn new(entries: Vec<Entry>) -> Self {
            let head = entries.last().map_or(Head::EMPTY, Entry::head);
            Self { entries, head }
        }
    }

    impl Journal for Fixed {
        fn head(&self) -> Result<Head, JournalError> {
            Ok(self.head)
        }

        fn append(&self, _: Head, _: Vec<Commit>, _: Timestamp) -> Result<Head, AppendError> {
            Err(AppendError::Conflict { head: self.head })
        }

        fn read(&self, after: Seq, max_entries: usize) -> Result<Vec<Entry>, JournalError> {
            let later = self.entries.iter().filter(|entry| entry.seq > after);
            // A few at a time, so that borders of pages are crossed.
            Ok(later.take(max_entries.min(3)).cloned().collect())
        }

        fn wait(&self, _: Seq, _: Duration) -> Seq {
            self.head.seq
        }

        fn end_waits(&self) {}
    }

    fn chain_of(epochs_and_times: &[(u32, i64)]) -> Vec<Entry> {
        let mut head = Head::EMPTY;
        let mut entries = Vec::new();
        for (epoch, time) in epochs_and_times {
            let at = Head {
                epoch: *epoch,
                ..head
            };
            let (entry, _) = Entry::after(at, Timestamp(*time), vec![]);
            head = entry.head();
            entries.push(entry);
        }
        entries
    }

    fn failure(entries: Vec<Entry>) -> VerifyError {
        verify(&Fixed::new(entries), None).unwrap_err()
    }

    #[test]
    fn each_fault_is_named_with_its_place() {
        let good = chain_of(&[(1, 1), (1, 1), (2, 5), (2, 6)]);
        assert_eq!(
            verify(&Fixed::new(good.clone()), None).unwrap().entries,
            4,
            "an epoch may rise"
        );
        let mut gap = good.clone();
        gap.remove(1);
        assert!(matches!(
            failure(gap),
            VerifyError::Gap {
                expected: Seq(2),
                found: Seq(3)
            }
        ));
        let mut other = good.clone();
        other[1] = chain_of(&[(1, 1), (1, 2)]).remove(1);
        assert!(matches!(
            failure(other),
            VerifyError::Chain { seq: Seq(3), .. }
        ));
        assert!(matches!(
            failure(chain_of(&[(1, 1), (1, 3), (1, 2)])),
            VerifyError::Time { seq: Seq(3), .. }
        ));
        assert!(matches!(
            failure(chain_of(&[(2, 1), (1, 1)])),
            VerifyError::Epoch { seq: Seq(2), .. }
        ));
        let mut short = Fixed::new(good.clone());
        short.entries.pop();
        assert!(matches!(
            verify(&short, None),
            Err(VerifyError::Short { last: Seq(3), .. })
        ));
        let mut level = good.clone();
        level[3].level = 0;
        assert!(matches!(
            failure(level),
            VerifyError::Level { seq: Seq(4), .. }
        ));
        let mut head = Fixed::new(good);
        head.head.hash = Hash([7; 32]);
        assert!(matches!(
            verify(&head, None),
            Err(VerifyError::HeadHash { seq: Seq(4), .. })
        ));
    }

    #[test]
    fn tables_ahead_or_of_another_chain_are_found() {
        let good = chain_of(&[(1, 1), (1, 2), (1, 3)]);
        let tables = Tables::in_memory().unwrap();
        tables.apply(&good).unwrap();
        let shorter = Fixed::new(good[..2].to_vec());
        assert!(matches!(
            verify(&shorter, Some(&tables)),
            Err(VerifyError::TablesAhead {
                applied: Seq(3),
                head: Seq(2)
            })
        ));
        let other = Fixed::new(chain_of(&[(1, 1), (1, 2), (1, 4), (1, 5)]));
        assert!(matches!(
            verify(&other, Some(&tables)),
            Err(VerifyError::TablesOffChain { seq: Seq(3), .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn tables_anywhere_on_the_chain_agree_with_the_replay(
            chain in testing::chain(16), at: prop::sample::Index,
        ) {
            let tables = Tables::in_memory().unwrap();
            let at = at.index(chain.len() + 1);
            tables.apply(&chain[..at]).unwrap();
            let report = verify(&Fixed::new(chain.clone()), Some(&tables)).unwrap();
            prop_assert_eq!(report.entries, chain.len() as u64);
            prop_assert_eq!(report.tables.map(|tables| tables.applied), Some(Seq(at as u64)));
        }
    }

    /// Writes `bytes` over an entry behind the journal's back.
    fn overwrite(journal: &LocalJournal, seq: u64, bytes: &[u8]) {
        let transaction = journal.database().begin_write().unwrap();
        let mut table = transaction.open_table(ENTRIES).unwrap();
        table.insert(seq, bytes).unwrap();
        drop(table);
        transaction.commit().unwrap();
    }

    #[test]
    fn one_changed_byte_of_any_stored_entry_is_found() {
        let journal = LocalJournal::in_memory().unwrap();
        let mut stored = Vec::new();
        for number in 1..=3 {
            let head = journal.head().unwrap();
            let zone = testing::simple_zone("Z1", meridian_model::Generation(number));
            let commits = vec![testing::commit_of(vec![meridian_model::Effect::PutZone(
                zone,
            )])];
            let (_, bytes) = Entry::after(head, Timestamp(1), commits.clone());
            journal.append(head, commits, Timestamp(1)).unwrap();
            stored.push((number, bytes));
        }
        verify(&journal, None).unwrap();
        for (seq, bytes) in &stored {
            for at in 0..bytes.len() {
                for bit in [0x01, 0x80] {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= bit;
                    overwrite(&journal, *seq, &damaged);
                    let found = verify(&journal, None);
                    assert!(found.is_err(), "entry {seq}, byte {at}, bit {bit}");
                }
            }
            overwrite(&journal, *seq, bytes);
        }
        verify(&journal, None).unwrap();
    }
}
