//! External targets of aliases: host names anywhere, asked of resolvers beside the queries. What is
//! known of each, who asks, and what is kept on the disk; what answers make of it is the business of
//! `answer`.
//!
//! Nobody who answers waits for any of this: answers come from a table that is swapped.

mod ask;
mod book;
mod egress;
mod fair;
mod file;
mod judge;
mod pace;
mod places;
mod reply;
mod resolvers;
mod shown;
mod table;
mod work;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use meridian_answer::{ExternalTarget, ExternalTargets, HashKey};
use meridian_control::{Environment, SystemEnvironment};
use meridian_health::Guard;
use meridian_model::Timestamp;

use crate::checkers;
use crate::config;

pub(crate) use ask::Failure;
pub(crate) use book::Counts;
pub(crate) use judge::Rules;
pub(crate) use shown::{Network, Target};
pub(crate) use work::Resolution;

use book::Book;
use file::TargetsFile;
use reply::Said;
use table::Handover;

/// What is known, told by whoever asks resolvers.
#[derive(Debug)]
pub(crate) struct Targets {
    book: Mutex<Book>,
    clock: Clock,
    /// Whose addresses are whose to tell: known from the first table on.
    guard: OnceLock<Guard>,
    /// What answers go by, or are to.
    tables: Handover,
    /// How long the last of these tables took to be made, in microseconds.
    table_took_us: AtomicU64,
    lookups: Lookups,
    /// There are targets, and no resolver to be asked.
    nobody_to_ask: AtomicBool,
}

/// How often resolvers were asked, by what came of it.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    answers: AtomicU64,
    no_data: AtomicU64,
    no_such_name: AtomicU64,
    /// In the order of [`Failure::NAMES`].
    failures: [AtomicU64; Failure::NAMES.len()],
}

/// The system's clock as it was at the start, going on steadily: when somebody sets it, no TTL ends
/// before its time.
#[derive(Debug)]
struct Clock {
    began: Timestamp,
    since: Instant,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            book: Mutex::new(Book::new(Rules::default())),
            clock: Clock {
                began: SystemEnvironment::new().now(),
                since: Instant::now(),
            },
            guard: OnceLock::new(),
            tables: Handover::default(),
            table_took_us: AtomicU64::new(0),
            lookups: Lookups::default(),
            nobody_to_ask: AtomicBool::new(false),
        }
    }
}

/// Has known from the first answer on what was known of targets last.
pub(crate) fn restore(config: &config::Config, targets: &Targets) {
    let known = TargetsFile::of(&config.data_dir).read();
    *targets.book() = Book::restored(known, targets.now(), config.targets.rules());
    // The first one stays: the server's listeners are as they were.
    targets.guard.get_or_init(|| checkers::guard(config));
}

impl Targets {
    /// What answers should go by from now on, if that is something else than what was taken last.
    pub(crate) fn newer(&self) -> Option<ExternalTargets> {
        self.tables.take()
    }

    /// What answers go by, for a World with this key. Made here and now only the first time.
    pub(crate) fn table(&self, key: HashKey) -> ExternalTargets {
        let first = || ExternalTargets::of(key, self.for_answers());
        self.tables.newest(first)
    }

    /// Makes a table of what is known, leaves it to be taken, and returns it. Takes long where there
    /// are many targets.
    fn post_table(&self, key: HashKey) -> ExternalTargets {
        let began = Instant::now();
        let table = self
            .tables
            .post(|before| before.followed_by(key, self.for_answers()));
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.table_took_us.store(took_us, Ordering::Relaxed);
        table
    }

    fn for_answers(&self) -> Vec<ExternalTarget> {
        shown::for_answers(&self.book(), self.guard(), self.now())
    }

    /// Without one, as in tests, nobody listens anywhere.
    fn guard(&self) -> &Guard {
        self.guard.get_or_init(Guard::default)
    }

    /// How long it took to make the table that answers go by, or are to.
    pub(crate) fn table_took(&self) -> Duration {
        Duration::from_micros(self.table_took_us.load(Ordering::Relaxed))
    }

    /// All of them, in order of names and types.
    pub(crate) fn list(&self) -> Vec<Target> {
        let now = self.now();
        let mut list = shown::list(&self.book(), self.guard(), now);
        list.sort_by_cached_key(|target| (target.name.sort_key(), target.rtype));
        list
    }

    /// How many are how.
    pub(crate) fn counts(&self) -> Counts {
        self.book().counts(self.now())
    }

