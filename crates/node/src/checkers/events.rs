//! The event log: a line of JSON for each check whose state became the other one. A thread of its
//! own writes it; who tells of flips waits for nothing.
//!
//! It makes room by itself: a file that has become too long is kept once more under another name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::condition::Condition;
use crate::config::Config;
use crate::taps::line_file::LineFile;
use crate::visible;

use super::board::Flips;
use super::told;

/// How often flips and SIGHUP are looked for.
const PAUSE: Duration = Duration::from_millis(100);
/// Lines that are made before they are written.
const BATCH: usize = 1000;

/// The event log. Dropped, it writes what it has and ends.
pub(crate) struct EventLog {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EventLog {
    /// Listens from now on, if it is wanted.
    pub(crate) fn start(config: &Config, condition: &Arc<Condition>) -> Result<Option<Self>> {
        let Some(max_len) = config.health.event_log_bytes() else {
            return Ok(None);
        };
        let stop = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            out: Out::new(&config.data_dir, max_len),
            condition: Arc::clone(condition),
            flips: condition.board().listen(),
            stop: Arc::clone(&stop),
            failing: false,
        };
        let thread = thread::Builder::new().name("health-events".to_owned());
        Ok(Some(Self {
            stop,
            thread: Some(thread.spawn(move || writer.run())?),
        }))
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if ended.is_some_and(|ended| ended.is_err()) {
            tracing::error!("the event log of health checks ended by a panic");
        }
    }
}

/// The thread.
struct Writer {
    out: Out,
    condition: Arc<Condition>,
    flips: Receiver<Arc<Flips>>,
    stop: Arc<AtomicBool>,
    failing: bool,
}

impl Writer {
    fn run(mut self) {
        let mut hang_ups = self.condition.hang_ups();
        loop {
            // What was told before the end is written.
            let ending = self.stop.load(Ordering::Relaxed);
            let now = self.condition.hang_ups();
            if now != hang_ups {
                hang_ups = now;
                self.out.file.close();
            }
            self.drain();
            if ending {
                return;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Writes what was told since the last time.
    fn drain(&mut self) {
        loop {
            let outcome = match self.flips.try_recv() {
                Ok(flips) => self.write(&flips),
                Err(TryRecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "the event log of health checks lacks flips");
                    self.out
                        .line(&json!({ "lacks_batches": missed }).to_string())
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            };
            self.note(outcome);
        }
    }

    fn write(&mut self, flips: &Flips) -> io::Result<()> {
        let board = Arc::clone(self.condition.board());
        for (index, flip) in flips.each().enumerate() {
            let line = told::flip(&board, flips.at, &flips.state, flip).to_string();
            self.out.file.add(visible::json(&line));
            if index % BATCH == BATCH - 1 {
                self.out.flush()?;
            }
        }
        self.out.flush()
    }

    /// Says once that writing fails, and once that it does not any more.
    fn note(&mut self, outcome: io::Result<()>) {
        match outcome {
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::warn!(%error, "flips of health checks are not written down: {error}");
            }
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("flips of health checks are written down again");
            }
            _ => {}
        }
    }
}

/// The file.
struct Out {
    path: PathBuf,
    file: LineFile,
}

impl Out {
    fn new(data_dir: &Path, max_len: u64) -> Self {
        let path = data_dir.join("health-events.log");
        Self {
            file: LineFile::new(path.clone(), max_len),
            path,
        }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.file.add(line);
        self.flush()
    }

    /// Writes the lines, into a new file if the one that is there has no room for them.
    fn flush(&mut self) -> io::Result<()> {
        if !self.file.is_open() {
            self.file.open()?;
        }
        if !self.file.has_room() {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            self.file.open()?;
        }
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_full_makes_way_and_keeps_one_that_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Out::new(folder.path(), 10);
        for line in ["1234", "5678", "9", "abc"] {
            out.line(line).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("health-events.log"), "9\nabc\n");
        assert_eq!(read("health-events.log.1"), "1234\n5678\n");
    }
}
