//! The audit log: a line of JSON for each call of the API and each command at the admin socket.
//! A thread of its own writes them; whoever calls only puts a line into a queue.
//!
//! What a line says is made in `meridian_api` and in `command`.
//!
//! What cannot be written is kept in the queue, which is bounded. Calls that only read may take
//! half of it and are left out beyond that, counted. A line of a change is left out only when the
//! queue is full: then it is counted, said with its request id on standard error, and `/readyz`
//! tells of it until the process ends. Changes are not refused for it: the journal says of each
//! who made it, from where and by which request.

mod command;
mod console;

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use meridian_api::{Audit, Event};

use crate::condition::Condition;
use crate::config::Config;
use crate::taps::output;
use crate::visible;

pub(crate) use command::{Peer, Told};
pub(crate) use console::ConsoleAudit;

/// What the queue may hold, in bytes of lines.
const QUEUE_MAX: usize = 16 * 1024 * 1024;
/// What lines of calls that only read may fill it to.
const READS_MAX: usize = QUEUE_MAX / 2;
/// The most that is written at a time, but for a line that is longer.
const BATCH_MAX: usize = 256 * 1024;
/// How often SIGHUP is looked for while nothing happens, and a failed write is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// The audit log. Dropped, it writes what it has and ends.
pub(crate) struct AuditLog {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

/// What became of lines, for metrics and health.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Lines in the file.
    pub(crate) lines: AtomicU64,
    /// Lines of changes that did not get there.
    pub(crate) lost: AtomicU64,
    /// Lines of calls that only read, left out of a queue that was filling up.
    pub(crate) left_out: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Written {
    /// Why nothing can be written at present.
    pub(crate) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }
}

impl AuditLog {
    /// Opens the file and starts to write.
    pub(crate) fn start(config: &Config, condition: &Arc<Condition>) -> Result<Self> {
        let path = config.audit.path(&config.data_dir);
        let file = output::append(&path)
            .with_context(|| format!("cannot open the audit log {}", path.display()))?;
        let queue = Arc::new(Queue {
            lines: Mutex::default(),
            changed: Condvar::new(),
            reads: config.audit.reads,
            written: Arc::clone(condition.audit()),
        });
        let writer = Writer {
            queue: Arc::clone(&queue),
            condition: Arc::clone(condition),
            out: Out::new(file, path),
        };
        let thread = thread::Builder::new().name("audit".to_owned());
        Ok(Self {
            queue,
            thread: Some(thread.spawn(move || writer.run())?),
        })
    }

    /// What takes events.
    pub(crate) fn taker(&self) -> Arc<dyn Audit> {
        Arc::clone(&self.queue) as _
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.queue.lines().ended = true;
        self.queue.changed.notify_one();
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the audit log ended by a panic");
        }
    }
}

struct Queue {
    lines: Mutex<Lines>,
    changed: Condvar,
    /// Whether calls that only read are written.
    reads: bool,
    written: Arc<Written>,
}

#[derive(Default)]
struct Lines {
    waiting: VecDeque<Vec<u8>>,
    /// Of those waiting and those being written.
    bytes: usize,
    ended: bool,
}

impl Queue {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        lock(&self.lines)
    }

    fn put(&self, line: Vec<u8>, most: usize) -> bool {
        let mut lines = self.lines();
        if lines.ended || lines.bytes + line.len() > most {
            return false;
        }
        lines.bytes += line.len();
        lines.waiting.push_back(line);
        drop(lines);
        self.changed.notify_one();
        true
    }
}