    /// How often resolvers were asked.
    pub(crate) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// What is wrong, for those who run this process.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.nobody_to_ask.load(Ordering::Relaxed) {
            notes.push(
                "there are external alias targets and no resolver to ask for them: name one in \
                 targets.resolvers, or in /etc/resolv.conf"
                    .to_owned(),
            );
        }
        let left_out = self.book().left_out();
        if left_out > 0 {
            notes.push(format!(
                "{left_out} external alias targets are not resolved: there are more than {}",
                book::MAX_TARGETS
            ));
        }
        notes
    }

    fn now(&self) -> Timestamp {
        let passed = self.clock.since.elapsed().as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        Timestamp(self.clock.began.0.saturating_add(passed))
    }

    /// It is in order between any two steps, so a poisoned one is in order.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lookups {
    /// So much came of asking once.
    fn count(&self, outcome: Result<&Said, Failure>) {
        let counter = match outcome {
            Ok(Said::Records { .. }) => &self.answers,
            Ok(Said::NoData { .. }) => &self.no_data,
            Ok(Said::NoSuchName { .. }) => &self.no_such_name,
            Err(failure) => {
                let name = failure.as_str();
                let place = Failure::NAMES.iter().position(|known| *known == name);
                &self.failures[place.unwrap_or_default()]
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it came to something, by what.
    pub(crate) fn outcomes(&self) -> [(&'static str, u64); 3] {
        [
            ("answers", &self.answers),
            ("no-data", &self.no_data),
            ("no-such-name", &self.no_such_name),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }

    /// How often it failed, by why.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.failures.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        Failure::NAMES.into_iter().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_and_nothing_else() {
        let targets = Targets::default();
        assert_eq!(targets.notes(), [""; 0]);
        targets.nobody_to_ask.store(true, Ordering::Relaxed);
        let notes = targets.notes();
        assert!(
            notes.len() == 1 && notes[0].contains("no resolver"),
            "{notes:?}"
        );
    }

    /// What it costs to have many targets, in the thread that makes tables and in the one that makes
    /// Worlds; before, the latter did both.
    #[test]
    #[ignore = "takes long and proves nothing"]
    fn what_a_table_of_many_targets_costs() {
        use judge::Heard;
        use meridian_answer::World;
        use meridian_dns::{Name, RecordType};
        let targets = Targets::default();
        let key = |n: usize| {
            let name = Name::parse(&format!("lb-{n}.eu-west-1.elb.example.net"));
            (name.unwrap(), RecordType::A)
        };
        let keys: Vec<_> = (0..book::MAX_TARGETS).map(|n| (key(n), None)).collect();
        let now = targets.now();
        targets.book().need(&keys, now);
        for n in 0..keys.len() {
            let job = targets.book().next((book::Lane::New, 1), now).unwrap();
            let [.., high, low] = n.to_be_bytes();
            let said = Said::Records {
                data: vec![vec![8, 8, high, low], vec![9, 9, high, low]],
                ttl_s: 60,
            };
            let heard = Heard {
                said,
                for_networks: Vec::new(),
                source: "127.0.0.1:53".parse().unwrap(),
            };
            targets.book().take(job.id, Ok(heard), (now, 0));
        }
        let key = HashKey([1, 2]);
        let mut world = World::new(key, Vec::new()).with_external_targets(targets.table(key));
        let mut made = table::Made::default();
        for _ in 0..5 {
            let began = Instant::now();
            let all = targets.for_answers();
            let next = world
                .clone()
                .with_external_targets(ExternalTargets::of(key, all));
            drop(next);
            let before = began.elapsed();
            made.keep(targets.post_table(key));
            let began = Instant::now();
            world = world.with_external_targets(targets.newer().unwrap());
            let feed = began.elapsed();
            let began = Instant::now();
            made.free();
            println!(
                "all of it in the feed: {before:?}; now: made in {:?}, taken in {feed:?}, freed in \
                 {:?}",
                targets.table_took(),
                began.elapsed()
            );
        }
    }

    #[test]
    fn each_failure_is_counted_under_its_name() {
        use reply::Fault;
        let failures = [
            Failure::NoResolver,
            Failure::NobodyThere,
            Failure::NoReply,
            Failure::Fault(Fault::Rcode(2)),
            Failure::Fault(Fault::Referral),
            Failure::Fault(Fault::Unreadable),
            Failure::Fault(Fault::Loop),
            Failure::Fault(Fault::TooLong),
            Failure::Fault(Fault::TooMany),
            Failure::Fault(Fault::TooMuch),
        ];
        assert_eq!(failures.map(Failure::as_str), Failure::NAMES);
        let lookups = Lookups::default();
        for failure in failures {
            lookups.count(Err(failure));
        }
        assert!(lookups.failures().all(|(_, count)| count == 1));
    }
}
