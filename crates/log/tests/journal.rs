//! What every journal keeps to, whatever it is stored in: each test runs over each back end.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not seen as tests by the lint"
)]

use std::time::Duration;

use meridian_dns::{Name, RecordType};
use meridian_log::{
    AppendError, Commit, Head, Journal, LocalJournal, MAX_ENTRY_BYTES, OpenError, verify,
};
use meridian_model::{Effect, Generation, RecordSet, Seq, Timestamp};

/// Runs over an empty journal of each back end.
fn over_each(test: impl Fn(&dyn Journal)) {
    let directory = tempfile::tempdir().unwrap();
    test(&LocalJournal::open(&directory.path().join("journal.redb")).unwrap());
    test(&LocalJournal::in_memory().unwrap());
}

/// A commit of about this many bytes.
fn commit(bytes: usize) -> Commit {
    let set = RecordSet::simple(
        Name::parse("a.test").unwrap(),
        RecordType::Txt,
        60,
        vec!["x".repeat(bytes)],
    );
    Commit {
        request_id: "request".into(),
        account: None,
        principal: "principal".into(),
        source: "source".into(),
        retry: None,
        effects: vec![Effect::PutSet {
            generation: Generation(1),
            set,
        }],
    }
}

#[test]
fn an_append_at_another_head_is_a_conflict_that_names_the_head() {
    over_each(|journal| {
        assert_eq!(journal.head().unwrap(), Head::EMPTY);
        let first = journal
            .append(Head::EMPTY, vec![commit(1)], Timestamp(1))
            .unwrap();
        assert_eq!(first.seq, Seq(1));
        assert_eq!(journal.head().unwrap(), first);
        let forged = Head {
            hash: Head::EMPTY.hash,
            ..first
        };
        for other in [Head::EMPTY, forged] {
            match journal.append(other, vec![], Timestamp(1)) {
                Err(AppendError::Conflict { head }) => assert_eq!(head, first),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn entry_time_never_goes_backwards() {
    over_each(|journal| {
        let head = journal.append(Head::EMPTY, vec![], Timestamp(100)).unwrap();
        journal.append(head, vec![], Timestamp(7)).unwrap();
        let entries = journal.read(Seq(0), 9).unwrap();
        let times: Vec<_> = entries.iter().map(|entry| entry.time.0).collect();
        assert_eq!(times, [100, 100]);
    });
}

#[test]
fn an_entry_above_the_limit_is_refused_and_leaves_the_head() {
    over_each(|journal| {
        assert!(matches!(
            journal.append(Head::EMPTY, vec![commit(MAX_ENTRY_BYTES)], Timestamp(1)),
            Err(AppendError::TooLarge { .. })
        ));
        assert_eq!(journal.head().unwrap(), Head::EMPTY);
    });
}

#[test]
fn a_read_is_bounded_by_bytes_but_gives_at_least_one() {
    over_each(|journal| {
        for _ in 0..4 {
            let head = journal.head().unwrap();
            journal
                .append(head, vec![commit(900_000)], Timestamp(1))
                .unwrap();
        }
        assert_eq!(journal.read(Seq(0), 100).unwrap().len(), 2);
        assert_eq!(journal.read(Seq(3), 0).unwrap().len(), 1);
        assert!(journal.read(Seq(4), 9).unwrap().is_empty());
        assert!(journal.read(Seq(u64::MAX), 9).unwrap().is_empty());
    });
}

#[test]
fn writers_that_compete_make_one_chain_and_waiters_wake() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 25;
    over_each(|journal| {
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| append_until_done(journal, EACH));
            }
            let last = Seq(WRITERS * EACH);
            let mut seen = Seq(0);
            while seen < last {
                seen = journal.wait(seen, Duration::from_secs(20));
            }
            assert_eq!(journal.read(Seq(last.0 - 1), 1).unwrap().len(), 1);
        });
        assert_eq!(verify(journal, None).unwrap().commits, WRITERS * EACH);
        let last = journal.head().unwrap().seq;
        assert_eq!(journal.wait(last, Duration::from_millis(1)), last);
    });
}

#[test]
fn waits_end_when_the_journal_is_about_to_be_closed() {
    over_each(|journal| {
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| journal.wait(Seq(0), Duration::from_secs(20)));
            journal.end_waits();
            assert_eq!(waiter.join().unwrap(), Seq(0));
        });
        let start = std::time::Instant::now();
        journal.wait(Seq(0), Duration::from_secs(20));
        assert!(start.elapsed() < Duration::from_secs(10));
    });
}

fn append_until_done(journal: &dyn Journal, mut left: u64) {
    let mut head = journal.head().unwrap();
    // Every conflict means that another writer got on.
    while left > 0 {
        match journal.append(head, vec![commit(10)], Timestamp(1)) {
            Ok(next) => (head, left) = (next, left - 1),
            Err(AppendError::Conflict { head: actual }) => head = actual,
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_reopened_file_goes_on_and_has_one_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.redb");
    let journal = LocalJournal::open(&path).unwrap();
    let head = journal
        .append(Head::EMPTY, vec![commit(1)], Timestamp(50))
        .unwrap();
    assert!(matches!(
        LocalJournal::open(&path),
        Err(OpenError::File { .. })
    ));
    drop(journal);
    let journal = LocalJournal::open(&path).unwrap();
    assert_eq!(journal.head().unwrap(), head);
    journal.append(head, vec![], Timestamp(1)).unwrap();
    assert_eq!(journal.read(Seq(1), 1).unwrap()[0].time, Timestamp(50));
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 1, "nothing is left of making the file");
}
