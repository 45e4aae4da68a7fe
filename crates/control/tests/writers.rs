//! Writers beside each other, and clocks that jump: what reaches the journal, and in what order.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking too"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use meridian_control::{
    Acks, Caller, ChangeRecordSets, Control, CreateHostedZone, Environment, Fault, FirstStart,
    OperationError, SystemEnvironment,
};
use meridian_dns::{Name, RecordType};
use meridian_log::{
    AppendError, Commit, Entry, Head, Journal, JournalError, LocalJournal, StorageError, Tables,
    Vault,
};
use meridian_model::{AccessKeyId, AccountId, Action, Draft, DraftChange, Seq, Timestamp, ZoneId};

const DAY: i64 = 24 * 60 * 60 * 1000;
const MINUTE: i64 = 60 * 1000;

/// A clock moved by hand.
struct Hand(Arc<AtomicI64>);

impl Environment for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    fn entropy(&self) -> [u8; 32] {
        SystemEnvironment::new().entropy()
    }
}

/// A journal in memory that takes some time, as a disk does.
struct Slow {
    journal: LocalJournal,
    micros: AtomicU64,
}

impl Journal for Slow {
    fn head(&self) -> Result<Head, JournalError> {
        self.journal.head()
    }

    fn append(&self, at: Head, commits: Vec<Commit>, time: Timestamp) -> Result<Head, AppendError> {
        thread::sleep(Duration::from_micros(self.micros.load(Ordering::Relaxed)));
        self.journal.append(at, commits, time)
    }

    fn read(&self, after: Seq, max_entries: usize) -> Result<Vec<Entry>, JournalError> {
        self.journal.read(after, max_entries)
    }

    fn wait(&self, after: Seq, timeout: Duration) -> Seq {
        self.journal.wait(after, timeout)
    }

    fn end_waits(&self) {
        self.journal.end_waits();
    }

    fn level(&self) -> Result<u16, JournalError> {
        self.journal.level()
    }

    fn finalize(&self) -> Result<u16, StorageError> {
        self.journal.finalize()
    }
}

struct Bench {
    control: Arc<Control>,
    journal: Arc<Slow>,
    tables: Arc<Tables>,
    clock: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
    follower: Option<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = Arc::new(Slow {
            journal: LocalJournal::in_memory().unwrap(),
            micros: AtomicU64::new(0),
        });
        let tables = Arc::new(Tables::in_memory().unwrap());
        let clock = Arc::new(AtomicI64::new(100 * DAY));
        let stop = Arc::<AtomicBool>::default();
        let (read, written) = (Arc::clone(&journal), Arc::clone(&tables));
        let stopped = Arc::clone(&stop);
        let follower = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                read.wait(written.head().seq, Duration::from_millis(20));
                let entries = read.read(written.head().seq, 1000).unwrap();
                written.apply(&entries).unwrap();
            }
        });
        let control = Arc::new(Control::new(
            Arc::clone(&journal) as _,
            Arc::clone(&tables),
            Arc::new(Vault::open(directory.path()).unwrap()),
            Arc::new(Acks::default()),
            Box::new(Hand(Arc::clone(&clock))),
        ));
        let first = FirstStart {
            domain: Name::parse("pool.test").unwrap(),
            addresses: vec![[127, 0, 0, 1].into()],
        };
        control.first_start(&first, |_| Ok(())).unwrap();
        Self {
            control,
            journal,
            tables,
            clock,
            stop,
            follower: Some(follower),
            _directory: directory,
        }
    }

    fn tenant(&self, name: &str) -> Tenant {
        let account = self.control.create_account(name).unwrap().id;
        let caller = Caller {
            account: account.clone(),
            operator: false,
            user: None,
            access_key: AccessKeyId::new("AKIATEST").unwrap(),
            source: "192.0.2.1".to_owned(),
            received_at: Timestamp(0),
            request_id: "request".to_owned(),
            retry: None,
        };
        let request = CreateHostedZone {
            name: format!("{name}.test"),
            caller_reference: name.to_owned(),
            comment: None,
            private_zone: false,
            vpc: None,
            delegation_set_id: None,
        };
        let made = self.control.create_hosted_zone(&caller, &request).unwrap();
        Tenant {
            account,
            caller,
            zone: made.zone.zone.id.to_string(),
            name: name.to_owned(),
        }
    }

    fn entries(&self) -> Vec<Entry> {
        self.journal.read(Seq(0), 100_000).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.follower.take().unwrap().join();
    }
}

/// An account with a zone.
struct Tenant {
    account: AccountId,
    caller: Caller,
    zone: String,
    name: String,
}

impl Tenant {
    fn change(&self, control: &Control, value: &str) -> Result<Timestamp, OperationError> {
        let request = ChangeRecordSets {
            hosted_zone_id: self.zone.clone(),
            comment: None,
            changes: vec![DraftChange {
                action: Action::Upsert,
                set: Draft::simple(
                    &format!("www.{}.test", self.name),
                    RecordType::A,
                    60,
                    &[value],
                ),
            }],
        };
        let outcome = control.change_record_sets(&self.caller, &request)?;
        Ok(outcome.change.submitted_at)
    }

