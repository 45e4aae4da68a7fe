//! What checkers saw last, in `health-sights.json`, and why checks failed when they failed last, in
//! `health-failures.json`: those who ask may ask after a restart. Nothing is decided by it, so it is
//! written now and then, by a thread of its own, and when checkers end.

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
use meridian_health::{Desk, Sight};
use meridian_model::{HealthCheck, HealthSlot, Timestamp};
use serde::{Deserialize, Serialize};

use crate::panics;
use crate::whole_file;

use super::board::Board;

/// How often failures that are new are written.
const KEEP_EVERY: Duration = Duration::from_secs(60);
/// What was seen last is new each time, so it is written once in so many times.
const SIGHTS_EVERY: u32 = 10;
/// The most that are kept of either, the newest ones.
const MAX_KEPT: usize = 20_000;
/// The longest file that is read.
const MAX_LEN: u64 = 16 * 1024 * 1024;
const FORMAT: u32 = 1;

/// By place and checker, what was known when the process began.
pub(crate) type Reports = HashMap<HealthSlot, Vec<(String, Report)>>;

/// What a checker said of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// As the API tells it.
    pub(crate) status: String,
    pub(crate) at: Timestamp,
    /// The version of the check.
    version: Option<u64>,
}

/// What was known before this process.
#[derive(Debug, Default)]
pub(crate) struct Former {
    failures: Reports,
    sights: Reports,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failures,
    Sights,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    /// Of sights, too.
    #[serde(rename = "failures")]
    reports: Vec<StoredReport>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredReport {
    check: String,
    checker: String,
    status: String,
    at_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

/// Why a checker did not find a check healthy when it did not last: since it began, or else before.
pub(crate) fn last_failure(board: &Board, desk: &Desk, slot: HealthSlot) -> Option<Report> {
    let seen = desk.observations(slot).and_then(|seen| seen.last_failure);
    let since = seen.map(|sight| Report::of(&sight, None));
    since.or_else(|| former_of(&board.former().failures, desk, slot).cloned())
}

/// What a checker saw last: since it began, or else before, when the check was what it is.
pub(crate) fn last_sight(board: &Board, desk: &Desk, slot: HealthSlot) -> Option<Report> {
    let state = board.state();
    let check = state.checks.at(slot)?;
    let version = Some(check.version);
    if let Some(seen) = desk.observations(slot) {
        return Some(Report::of(&seen.last, version));
    }
    let former = board.former();
    let report = former_of(&former.sights, desk, slot)?;
    (report.version == version && !check.config.disabled).then(|| report.clone())
}

fn former_of<'r>(reports: &'r Reports, desk: &Desk, slot: HealthSlot) -> Option<&'r Report> {
    let mut of_check = reports.get(&slot)?.iter();
    let found = of_check.find(|(checker, _)| checker == desk.name().as_str());
    found.map(|(_, report)| report)
}

impl Report {
    fn of(sight: &Sight, version: Option<u64>) -> Self {
        Self {
            status: sight.observation.status(),
            at: sight.at,
            version,
        }
    }
}

impl Kind {
    fn path(self, data_dir: &Path) -> PathBuf {
        data_dir.join(match self {
            Self::Failures => "health-failures.json",
            Self::Sights => "health-sights.json",
        })
    }

    fn last(self, board: &Board, desk: &Desk, slot: HealthSlot) -> Option<Report> {
        match self {
            Self::Failures => last_failure(board, desk, slot),
            Self::Sights => last_sight(board, desk, slot),
        }
    }
}

/// Puts on the board what was kept, of the checks that there are.
pub(super) fn restore(data_dir: &Path, checks: &[HealthCheck], board: &Board) {
    let slots: HashMap<&str, HealthSlot> = checks
        .iter()
        .map(|check| (check.id.as_str(), check.slot))
        .collect();
    let kept = |kind: Kind| known(&kind.path(data_dir), &slots);
    board.set_former(Former {
        failures: kept(Kind::Failures),
        sights: kept(Kind::Sights),
    });
}

fn known(path: &Path, slots: &HashMap<&str, HealthSlot>) -> Reports {
    let stored = read(path).unwrap_or_else(|error| {
        let shown = path.display();
        tracing::warn!(%error, "{shown} cannot be read, what checkers saw before is not known: {error:#}");
        Vec::new()
    });
    let mut reports = Reports::new();
    for stored in stored {
        let Some(slot) = slots.get(stored.check.as_str()) else {
            continue;
        };
        let report = Report {
            status: stored.status,
            at: Timestamp(stored.at_ms),
            version: stored.version,
        };
        let of_check = reports.entry(*slot).or_default();
        of_check.push((stored.checker, report));
    }
    reports
}

fn read(path: &Path) -> Result<Vec<StoredReport>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(MAX_LEN).read_to_string(&mut text)?;
    let stored: Stored = serde_json::from_str(&text)?;
    ensure!(stored.format == FORMAT, "it is of format {}", stored.format);
    Ok(stored.reports)
}

/// Keeps both. Dropped, it keeps what there is and ends.
pub(super) struct Keeper {
    ended: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(data_dir: &Path, board: Arc<Board>) -> Result<Self> {
        let paths = [Kind::Failures, Kind::Sights].map(|kind| (kind, kind.path(data_dir)));
        let (end, ended) = mpsc::channel();
        let thread = thread::Builder::new().name("reports".to_owned());
        let work = move || {
            let mut kept = [None, None];
            for turn in 1_u32.. {
                let ending = ended.recv_timeout(KEEP_EVERY) != Err(RecvTimeoutError::Timeout);
                let all = ending || turn.is_multiple_of(SIGHTS_EVERY);
                for ((kind, path), kept) in paths.iter().zip(&mut kept) {
                    if all || *kind == Kind::Failures {
                        panics::bear(|| keep((*kind, path), &board, kept));
                    }
                }
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
            tracing::error!("keeping what checkers saw ended by a panic");
        }
    }
}

/// Writes what there is, unless it is what was written.
fn keep((kind, path): (Kind, &Path), board: &Board, kept: &mut Option<Stored>) {
    let stored = newest(kind, board);
    if kept.as_ref() == Some(&stored) || (stored.reports.is_empty() && !path.exists()) {
        return;
    }
    let written = serde_json::to_vec(&stored).map_err(Into::into);
    match written.and_then(|bytes| whole_file::replace(path, &bytes)) {
        Ok(()) => *kept = Some(stored),
        Err(error) => {
            tracing::warn!(%error, "what checkers saw is not kept: {error:#}");
        }
    }
}

fn newest(kind: Kind, board: &Board) -> Stored {
    let (state, members) = (board.state(), board.members());
    let mut reports = Vec::new();
    for check in state.checks.iter() {
        for member in &members {
            let report = kind.last(board, &member.desk, check.slot);
            reports.extend(report.map(|report| StoredReport {
                check: check.id.to_string(),
                checker: member.desk.name().as_str().to_owned(),
                status: report.status,
                at_ms: report.at.0,
                version: report.version,
            }));
        }
    }
    reports.sort_unstable_by_key(|report| Reverse(report.at_ms));
    reports.truncate(MAX_KEPT);
    Stored {
        format: FORMAT,
        reports,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (kind, path) = (Kind::Failures, Kind::Failures.path(folder.path()));
        assert!(read(&path).unwrap().is_empty());
        let board = Board::default();
        // Nothing is no file.
        keep((kind, &path), &board, &mut None);
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
            assert!(board.former().failures.is_empty());
        }
    }
}
