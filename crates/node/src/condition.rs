//! How this process is doing, told by those who know and read by the monitor.
//!
//! Whoever stops, fails or goes on says so here; nobody is asked. So the monitor holds no file and
//! no part of the control plane, which come and go while a server is replaced.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use meridian_log::{
    AppendError, Commit, Entry, Head, Journal, JournalError, LocalJournal, StorageError, Tables,
};
use meridian_model::{Generation, QueryLoggingConfig, Seq, State, Timestamp, ZoneId};
use meridian_server::Counters;

use crate::audit::Written;
use crate::checkers::Board;
use crate::geo::Geo;
use crate::latency::Latency;
use crate::taps::Log;
use crate::targets::Targets;
use crate::webhooks::Hook;

/// How long the feed may fail before it is no passing trouble any more.
const FAILING_MAX: Duration = Duration::from_secs(10);
/// How long one turn of the feed may take. It turns twice a second when there is nothing to do.
const TURN_MAX: Duration = Duration::from_secs(60);

/// What is known about this process.
pub(crate) struct Condition {
    pub(crate) started: SystemTime,
    stopping: AtomicBool,
    /// The counters of the server that answers DNS, if one does.
    answering: Mutex<Option<Counters>>,
    feed: Mutex<Feed>,
    journal: Mutex<JournalState>,
    /// What zones are called is read from them.
    tables: Mutex<Option<Arc<Tables>>>,
    /// The logs of DNS traffic that are on.
    logs: Mutex<Vec<Log>>,
    audit: Arc<Written>,
    geo: Arc<Geo>,
    latency: Arc<Latency>,
    targets: Arc<Targets>,
    board: Arc<Board>,
    webhooks: Mutex<Vec<Arc<Hook>>>,
    /// How often SIGHUP came.
    hang_ups: AtomicU64,
    /// How often it changed which zones are logged by themselves.
    zone_log_changes: AtomicU64,
    /// How many are.
    logged_zones: AtomicUsize,
    health: Mutex<HealthCounts>,
    /// Answers of the API by status code, those from 100 to 599.
    api: [AtomicU64; 500],
}

/// How many health checks there are, as answers go by them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HealthCounts {
    pub(crate) healthy: usize,
    pub(crate) unhealthy: usize,
    /// Those of them whose state somebody has said in the journal.
    pub(crate) switched: usize,
    /// Those of them whose state this node alone was told.
    pub(crate) break_glass: usize,
}

/// Where the queries for a zone are logged by themselves.
#[derive(Debug)]
pub(crate) enum ZoneLogOf {
    /// Where this says.
    Config(Box<QueryLoggingConfig>),
    /// Nowhere.
    None,
    /// The tables are shut or cannot be read.
    Unknown,
}

/// What the feed said last.
#[derive(Debug, Clone)]
struct Feed {
    state: FeedState,
    applied: Option<Seq>,
    failed_zones: usize,
}

#[derive(Debug, Clone)]
enum FeedState {
    /// It does not run, and is not meant to.
    Resting,
    /// It has turned without failing at that moment.
    Turning(Instant),
    /// It has failed since then.
    Failing { since: Instant, error: String },
    /// It is gone, though it should run.
    Dead,
}

#[derive(Debug, Clone, Default)]
struct JournalState {
    head: Option<Head>,
    /// Why it cannot be written, as of the last try.
    failure: Option<Failure>,
    /// Why there is none.
    missing: Option<String>,
}

/// Why the journal cannot be written.
#[derive(Debug, Clone)]
enum Failure {
    /// It can as soon as there is room.
    Full(String),
    Broken(String),
}

impl Failure {
    fn new(error: &StorageError) -> Self {
        if error.is_full() {
            Self::Full(error.to_string())
        } else {
            Self::Broken(error.to_string())
        }
    }
}

/// What is wrong, by what it is wrong for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// Why this process should be asked nothing.
    dns: Vec<String>,
    /// Why changes are not taken, or not served. Answers are as good as they were.
    changes: Vec<String>,
    /// What else is not as it should be.
    notes: Vec<String>,
}

/// What `/readyz` or `/readyz/changes` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is ready without any.
    pub(crate) problems: Vec<String>,
    /// What is not as it should be, though not in the way of what was asked about.
    pub(crate) notes: Vec<String>,
}

