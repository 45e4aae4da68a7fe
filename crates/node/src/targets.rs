//! External targets of aliases: host names anywhere, asked of resolvers beside the queries. What is
//! known of each, who asks, and what is kept on the disk; what answers make of it is the business of
//! `answer`.
//!
//! Nobody who answers waits for any of this: answers come from a table that is swapped.

mod ask;
mod book;
mod file;
mod judge;
mod places;
mod reply;
mod resolvers;
mod shown;
mod work;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use meridian_answer::ExternalTarget;
use meridian_control::{Environment, SystemEnvironment};
use meridian_model::Timestamp;

use crate::config;

pub(crate) use ask::Failure;
pub(crate) use book::Counts;
pub(crate) use judge::Rules;
pub(crate) use shown::{Network, Target};
pub(crate) use work::Resolution;

use book::Book;
use file::TargetsFile;
use reply::Said;

/// What is known, told by whoever asks resolvers.
#[derive(Debug)]
pub(crate) struct Targets {
    book: Mutex<Book>,
    clock: Clock,
    /// Another one says that answers should be given by something else than before.
    revision: AtomicU64,
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
            revision: AtomicU64::new(0),
            lookups: Lookups::default(),
            nobody_to_ask: AtomicBool::new(false),
        }
    }
}

/// Has known from the first answer on what was known of targets last.
pub(crate) fn restore(config: &config::Config, targets: &Targets) {
    let known = TargetsFile::of(&config.data_dir).read();
    *targets.book() = Book::restored(known, targets.now(), config.targets.rules());
    targets.changed();
}

impl Targets {
    /// Which state of all this there is.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Answers should be given by what is known now.
    fn changed(&self) {
        self.revision.fetch_add(1, Ordering::Release);
    }

    /// All of them, in order of names and types.
    pub(crate) fn list(&self) -> Vec<Target> {
        let now = self.now();
        let mut list = shown::list(&self.book(), now);
        list.sort_by_cached_key(|target| (target.name.sort_key(), target.rtype));
        list
    }

    /// All of them, as answers go by them.
    pub(crate) fn for_answers(&self) -> Vec<ExternalTarget> {
        shown::for_answers(&self.book(), self.now())
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
