//! Writers beside each other, and clocks that jump: what reaches the journal, and in what order.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking too"
)]

mod ledger;
mod mishaps;
mod references;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use meridian_control::{
    Acks, Caller, ChangeRecordSets, Control, CreateHostedZone, Environment, Fault, FirstStart,
    OperationError, SystemEnvironment, Transport,
};
use meridian_dns::{Name, RecordType};
use meridian_log::{
    AppendError, Commit, Entry, Head, Journal, JournalError, LocalJournal, StorageError, Tables,
    Vault,
};
use meridian_model::{
    AccessKeyId, AccountId, Action, Draft, DraftAlias, DraftChange, Effect, Seq, State, Timestamp,
    ZoneId,
};

const DAY: i64 = 24 * 60 * 60 * 1000;
const MINUTE: i64 = 60 * 1000;

/// A clock moved by hand.
struct Hand {
    clock: Arc<AtomicI64>,
    fright: Arc<Mutex<Option<Fright>>>,
}

/// What makes whoever asks for it next panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fright {
    Time,
    Entropy,
}

impl Hand {
    fn frighten(&self, at: Fright) {
        let taken = self.fright.lock().unwrap().take_if(|fright| *fright == at);
        assert!(taken.is_none(), "as this test wants it");
    }
}

impl Environment for Hand {
    fn now(&self) -> Timestamp {
        self.frighten(Fright::Time);
        Timestamp(self.clock.load(Ordering::Relaxed))
    }

    fn entropy(&self) -> [u8; 32] {
        self.frighten(Fright::Entropy);
        SystemEnvironment::new().entropy()
    }
}

/// What goes wrong with the next entry that several share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// It is said to be too large.
    TooLarge,
    /// The disk fails.
    Disk,
    /// Somebody else appends first.
    Intruder,
    Panic,
    /// It is written, but that is not known.
    Unconfirmed,
}

/// A journal in memory that takes some time, as a disk does.
struct Slow {
    journal: LocalJournal,
    micros: AtomicU64,
    busy: AtomicBool,
    mishap: Mutex<Option<Mishap>>,
    /// Nothing of this zone is taken, as if it were of a level that is not finalized.
    banned: Mutex<Option<ZoneId>>,
}

impl Slow {
    fn meet(
        &self,
        mishap: Mishap,
        at: Head,
        commits: &[Commit],
        time: Timestamp,
    ) -> Result<(), AppendError> {
        match mishap {
            Mishap::Unconfirmed => {
                self.journal.append(at, commits.to_vec(), time)?;
                Err(AppendError::Storage(StorageError::new(fmt::Error)))
            }
            Mishap::TooLarge => Err(AppendError::TooLarge { bytes: 1 }),
            Mishap::Disk => Err(AppendError::Storage(StorageError::new(fmt::Error))),
            Mishap::Intruder => self.journal.append(at, Vec::new(), time).map(drop),
            Mishap::Panic => panic!("as this test wants it"),
        }
    }
}

impl Slow {
    fn check_banned(&self, commits: &[Commit]) -> Result<(), AppendError> {
        let banned = self.banned.lock().unwrap();
        let is_banned =
            |effect: &Effect| matches!(effect, Effect::PutChange(change) if change.zone == *banned);
        let effects = commits.iter().flat_map(|commit| &commit.effects);
        if banned.is_some() && effects.into_iter().any(is_banned) {
            return Err(AppendError::Level {
                needed: 9,
                finalized: 1,
            });
        }
        Ok(())
    }
}

impl Journal for Slow {
    fn head(&self) -> Result<Head, JournalError> {
        self.journal.head()
    }