impl Readiness {
    /// Whether queries should be sent here. Whatever stops changes alone does not count: others
    /// would have to answer instead, and when all have the same trouble nobody would.
    pub(crate) fn for_queries(self) -> Verdict {
        Verdict {
            problems: self.dns,
            notes: [self.changes, self.notes].concat(),
        }
    }

    /// Whether changes should be sent here.
    pub(crate) fn for_changes(self) -> Verdict {
        Verdict {
            problems: [self.dns, self.changes].concat(),
            notes: self.notes,
        }
    }
}

impl Verdict {
    pub(crate) fn is_ready(&self) -> bool {
        self.problems.is_empty()
    }
}

/// What metrics say about the journal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    pub(crate) head: Option<Head>,
    pub(crate) applied: Option<Seq>,
    pub(crate) failed_zones: usize,
}

impl Default for Condition {
    fn default() -> Self {
        Self {
            started: SystemTime::now(),
            stopping: AtomicBool::new(false),
            answering: Mutex::default(),
            feed: Mutex::new(Feed {
                state: FeedState::Resting,
                applied: None,
                failed_zones: 0,
            }),
            journal: Mutex::default(),
            tables: Mutex::default(),
            logs: Mutex::default(),
            audit: Arc::default(),
            geo: Arc::default(),
            latency: Arc::default(),
            targets: Arc::default(),
            board: Arc::default(),
            webhooks: Mutex::default(),
            hang_ups: AtomicU64::new(0),
            zone_log_changes: AtomicU64::new(0),
            logged_zones: AtomicUsize::new(0),
            health: Mutex::default(),
            api: [const { AtomicU64::new(0) }; 500],
        }
    }
}

impl Condition {
    /// The process ends as soon as its work is done.
    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// DNS is answered, or not any more.
    pub(crate) fn answering(&self, counters: Option<Counters>) {
        *lock(&self.answering) = counters;
    }

    /// The feed has turned: this entry is served, but for so many zones.
    pub(crate) fn feed_turned(&self, applied: Seq, failed_zones: usize) {
        *lock(&self.feed) = Feed {
            state: FeedState::Turning(Instant::now()),
            applied: Some(applied),
            failed_zones,
        };
    }

    /// A turn of the feed has failed.
    pub(crate) fn feed_failed(&self, error: String) {
        let mut feed = lock(&self.feed);
        let since = match &feed.state {
            FeedState::Failing { since, .. } => *since,
            _ => Instant::now(),
        };
        feed.state = FeedState::Failing { since, error };
    }

    /// The feed has stopped as it was told to.
    pub(crate) fn feed_rests(&self) {
        lock(&self.feed).state = FeedState::Resting;
    }

    /// The feed has stopped by itself.
    pub(crate) fn feed_died(&self) {
        lock(&self.feed).state = FeedState::Dead;
    }

    /// Answers come from the tables alone, for this reason.
    pub(crate) fn journal_missing(&self, error: String) {
        lock(&self.journal).missing = Some(error);
    }

    /// The journal's end.
    pub(crate) fn journal_is_at(&self, head: Head) {
        lock(&self.journal).head = Some(head);
    }

    /// The journal has been looked at without writing. That it can be written is believed only
    /// where it could not for want of room.
    pub(crate) fn journal_checked(&self, outcome: Result<(), StorageError>) {
        let failure = &mut lock(&self.journal).failure;
        match outcome {
            Ok(()) if matches!(failure, Some(Failure::Full(_))) => *failure = None,
            Ok(()) => {}
            Err(error) => *failure = Some(Failure::new(&error)),
        }
    }

    /// The tables that are open; none before they are closed, which waits for look-ups.
    pub(crate) fn tables_are(&self, tables: Option<Arc<Tables>>) {
        *lock(&self.tables) = tables;
    }

    /// The zone that has this generation, as far as the tables are open.
    pub(crate) fn zone(&self, generation: Generation) -> Option<ZoneId> {
        let tables = lock(&self.tables);
        let zone = tables.as_ref()?.read().ok()?.zone_at(generation);
        Some(zone.ok()??.id)
    }

