//! Journals with one fault each, and tables at any place of a chain.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::format::{Commit, Hash, LEVEL};
use crate::journal::{AppendError, JournalError};
use crate::local::{ENTRIES, LocalJournal};
use crate::storage::StorageError;
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

    fn level(&self) -> Result<u16, JournalError> {
        Ok(LEVEL)
    }

    fn finalize(&self) -> Result<u16, StorageError> {
        Ok(LEVEL)
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
    let transaction = journal.file().begin_write().unwrap();
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