    fn append(&self, at: Head, commits: Vec<Commit>, time: Timestamp) -> Result<Head, AppendError> {
        self.check_banned(&commits)?;
        self.busy.store(true, Ordering::Relaxed);
        thread::sleep(Duration::from_micros(self.micros.load(Ordering::Relaxed)));
        self.busy.store(false, Ordering::Relaxed);
        let mishap = (commits.len() > 1).then(|| self.mishap.lock().unwrap().take());
        if let Some(mishap) = mishap.flatten() {
            self.meet(mishap, at, &commits, time)?;
        }
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
    fright: Arc<Mutex<Option<Fright>>>,
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
            busy: AtomicBool::new(false),
            mishap: Mutex::default(),
            banned: Mutex::default(),
        });
        let tables = Arc::new(Tables::in_memory().unwrap());
        let clock = Arc::new(AtomicI64::new(100 * DAY));
        let fright = Arc::<Mutex<Option<Fright>>>::default();
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
            Box::new(Hand {
                clock: Arc::clone(&clock),
                fright: Arc::clone(&fright),
            }),
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
            fright,
            stop,
            follower: Some(follower),
            _directory: directory,
        }
    }

    fn tenant(&self, name: &str) -> Tenant {
        let account = self.control.create_account(name).unwrap().id;
        self.tenant_of(&account, name)
    }

    /// With a zone of its own.
    fn tenant_of(&self, account: &AccountId, name: &str) -> Tenant {
        let caller = Caller {
            account: account.clone(),
            operator: false,
            user: None,
            access_key: AccessKeyId::new("AKIATEST").unwrap(),
            source: "192.0.2.1".to_owned(),
            transport: Transport::Plain,
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
            account: account.clone(),
            caller,
            zone: made.zone.zone.id.to_string(),
            name: name.to_owned(),
        }
    }

    fn entries(&self) -> Vec<Entry> {
        self.journal.read(Seq(0), 100_000).unwrap()
    }

    fn commits(&self) -> usize {
        self.entries().iter().map(|entry| entry.commits.len()).sum()
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
        self.act(control, Action::Upsert, "www", value)
    }

    fn act(
        &self,
        control: &Control,
        action: Action,
        label: &str,
        value: &str,
    ) -> Result<Timestamp, OperationError> {
        let name = format!("{label}.{}.test", self.name);
        let request = ChangeRecordSets {
            hosted_zone_id: self.zone.clone(),
            comment: None,
            changes: vec![DraftChange {
                action,
                set: Draft::simple(&name, RecordType::A, 60, &[value]),
            }],
        };
        let outcome = control.change_record_sets(&self.caller, &request)?;
        assert_eq!(outcome.change.zone.as_ref().unwrap().as_str(), self.zone);
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
    let before = bench.commits();
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
        taken >= 32 && refused > 0,
        "{taken} taken, {refused} refused"
    );
    assert_eq!(bench.commits(), before + taken + 3);
    let entries = bench.entries();
    // The calm one's third change was written long before the busy one's last.
    let is_calm = |commit: &Commit| commit.account.as_ref() == Some(&calm.account);
    let calm_commit = |entry: &&Entry| entry.commits.iter().any(is_calm);
    let last = entries.iter().rfind(calm_commit).unwrap().seq;
    assert!(last.0 + 10 < entries.last().unwrap().seq.0, "{last}");
}

/// Writers with a zone each, three to an account.
fn crowd(bench: &Bench, count: usize) -> Vec<Tenant> {
    let mut tenants: Vec<Tenant> = Vec::new();
    for number in 0..count {
        let name = format!("t{number}");
        let tenant = match number % 3 {
            0 => bench.tenant(&name),
            _ => bench.tenant_of(&tenants[number - number % 3].account, &name),
        };
        tenants.push(tenant);
    }
    tenants
}

/// A pseudorandom walk through batches; what the zone has in the end.
fn wander(tenant: &Tenant, control: &Control, seed: usize) -> BTreeMap<String, String> {
    let (mut sets, mut random) = (BTreeMap::new(), seed as u64);
    for step in 0..25 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let label = format!("n{}", (random >> 33) % 4);
        let value = format!("192.0.{seed}.{step}");
        let old = sets.get(&label).cloned();
        let (action, given) = match ((random >> 50) % 3, &old) {
            (0, _) => (Action::Upsert, value.clone()),
            (1, _) => (Action::Create, value.clone()),
            (_, old) => (Action::Delete, old.clone().unwrap_or_default()),
        };
        let done = tenant.act(control, action, &label, &given);
        match (action, old) {
            (Action::Create, Some(_)) | (Action::Delete, None) => {
                assert!(matches!(done, Err(OperationError::Refused(_))), "{done:?}");
                continue;
            }
            _ => drop(done.unwrap()),
        }
        match action {
            Action::Delete => drop(sets.remove(&label)),
            _ => drop(sets.insert(label, value)),
        }
    }
    sets
}

/// What tables say about zones and their changes, but for the numbers of entries.
fn told(tables: &Tables, entries: &[Entry]) -> Vec<String> {
    let (snapshot, mut lines) = (tables.read().unwrap(), Vec::new());
    let mut zones = Vec::new();
    snapshot
        .each_zone(|zone| {
            zones.push(zone);
            ControlFlow::Continue(())
        })
        .unwrap();
    for zone in zones {
        lines.push(format!(
            "{zone:?} {}",
            snapshot.stats(zone.generation).unwrap().sets
        ));
        let sets = snapshot.sets_from(zone.generation, None, 1000).unwrap();
        lines.extend(sets.iter().map(|set| format!("{set:?}")));
        for row in snapshot.history(&zone.id, Seq(0), 1000).unwrap() {
            lines.push(format!("{} {:?} {:?}", row.principal, row.time, row.before));
        }
    }
    for effect in entries
        .iter()
        .flat_map(|entry| &entry.commits)
        .flat_map(|c| &c.effects)
    {
        if let Effect::PutChange(change) = effect {
            lines.push(format!(
                "{:?}",
                snapshot.change(&change.id).unwrap().unwrap().1
            ));
        }
    }
    lines
}