    /// The same, with a retry key.
    fn change_as(&self, control: &Control, key: u8, value: &str) -> Result<(), OperationError> {
        let tenant = Self {
            account: self.account.clone(),
            caller: Caller {
                retry: Some([key; 32]),
                ..self.caller.clone()
            },
            zone: self.zone.clone(),
            name: self.name.clone(),
        };
        tenant.change(control, value).map(drop)
    }
}

#[test]
fn too_many_changes_of_one_zone_are_refused_and_nothing_else_suffers() {
    let bench = Bench::new();
    let (busy, calm) = (bench.tenant("busy"), bench.tenant("calm"));
    bench.journal.micros.store(2_000, Ordering::Relaxed);
    let begin = Barrier::new(81);
    let (taken, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let before = bench.entries().len();
    thread::scope(|scope| {
        for _ in 0..80 {
            scope.spawn(|| {
                begin.wait();
                match busy.change(&bench.control, "192.0.2.1") {
                    Ok(_) => taken.fetch_add(1, Ordering::Relaxed),
                    Err(OperationError::Fault(Fault::Contention)) => {
                        refused.fetch_add(1, Ordering::Relaxed)
                    }
                    Err(other) => panic!("{other}"),
                };
            });
        }
        begin.wait();
        // While the line of the other one is full.
        for _ in 0..3 {
            calm.change(&bench.control, "192.0.2.2").unwrap();
        }
    });
    let (taken, refused) = (taken.into_inner(), refused.into_inner());
    assert_eq!(taken + refused, 80);
    assert!(
        taken >= 33 && refused > 0,
        "{taken} taken, {refused} refused"
    );
    let entries = bench.entries();
    assert_eq!(entries.len(), before + taken + 3);
    // The calm one's third change was written long before the busy one's last.
    let calm_commit = |entry: &&Entry| entry.commits[0].account.as_ref() == Some(&calm.account);
    let last = entries.iter().rfind(calm_commit).unwrap().seq;
    assert!(last.0 + 10 < entries.last().unwrap().seq.0, "{last}");
}

#[test]
fn the_journal_knows_no_way_back_in_time() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    let at = |time: i64| {
        bench.clock.store(time, Ordering::Relaxed);
        tenant.change(&bench.control, "192.0.2.1").unwrap()
    };
    assert_eq!(at(100 * DAY), Timestamp(100 * DAY));
    // Set back: time stands still until the clock has caught up.
    assert_eq!(at(99 * DAY), Timestamp(100 * DAY));
    assert_eq!(at(-DAY), Timestamp(100 * DAY));
    assert_eq!(at(i64::MIN), Timestamp(100 * DAY));
    assert_eq!(at(100 * DAY + 1), Timestamp(100 * DAY + 1));
    // Far ahead, and right again.
    assert_eq!(at(40_000 * DAY), Timestamp(40_000 * DAY));
    assert_eq!(at(100 * DAY + 2), Timestamp(40_000 * DAY));

    let entries = bench.entries();
    assert!(entries.is_sorted_by_key(|entry| entry.time));
    let ids: BTreeSet<_> = entries
        .iter()
        .flat_map(|entry| &entry.commits)
        .flat_map(|commit| &commit.effects)
        .filter_map(|effect| match effect {
            meridian_model::Effect::PutChange(change) => Some(change.id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 8, "no id is made of the time");
}

#[test]
fn another_process_finds_the_time_in_the_journal() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    tenant.change(&bench.control, "192.0.2.1").unwrap();
    // Somebody else appends, with a clock that is ahead.
    let head = bench.journal.head().unwrap();
    let ahead = Timestamp(101 * DAY);
    bench.journal.append(head, Vec::new(), ahead).unwrap();
    assert_eq!(tenant.change(&bench.control, "192.0.2.2").unwrap(), ahead);
}

#[test]
fn a_retry_is_known_when_the_clock_was_set_back() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    let length = || bench.entries().len();
    tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
    let before = length();
    for time in [100 * DAY, 50 * DAY, 0, 100 * DAY + 14 * MINUTE] {
        bench.clock.store(time, Ordering::Relaxed);
        tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
        assert_eq!(length(), before, "{time}");
    }
    // A clock far ahead ends the window, as a quarter of an hour would.
    bench.clock.store(200 * DAY, Ordering::Relaxed);
    tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
    assert_eq!(length(), before + 1);
    // And the new one is known whatever the clock says next.
    bench.clock.store(100 * DAY, Ordering::Relaxed);
    tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
    assert_eq!(length(), before + 1);
}

#[test]
fn history_stays_in_order_and_keeps_its_newest_rows() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    let zone = ZoneId::new(&tenant.zone).unwrap();
    // There and back again, a hundred days at a time, which is longer than history is kept.
    for number in 0..30_i64 {
        let time = DAY * (100 + if number % 2 == 0 { 100 * number } else { 0 });
        bench.clock.store(time, Ordering::Relaxed);
        tenant
            .change(&bench.control, &format!("192.0.2.{number}"))
            .unwrap();
    }
    let head = bench.journal.head().unwrap().seq;
    assert!(bench.tables.wait_applied(head, Duration::from_secs(5)));
    let rows = bench
        .tables
        .read()
        .unwrap()
        .history(&zone, Seq(0), 100)
        .unwrap();
    assert!(rows.len() >= 10, "{} rows", rows.len());
    assert!(rows.is_sorted_by(|older, newer| older.seq < newer.seq && older.time <= newer.time));
}
