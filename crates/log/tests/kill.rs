//! kill -9 while entries are appended: what was acknowledged is there, and nothing by halves.
//!
//! The test runs this very program again as the child that is killed.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not seen as tests by the lint"
)]

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use meridian_dns::{Name, RecordType};
use meridian_log::{
    Commit, Durability, Journal, LocalJournal, MAX_ENTRIES_PER_WRITE, Options, Tables, verify,
};
use meridian_model::{Effect, Generation, RecordSet, Seq, State, Timestamp};

const DIRECTORY: &str = "MERIDIAN_KILL_TEST_DIRECTORY";
const CYCLES: u64 = 10;
/// Sets that each commit writes; after any crash their count is a multiple of this.
const SETS: u64 = 5;

fn open(directory: &Path) -> (LocalJournal, Tables) {
    let journal = LocalJournal::open(&directory.join("journal.redb")).unwrap();
    let options = Options {
        cache_bytes: 4 * 1024 * 1024,
        durability: Durability::Batched,
    };
    let tables = Tables::open(&directory.join("tables.redb"), options).unwrap();
    (journal, tables)
}

fn catch_up(journal: &LocalJournal, tables: &Tables) {
    let head = journal.head().unwrap();
    while tables.head().seq < head.seq {
        let entries = journal.read(tables.head().seq, MAX_ENTRIES_PER_WRITE);
        tables.apply(&entries.unwrap()).unwrap();
    }
}

fn commit(number: u64) -> Commit {
    let effects = (0..SETS).map(|index| Effect::PutSet {
        generation: Generation(1),
        set: RecordSet::simple(
            Name::parse(&format!("n{number}-{index}.test")).unwrap(),
            RecordType::Txt,
            1,
            vec!["x".repeat(200)],
        ),
    });
    Commit {
        request_id: number.to_string(),
        account: None,
        principal: "child".into(),
        source: "here".into(),
        retry: None,
        effects: effects.collect(),
    }
}

/// The child's part; nothing when the test is run by itself.
#[test]
fn child_appends_until_it_is_killed() {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return;
    };
    let (journal, tables) = open(&PathBuf::from(directory));
    catch_up(&journal, &tables);
    let mut head = journal.head().unwrap();
    loop {
        let number = head.seq.0 + 1;
        let time = Timestamp(i64::try_from(number).unwrap());
        head = journal.append(head, vec![commit(number)], time).unwrap();
        println!("acked {}", head.seq);
        std::io::stdout().flush().unwrap();
        catch_up(&journal, &tables);
    }
}

/// Lets a child run until it has acknowledged so many entries and a bit; returns the last one
/// acknowledged.
fn run_and_kill(directory: &Path, acks: u64, delay: Duration) -> Option<u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child_appends_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (mut seen, mut last) = (0, None);
    let mut line = String::new();
    // Ends with the child's output, which ends with the child.
    loop {
        if seen == acks {
            std::thread::sleep(delay);
            child.kill().unwrap();
        }
        line.clear();
        if output.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
            break;
        }
        // The test harness writes its own words in front of the first line.
        if let Some((_, number)) = line.split_once("acked ") {
            last = Some(number.trim_end().parse().unwrap());
            seen += 1;
        }
    }
    child.wait().unwrap();
    last
}

#[test]
fn nothing_acknowledged_is_lost_and_no_commit_is_halved() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for cycle in 0..CYCLES {
        let random = RandomState::new().hash_one(cycle);
        let delay = Duration::from_micros(random % 3000);
        // The first and some others are killed while the files are still being opened.
        let acks = if cycle % 5 == 0 {
            0
        } else {
            1 + (random >> 32) % 150
        };
        let last = run_and_kill(directory.path(), acks, delay);
        acknowledged = last.unwrap_or(acknowledged).max(acknowledged);

        let (journal, tables) = open(directory.path());
        let head = journal.head().unwrap();
        assert!(
            head.seq.0 >= acknowledged,
            "cycle {cycle}: entry {acknowledged} was acknowledged, the journal ends with {}",
            head.seq
        );
        let rows = tables.read().unwrap().set_count(Generation(1)).unwrap();
        assert_eq!(rows, tables.head().seq.0 * SETS, "cycle {cycle}");
        catch_up(&journal, &tables);
        let report = verify(&journal, Some(&tables)).unwrap();
        assert_eq!(report.entries, head.seq.0);
        assert_eq!(report.effects, head.seq.0 * SETS);
        assert_eq!(report.tables.unwrap().applied, head.seq);
        let last = journal.read(Seq(head.seq.0.saturating_sub(1)), 1).unwrap();
        assert!(last.iter().all(|e| e.commits == [commit(e.seq.0)]));
    }
    assert!(acknowledged > 0);
}