/// The same commits in entries of their own, those of one entry in this order.
fn one_by_one(entries: &[Entry], order: fn(&mut Vec<Commit>)) -> Tables {
    let (journal, tables) = (
        LocalJournal::in_memory().unwrap(),
        Tables::in_memory().unwrap(),
    );
    for entry in entries {
        let mut commits = entry.commits.clone();
        order(&mut commits);
        for commit in commits {
            let head = journal.head().unwrap();
            journal.append(head, vec![commit], entry.time).unwrap();
        }
    }
    tables
        .apply(&journal.read(Seq(0), 100_000).unwrap())
        .unwrap();
    tables
}

#[test]
fn changes_of_different_zones_share_entries_and_come_to_the_same_as_one_by_one() {
    let bench = Bench::new();
    let tenants = crowd(&bench, 12);
    bench.journal.micros.store(500, Ordering::Relaxed);
    let before = bench.entries().len();
    let left: Vec<_> = thread::scope(|scope| {
        let walk = |(seed, tenant)| {
            let control = &bench.control;
            scope.spawn(move || wander(tenant, control, seed))
        };
        let walks: Vec<_> = tenants
            .iter()
            .enumerate()
            .map(|(n, t)| walk((n, t)))
            .collect();
        walks.into_iter().map(|walk| walk.join().unwrap()).collect()
    });
    let entries = bench.entries();
    let shared = entries[before..]
        .iter()
        .filter(|entry| entry.commits.len() > 3)
        .count();
    assert!(
        shared > 10,
        "{shared} of {} entries are shared",
        entries.len()
    );
    assert!(entries.is_sorted_by_key(|entry| entry.time));
    let last = entries.last().unwrap().seq;
    assert!(bench.tables.wait_applied(last, Duration::from_secs(5)));
    let snapshot = bench.tables.read().unwrap();
    for (tenant, left) in tenants.iter().zip(left) {
        let zone = snapshot
            .zone(&ZoneId::new(&tenant.zone).unwrap())
            .unwrap()
            .unwrap();
        // Beside SOA and NS.
        assert_eq!(
            snapshot.stats(zone.generation).unwrap().sets,
            2 + left.len() as u64
        );
        for (label, value) in left {
            let name = Name::parse(&format!("{label}.{}.test", tenant.name)).unwrap();
            let sets = snapshot.sets_at(zone.generation, &name).unwrap();
            assert!(
                format!("{sets:?}").contains(&format!("\"{value}\"")),
                "{sets:?}"
            );
        }
    }
    let grouped = told(&bench.tables, &entries);
    assert_eq!(grouped, told(&one_by_one(&entries, |_| ()), &entries));
    assert_eq!(
        grouped,
        told(&one_by_one(&entries, |commits| commits.reverse()), &entries)
    );
    meridian_log::verify(&*bench.journal, Some(&*bench.tables)).unwrap();
}

#[test]
fn aliases_into_each_others_zones_are_not_planned_beside_each_other() {
    let bench = Bench::new();
    let [one, two, three] = &crowd(&bench, 3)[..] else {
        panic!("three writers of one account");
    };
    let alias = |from: &Tenant, to: &Tenant| {
        let mut set = Draft::simple(&format!("www.{}.test", from.name), RecordType::A, 60, &[]);
        (set.ttl, set.records) = (None, None);
        set.alias_target = Some(DraftAlias {
            hosted_zone_id: ZoneId::new(&to.zone).unwrap(),
            dns_name: format!("www.{}.test", to.name),
            evaluate_target_health: false,
        });
        let request = ChangeRecordSets {
            hosted_zone_id: from.zone.clone(),
            comment: None,
            changes: vec![DraftChange {
                action: Action::Upsert,
                set,
            }],
        };
        bench.control.change_record_sets(&from.caller, &request)
    };
    bench.journal.micros.store(40_000, Ordering::Relaxed);
    for _ in 0..2 {
        for tenant in [one, two] {
            tenant.change(&bench.control, "192.0.2.1").unwrap();
        }
        let made = thread::scope(|scope| {
            // While this is written the other two get into line.
            scope.spawn(|| three.change(&bench.control, "192.0.2.1").unwrap());
            while !bench.journal.busy.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            let make = |from, to| {
                let alias = &alias;
                scope.spawn(move || alias(from, to).is_ok())
            };
            [make(one, two), make(two, one)].map(|made| made.join().unwrap())
        });
        assert!(made[0] != made[1], "one of both makes a loop: {made:?}");
    }
}