impl Audit for Queue {
    fn record(&self, event: Event) {
        // Nobody unknown changes anything.
        let reads = event.read_only || event.user_identity.kind == "Unknown";
        if reads && event.error_code.is_none() && !self.reads {
            return;
        }
        let most = if reads { READS_MAX } else { QUEUE_MAX };
        // Made of texts and numbers, it can be written as JSON.
        let line = serde_json::to_string(&event).map(|line| {
            let mut line = visible::json(&line).into_owned();
            line.push('\n');
            line.into_bytes()
        });
        if line.is_ok_and(|line| self.put(line, most)) {
            return;
        }
        if reads {
            self.written.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.written.lost.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(
            event_name = event.event_name,
            principal = event.user_identity.arn,
            request_id = event.request_id,
            error_code = event.error_code,
            "the audit log has no room: it lacks {} of request {}",
            event.event_name,
            event.request_id
        );
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// The thread.
struct Writer {
    queue: Arc<Queue>,
    condition: Arc<Condition>,
    out: Out,
}

impl Writer {
    fn run(mut self) {
        let mut hang_ups = self.condition.hang_ups();
        loop {
            let ended = self.take_some();
            let now = self.condition.hang_ups();
            if now != hang_ups {
                hang_ups = now;
                let reopened = self.out.reopen();
                self.note(reopened);
            }
            let outcome = self.out.write();
            let failed = outcome.is_err();
            self.account();
            self.note(outcome);
            if ended && (failed || self.out.is_empty()) {
                break;
            }
            if failed {
                thread::sleep(PAUSE);
            }
        }
        let left = self.out.lines() + self.queue.lines().waiting.len();
        if left > 0 {
            let lost = u64::try_from(left).unwrap_or(u64::MAX);
            self.queue.written.lost.fetch_add(lost, Ordering::Relaxed);
            tracing::error!(lost, "the audit log lacks its last {lost} lines");
        }
    }

    /// Waits for lines, for a moment, and takes as many as go out at a time. Says whether no more
    /// will come.
    fn take_some(&mut self) -> bool {
        let lines = self.queue.lines();
        let idle = |lines: &mut Lines| lines.waiting.is_empty() && !lines.ended;
        let mut lines = if self.out.is_empty() {
            let waited = self.queue.changed.wait_timeout_while(lines, PAUSE, idle);
            waited.unwrap_or_else(PoisonError::into_inner).0
        } else {
            lines
        };
        while self.out.bytes.len() < BATCH_MAX
            && let Some(line) = lines.waiting.pop_front()
        {
            self.out.push(&line);
        }
        lines.ended && lines.waiting.is_empty()
    }

    /// Makes room for what is in the file.
    fn account(&mut self) {
        let (bytes, count) = self.out.take_done();
        let mut lines = self.queue.lines();
        lines.bytes = lines.bytes.saturating_sub(bytes);
        self.queue.written.lines.fetch_add(count, Ordering::Relaxed);
    }

    /// Says once that writing fails, and once that it does not any more.
    fn note(&self, outcome: io::Result<()>) {
        let mut failure = lock(&self.queue.written.failure);
        match outcome {
            Err(error) => {
                if failure.is_none() {
                    tracing::warn!(%error, "the audit log waits, it cannot be written: {error}");
                }
                *failure = Some(error.to_string());
            }
            Ok(()) if failure.is_some() => {
                tracing::info!("the audit log is written again");
                *failure = None;
            }
            Ok(()) => {}
        }
    }
}

/// The file, and the lines on their way to it.
struct Out {
    file: File,
    path: PathBuf,
    bytes: Vec<u8>,
    /// How much of them is in the file.
    done: usize,
}

impl Out {
    fn new(file: File, path: PathBuf) -> Self {
        Self {
            file,
            path,
            bytes: Vec::new(),
            done: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
    }

    fn lines(&self) -> usize {
        count_lines(&self.bytes)
    }

    /// Goes on where the last one failed, in the midst of a line if need be.
    fn write(&mut self) -> io::Result<()> {
        let rest = self.bytes.get(self.done..).unwrap_or_default();
        let (written, outcome) = output::write_some(&mut self.file, rest);
        self.done += written;
        outcome
    }

    /// Lets go of the lines that are in the file as a whole; how many bytes and lines that are.
    fn take_done(&mut self) -> (usize, u64) {
        let done = self.bytes.get(..self.done).unwrap_or_default();
        let end = done
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let count = count_lines(&done[..end]);
        self.bytes.drain(..end);
        self.done -= end;
        (end, u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Somebody has moved the file away. A line that is there in part comes whole in the new one.
    fn reopen(&mut self) -> io::Result<()> {
        self.file = output::append(&self.path)?;
        self.done = 0;
        Ok(())
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| **b == b'\n').count()
}

/// What is behind these locks is whole whenever one is let go.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the log is unless said otherwise.
pub(crate) fn default_path(data_dir: &Path) -> PathBuf {
    data_dir.join("audit.log")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use meridian_api::UserIdentity;
    use serde_json::Value;

    use super::*;

    fn event(name: &str, reads: bool, size: usize) -> Event {
        Event {
            event_version: meridian_api::EVENT_VERSION,
            user_identity: UserIdentity {
                kind: "Root",
                ..UserIdentity::default()
            },
            event_time: String::new(),
            event_source: "test",
            event_name: name.to_owned(),
            aws_region: String::new(),
            source_ip_address: String::new(),
            user_agent: "a".repeat(size),
            error_code: None,
            error_message: None,
            request_parameters: None,
            response_elements: None,
            request_id: String::new(),
            event_id: String::new(),
            read_only: reads,
            event_type: "test",
            recipient_account_id: None,
        }
    }

    fn queue() -> Queue {
        Queue {
            lines: Mutex::default(),
            changed: Condvar::new(),
            reads: true,
            written: Arc::default(),
        }
    }

    fn count(cell: &AtomicU64) -> u64 {
        cell.load(Ordering::Relaxed)
    }

    #[test]
    fn reads_leave_room_for_changes_and_what_is_left_out_is_counted() {
        let queue = queue();
        for _ in 0..20 {
            queue.record(event("ListHostedZones", true, 1024 * 1024));
        }
        assert_eq!(queue.lines().waiting.len(), 7);
        assert_eq!(count(&queue.written.left_out), 13);
        for _ in 0..10 {
            queue.record(event("DeleteHostedZone", false, 1024 * 1024));
        }
        assert_eq!(queue.lines().waiting.len(), 15);
        assert_eq!(count(&queue.written.lost), 2);
        assert!(queue.lines().bytes <= QUEUE_MAX);
    }

    #[test]
    fn reads_can_be_left_out_unless_they_were_refused() {
        let queue = Queue {
            reads: false,
            ..queue()
        };
        queue.record(event("ListHostedZones", true, 1));
        assert!(queue.lines().waiting.is_empty());
        queue.record(Event {
            error_code: Some("AccessDenied".to_owned()),
            ..event("ListHostedZones", true, 1)
        });
        assert_eq!(queue.lines().waiting.len(), 1);
        assert_eq!(count(&queue.written.left_out), 0);
    }

    #[test]
    fn lines_reach_the_file_and_its_successor() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: directory.path().to_owned(),
            ..Config::default()
        };
        let condition = Arc::<Condition>::default();
        let log = AuditLog::start(&config, &condition).unwrap();
        let path = default_path(directory.path());
        let names = |path: &Path| -> Vec<String> {
            let text = fs::read_to_string(path).unwrap();
            let name = |line| serde_json::from_str::<Value>(line).unwrap()["eventName"].clone();
            let names = text.lines().map(name);
            names
                .map(|name| name.as_str().unwrap().to_owned())
                .collect()
        };
        log.taker().record(event("One", false, 1));
        while count(&condition.audit().lines) < 1 {
            thread::sleep(Duration::from_millis(1));
        }
        let moved = directory.path().join("moved");
        fs::rename(&path, &moved).unwrap();
        condition.hung_up();
        // Nothing comes in between: the file is opened all the same.
        while !path.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        let last = 3000;
        for number in 0..last {
            log.taker()
                .record(event(&format!("Later{number}"), false, 1));
        }
        drop(log);
        assert_eq!(names(&moved), ["One"]);
        let later: Vec<String> = (0..last).map(|n| format!("Later{n}")).collect();
        assert_eq!(names(&path), later);
    }

    #[test]
    fn half_a_line_is_finished_or_comes_again_in_a_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut out = Out::new(output::append(&path).unwrap(), path.clone());
        out.push(b"first\nsecond\n");
        // As if the disk had been full after nine bytes.
        fs::write(&path, "first\nsec").unwrap();
        out.done = 9;
        assert_eq!(out.take_done(), (6, 1));
        assert_eq!(out.lines(), 1);
        out.write().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\nsecond\n");
        assert_eq!(out.take_done(), (7, 1));

        out.push(b"third\n");
        out.done = 2;
        fs::remove_file(&path).unwrap();
        out.reopen().unwrap();
        out.write().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\n");
    }
}