    /// Where the queries for the zone that has this generation are logged by themselves.
    pub(crate) fn zone_log_of(&self, generation: Generation) -> ZoneLogOf {
        let tables = lock(&self.tables);
        let Some(Ok(snapshot)) = tables.as_ref().map(|tables| tables.read()) else {
            return ZoneLogOf::Unknown;
        };
        let config = match snapshot.zone_at(generation) {
            Ok(Some(zone)) => snapshot.query_logging_of(&zone.id),
            Ok(None) => return ZoneLogOf::None,
            Err(_) => return ZoneLogOf::Unknown,
        };
        match config {
            Ok(Some(config)) => ZoneLogOf::Config(Box::new(config)),
            Ok(None) => ZoneLogOf::None,
            Err(_) => ZoneLogOf::Unknown,
        }
    }

    /// Other zones than before are logged by themselves, or elsewhere: now this many.
    pub(crate) fn zone_logs_are(&self, zones: usize) {
        self.logged_zones.store(zones, Ordering::Relaxed);
        self.zone_log_changes.fetch_add(1, Ordering::Release);
    }

    /// How often that has changed, and how many zones are logged by themselves.
    pub(crate) fn zone_logs(&self) -> (u64, usize) {
        let changes = self.zone_log_changes.load(Ordering::Acquire);
        (changes, self.logged_zones.load(Ordering::Relaxed))
    }

    /// Answers go by these health checks.
    pub(crate) fn health_is(&self, counts: HealthCounts) {
        *lock(&self.health) = counts;
    }

    /// The health checks that answers go by.
    pub(crate) fn health(&self) -> HealthCounts {
        *lock(&self.health)
    }

