//! Why checks failed when they failed last, on the disk, in `health-failures.json`: those who ask
//! may ask after a restart. Nothing is decided by it, so it is written now and then, by a thread of
//! its own, and when checkers end.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, ensure};
use meridian_health::Desk;
use meridian_model::{HealthCheck, HealthSlot, Timestamp};
use serde::{Deserialize, Serialize};

use crate::whole_file;

use super::board::Board;

/// How often what is new is written.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// The most that are kept, the newest ones.
const MAX_FAILURES: usize = 20_000;
/// The longest file that is read.
const MAX_LEN: u64 = 16 * 1024 * 1024;
const FORMAT: u32 = 1;

/// By place and checker, what was known when the process began.
pub(crate) type Failures = HashMap<HealthSlot, Vec<(String, Failure)>>;

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// As the API tells it.
    pub(crate) status: String,
    pub(crate) at: Timestamp,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    failures: Vec<StoredFailure>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFailure {
    check: String,
    checker: String,
    status: String,
    at_ms: i64,
}

/// Why a checker did not find a check healthy when it did not last: since it began, or else before.
pub(crate) fn last_failure(board: &Board, desk: &Desk, slot: HealthSlot) -> Option<Failure> {
    let seen = desk.observations(slot).and_then(|seen| seen.last_failure);
    if let Some(sight) = seen {
        return Some(Failure {
            status: sight.observation.status(),
            at: sight.at,
        });
    }
    let former = board.former_failures();
    let mut of_check = former.get(&slot)?.iter();
    let found = of_check.find(|(checker, _)| checker == desk.name().as_str());
    found.map(|(_, failure)| failure.clone())
}

/// Puts on the board what was kept, of the checks that there are.
pub(super) fn restore(data_dir: &Path, checks: &[HealthCheck], board: &Board) {
    let path = path(data_dir);
    let stored = read(&path).unwrap_or_else(|error| {
        let shown = path.display();
        tracing::warn!(%error, "{shown} cannot be read, failures of before are not known: {error:#}");
        Vec::new()
    });
    let slots: HashMap<&str, HealthSlot> = checks
        .iter()
        .map(|check| (check.id.as_str(), check.slot))
        .collect();
    let mut failures = Failures::new();
    for stored in stored {
        let Some(slot) = slots.get(stored.check.as_str()) else {
            continue;
        };
        let failure = Failure {
            status: stored.status,
            at: Timestamp(stored.at_ms),
        };
        let of_check = failures.entry(*slot).or_default();
        of_check.push((stored.checker, failure));
    }
    board.set_former_failures(failures);
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("health-failures.json")
}

fn read(path: &Path) -> Result<Vec<StoredFailure>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(MAX_LEN).read_to_string(&mut text)?;
    let stored: Stored = serde_json::from_str(&text)?;
    ensure!(stored.format == FORMAT, "it is of format {}", stored.format);
    Ok(stored.failures)
}

/// Keeps failures. Dropped, it keeps what there is and ends.
pub(super) struct Keeper {
    ended: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(data_dir: &Path, board: Arc<Board>) -> Result<Self> {
        let path = path(data_dir);
        let (end, ended) = mpsc::channel();
        let thread = thread::Builder::new().name("failures".to_owned());
        let work = move || {
            let mut kept = None;
            loop {
                let ending = ended.recv_timeout(KEEP_EVERY) != Err(RecvTimeoutError::Timeout);
                keep(&path, &board, &mut kept);
                if ending {
                    return;
                }
            }
        };
        Ok(Self {
            ended: Some(end),
            thread: Some(thread.spawn(work)?),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.ended.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if ended.is_some_and(|ended| ended.is_err()) {
            tracing::error!("keeping failures of health checks ended by a panic");
        }
    }
}

/// Writes what there is, unless it is what was written.
fn keep(path: &Path, board: &Board, kept: &mut Option<Stored>) {
    let stored = newest(board);
    if kept.as_ref() == Some(&stored) || (stored.failures.is_empty() && !path.exists()) {
        return;
    }
    let written = serde_json::to_vec(&stored).map_err(Into::into);
    match written.and_then(|bytes| whole_file::replace(path, &bytes)) {
        Ok(()) => *kept = Some(stored),
        Err(error) => {
            tracing::warn!(%error, "failures of health checks are not kept: {error:#}");
        }
    }
}

fn newest(board: &Board) -> Stored {
    let (state, members) = (board.state(), board.members());
    let mut failures = Vec::new();
    for check in state.checks.iter() {
        for member in &members {
            let failure = last_failure(board, &member.desk, check.slot);
            failures.extend(failure.map(|failure| StoredFailure {
                check: check.id.to_string(),
                checker: member.desk.name().as_str().to_owned(),
                status: failure.status,
                at_ms: failure.at.0,
            }));
        }
    }
    failures.sort_unstable_by_key(|failure| Reverse(failure.at_ms));
    failures.truncate(MAX_FAILURES);
    Stored {
        format: FORMAT,
        failures,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path());
        assert!(read(&path).unwrap().is_empty());
        let board = Board::default();
        // Nothing is no file.
        keep(&path, &board, &mut None);
        assert!(!path.exists());
        let text = "{\"format\":1,\"failures\":[{\"check\":\"a\",\"checker\":\"local\",\
                    \"status\":\"Failure: Connection refused\",\"at_ms\":7}]}";
        fs::write(&path, text).unwrap();
        let stored = read(&path).unwrap();
        assert_eq!((stored[0].checker.as_str(), stored[0].at_ms), ("local", 7));
        for damaged in ["", &text[1..], &text.replace(":1,", ":2,")] {
            fs::write(&path, damaged).unwrap();
            assert!(read(&path).is_err(), "{damaged}");
            restore(folder.path(), &[], &board);
            assert!(board.former_failures().is_empty());
        }
    }
}
