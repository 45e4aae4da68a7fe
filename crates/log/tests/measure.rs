//! Figures, not checks: `cargo test --release -p meridian-log --test measure -- --ignored
//! --nocapture --test-threads 1`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are not seen as tests by the lints"
)]

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use meridian_dns::{Name, RecordType};
use meridian_log::{
    Commit, Durability, Entry, Head, Journal, LocalJournal, Options, Snapshot, Tables,
};
use meridian_model::{Effect, Generation, RecordSet, State, Timestamp};

const OPTIONS: Options = Options {
    cache_bytes: 512 * 1024 * 1024,
    durability: Durability::Batched,
};

fn set(number: u64) -> RecordSet {
    let [a, b, c, d] = [number >> 24, number >> 16, number >> 8, number].map(|n| n & 255);
    RecordSet::simple(
        Name::parse(&format!("host{number}.example.com")).unwrap(),
        RecordType::A,
        300,
        vec![format!("{a}.{b}.{c}.{d}")],
    )
}

fn commit(numbers: std::ops::Range<u64>) -> Commit {
    let generation = Generation(1);
    let effects = numbers.map(|number| Effect::PutSet {
        generation,
        set: set(number),
    });
    Commit {
        request_id: "request".into(),
        account: None,
        principal: "principal".into(),
        source: "source".into(),
        retry: None,
        effects: effects.collect(),
    }
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1000.0;
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}

#[test]
#[ignore = "takes long and proves nothing"]
fn appending() {
    let directory = tempfile::tempdir().unwrap();
    let journal = LocalJournal::open(&directory.path().join("journal.redb")).unwrap();
    let tables = Tables::open(&directory.path().join("tables.redb"), OPTIONS).unwrap();
    for (size, count) in [(1, 1000), (1000, 200)] {
        let (mut appends, mut applies) = (Vec::new(), Vec::new());
        for number in 0..count {
            let head = journal.head().unwrap();
            let commits = vec![commit(number * size..(number + 1) * size)];
            let start = Instant::now();
            journal.append(head, commits, Timestamp(0)).unwrap();
            appends.push(start.elapsed());
            let entries = journal.read(head.seq, 1).unwrap();
            let start = Instant::now();
            tables.apply(&entries).unwrap();
            applies.push(start.elapsed());
        }
        report(&format!("append of {size} sets"), appends);
        report(&format!("apply of {size} sets"), applies);
    }
}

fn decode_all(state: &Snapshot) -> u64 {
    let mut count = 0;
    let start = Instant::now();
    state
        .each_set(Generation(1), |_| {
            count += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    println!("each_set of {count} sets: {:?}", start.elapsed());
    count
}

#[test]
#[ignore = "takes long and proves nothing"]
fn a_million_sets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tables.redb");
    let tables = Tables::open(&path, OPTIONS).unwrap();
    let mut head = Head::EMPTY;
    let start = Instant::now();
    for portion in 0..10 {
        let mut entries = Vec::new();
        for batch in 0..100 {
            let first = (portion * 100 + batch) * 1000;
            let (entry, _) = Entry::after(head, Timestamp(0), vec![commit(first..first + 1000)]);
            head = entry.head();
            entries.push(entry);
        }
        tables.apply(&entries).unwrap();
    }
    println!("1M sets applied: {:?}", start.elapsed());
    drop(tables);
    println!("file: {} MB", std::fs::metadata(&path).unwrap().len() >> 20);
    let start = Instant::now();
    let tables = Tables::open(&path, OPTIONS).unwrap();
    println!("reopened: {:?}", start.elapsed());
    let state = tables.read().unwrap();
    assert_eq!(decode_all(&state), 1_000_000);
    assert_eq!(decode_all(&state), state.set_count(Generation(1)).unwrap());
    let start = Instant::now();
    assert_eq!(tables.recompute_digest().unwrap(), state.digest());
    println!("digest recomputed: {:?}", start.elapsed());
}