    /// The API has answered with this status.
    pub(crate) fn api_answered(&self, status: u16) {
        let place = usize::from(status).checked_sub(100);
        if let Some(cell) = place.and_then(|place| self.api.get(place)) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Answers of the API by status, those that there were.
    pub(crate) fn api_answers(&self) -> impl Iterator<Item = (u16, u64)> {
        let counts = self.api.iter().map(|cell| cell.load(Ordering::Relaxed));
        (100..).zip(counts).filter(|(_, count)| *count > 0)
    }

    /// These logs of DNS traffic are on.
    pub(crate) fn logs_are(&self, logs: Vec<Log>) {
        *lock(&self.logs) = logs;
    }

    /// The logs of DNS traffic that are on.
    pub(crate) fn logs(&self) -> Vec<Log> {
        lock(&self.logs).clone()
    }

    /// What becomes of the audit log.
    pub(crate) const fn audit(&self) -> &Arc<Written> {
        &self.audit
    }

    /// Who is where.
    pub(crate) const fn geo(&self) -> &Arc<Geo> {
        &self.geo
    }

    /// How fast regions are for whom.
    pub(crate) const fn latency(&self) -> &Arc<Latency> {
        &self.latency
    }

    /// What is known of external alias targets.
    pub(crate) const fn targets(&self) -> &Arc<Targets> {
        &self.targets
    }

    /// What is known of health checks.
    pub(crate) const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// These are told of flips of health checks.
    pub(crate) fn webhooks_are(&self, webhooks: Vec<Arc<Hook>>) {
        *lock(&self.webhooks) = webhooks;
    }

    /// Who is told of flips of health checks.
    pub(crate) fn webhooks(&self) -> Vec<Arc<Hook>> {
        lock(&self.webhooks).clone()
    }

    /// SIGHUP has come.
    pub(crate) fn hung_up(&self) {
        self.hang_ups.fetch_add(1, Ordering::Relaxed);
    }

    /// How often SIGHUP has come.
    pub(crate) fn hang_ups(&self) -> u64 {
        self.hang_ups.load(Ordering::Relaxed)
    }

    /// The counters of the server that answers DNS.
    pub(crate) fn counters(&self) -> Option<Counters> {
        lock(&self.answering).clone()
    }

    /// How far the journal is, and what is served.
    pub(crate) fn progress(&self) -> Progress {
        let feed = lock(&self.feed).clone();
        Progress {
            head: lock(&self.journal).head,
            applied: feed.applied,
            failed_zones: feed.failed_zones,
        }
    }

    /// What is wrong as of `now`.
    pub(crate) fn readiness(&self, now: Instant) -> Readiness {
        let mut readiness = Readiness::default();
        if self.stopping.load(Ordering::Relaxed) {
            readiness.dns.push("stopping".to_owned());
        }
        if lock(&self.answering).is_none() {
            readiness.dns.push("DNS is not answered".to_owned());
        }
        let journal = lock(&self.journal).clone();
        if let Some(Failure::Full(error) | Failure::Broken(error)) = &journal.failure {
            let text = format!("the journal cannot be written: {error}");
            readiness.changes.push(text);
        }
        if let Some(error) = self.audit.failure() {
            let text = format!("the audit log cannot be written: {error}");
            readiness.changes.push(text);
        }
        let lost = self.audit.lost.load(Ordering::Relaxed);
        if lost > 0 {
            let text = format!("the audit log lacks {lost} changes since the start");
            readiness.notes.push(text);
        }
        let feed = lock(&self.feed).clone();
        if let (Some(head), Some(applied)) = (journal.head, feed.applied)
            && applied > head.seq
        {
            readiness.changes.push(format!(
                "only old data is served: the journal ends with entry {}, the tables hold entry \
                 {applied}",
                head.seq
            ));
        }
        if feed.failed_zones > 0 {
            let text = format!("{} zones keep older data", feed.failed_zones);
            readiness.notes.push(text);
        }
        let by_hand = self.health().break_glass;
        if by_hand > 0 {
            let text = format!("break-glass says the state of {by_hand} health checks");
            readiness.notes.push(text);
        }
        readiness.notes.extend(self.latency.notes());
        readiness.notes.extend(self.targets.notes());
        if let Some(error) = self.geo.failure() {
            let text = format!("addresses are not looked up in all files: {error}");
            readiness.notes.push(text);
        }
        match feed.state.trouble(journal.missing, now) {
            Some(Trouble::Lasting(text)) => readiness.changes.push(text),
            Some(Trouble::Passing(text)) => readiness.notes.push(text),
            None => {}
        }
        readiness
    }
}

/// What is wrong with the feed.
enum Trouble {
    /// It may be over at the next turn.
    Passing(String),
    Lasting(String),
}

impl FeedState {
    fn trouble(self, journal_missing: Option<String>, now: Instant) -> Option<Trouble> {
        match self {
            Self::Turning(last) if now.saturating_duration_since(last) <= TURN_MAX => None,
            Self::Turning(_) => Some(Trouble::Lasting(
                "the feed is stuck: changes are not served".to_owned(),
            )),
            Self::Failing { since, error } => {
                let text = format!("changes are not served: {error}");
                if now.saturating_duration_since(since) > FAILING_MAX {
                    Some(Trouble::Lasting(text))
                } else {
                    Some(Trouble::Passing(text))
                }
            }
            Self::Dead => Some(Trouble::Lasting("the feed has ended by itself".to_owned())),
            Self::Resting => {
                let why =
                    journal_missing.unwrap_or_else(|| "nobody follows the journal".to_owned());
                Some(Trouble::Lasting(format!("only old data is served: {why}")))
            }
        }
    }
}

/// Each lock holds a value that is replaced as a whole, so a poisoned one is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A journal that says how writing went.
pub(crate) struct Watched {
    pub(crate) journal: Arc<LocalJournal>,
    pub(crate) condition: Arc<Condition>,
}

impl Journal for Watched {
    fn head(&self) -> Result<Head, JournalError> {
        self.journal.head()
    }

    fn append(
        &self,
        expected: Head,
        commits: Vec<Commit>,
        time: Timestamp,
    ) -> Result<Head, AppendError> {
        let appended = self.journal.append(expected, commits, time);
        let mut state = lock(&self.condition.journal);
        match &appended {
            Ok(head) => {
                state.head = Some(*head);
                state.failure = None;
            }
            Err(AppendError::Storage(error)) => state.failure = Some(Failure::new(error)),
            Err(_) => {}
        }
        appended
    }

    fn level(&self) -> Result<u16, JournalError> {
        self.journal.level()
    }

    fn finalize(&self) -> Result<u16, StorageError> {
        self.journal.finalize()
    }

    fn check(&self) -> Result<(), StorageError> {
        self.journal.check()
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
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether queries and whether changes should come.
    fn ready(condition: &Condition, now: Instant) -> (bool, bool) {
        let readiness = condition.readiness(now);
        let queries = readiness.clone().for_queries();
        (queries.is_ready(), readiness.for_changes().is_ready())
    }

    fn answering() -> Condition {
        let condition = Condition::default();
        condition.answering(Some(Counters::default()));
        condition.feed_turned(Seq(3), 0);
        condition
    }

    #[test]
    fn it_is_ready_while_dns_is_answered() {
        let condition = answering();
        let now = Instant::now();
        assert_eq!(condition.readiness(now), Readiness::default());
        condition.answering(None);
        assert_eq!(ready(&condition, now), (false, false));
        let condition = answering();
        condition.stopping();
        assert_eq!(ready(&condition, now), (false, false));
    }

    #[test]
    fn a_feed_that_fails_is_no_reason_to_ask_somebody_else() {
        let condition = answering();
        let now = Instant::now();
        let stuck = now + TURN_MAX + Duration::from_secs(1);
        assert_eq!(ready(&condition, stuck), (true, false));
        let condition = answering();
        condition.feed_died();
        assert_eq!(ready(&condition, now), (true, false));
        let told = condition.readiness(now).for_queries().notes;
        assert_eq!(told, ["the feed has ended by itself"]);
    }

    #[test]
    fn a_feed_that_fails_is_given_some_time() {
        let condition = answering();
        condition.feed_failed("first".to_owned());
        let now = Instant::now();
        assert_eq!(ready(&condition, now), (true, true));
        assert_eq!(condition.readiness(now).for_changes().notes.len(), 1);
        condition.feed_failed("then".to_owned());
        let later = now + FAILING_MAX + Duration::from_secs(1);
        assert_eq!(ready(&condition, later), (true, false));
        let verdict = condition.readiness(later).for_changes();
        assert!(verdict.problems[0].contains("then"), "{verdict:?}");
        condition.feed_turned(Seq(4), 0);
        assert_eq!(ready(&condition, now), (true, true));
    }

    #[test]
    fn an_audit_log_with_gaps_is_told_of() {
        let condition = answering();
        condition.audit().lost.store(2, Ordering::Relaxed);
        let now = Instant::now();
        assert_eq!(ready(&condition, now), (true, true));
        let told = condition.readiness(now).for_queries().notes;
        assert_eq!(told, ["the audit log lacks 2 changes since the start"]);
    }

    #[test]
    fn old_data_is_shown_and_served() {
        let condition = answering();
        condition.feed_rests();
        condition.journal_missing("it is damaged".to_owned());
        let now = Instant::now();
        assert_eq!(ready(&condition, now), (true, false));
        let verdict = condition.readiness(now).for_queries();
        assert!(verdict.notes[0].contains("it is damaged"), "{verdict:?}");

        let condition = answering();
        condition.feed_turned(Seq(3), 2);
        condition.journal_is_at(Head {
            seq: Seq(2),
            ..Head::EMPTY
        });
        assert_eq!(ready(&condition, now), (true, false));
        let verdict = condition.readiness(now).for_queries();
        assert_eq!(verdict.notes.len(), 2, "{verdict:?}");
    }

    #[test]
    fn a_journal_that_takes_nothing_does_not_stop_queries() {
        let condition = Arc::new(answering());
        condition.feed_turned(Seq(1), 0);
        let journal = Watched {
            journal: Arc::new(LocalJournal::in_memory().unwrap()),
            condition: Arc::clone(&condition),
        };
        // A head that it does not have is no failure of the storage.
        let wrong = Head {
            seq: Seq(9),
            ..Head::EMPTY
        };
        assert!(journal.append(wrong, Vec::new(), Timestamp(0)).is_err());
        assert_eq!(ready(&condition, Instant::now()), (true, true));
        let full = std::io::Error::other("no space left");
        lock(&condition.journal).failure = Some(Failure::new(&StorageError::new(full)));
        assert_eq!(ready(&condition, Instant::now()), (true, false));
        let verdict = condition.readiness(Instant::now()).for_queries();
        assert!(verdict.notes[0].contains("no space left"), "{verdict:?}");
        journal
            .append(Head::EMPTY, Vec::new(), Timestamp(0))
            .unwrap();
        assert_eq!(ready(&condition, Instant::now()), (true, true));
        assert_eq!(condition.progress().head.unwrap().seq, Seq(1));
    }

    #[test]
    fn statuses_are_counted_by_number() {
        let condition = Condition::default();
        for status in [99, 100, 200, 200, 599, 600] {
            condition.api_answered(status);
        }
        let counts: Vec<_> = condition.api_answers().collect();
        assert_eq!(counts, [(100, 1), (200, 2), (599, 1)]);
    }
}
