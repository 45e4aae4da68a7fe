//! The query log: a line for each answered query, whatever zone it is for.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use meridian_model::{Generation, ZoneId};
use meridian_server::Record;

use super::line::Line;
use super::{Sink, output};
use crate::condition::Condition;

/// Zones whose ids are remembered. When there are more, all are looked up again.
const KNOWN_MAX: usize = 10_000;

/// A file of lines.
pub(super) struct QueryLog {
    path: PathBuf,
    file: File,
    /// Lines that are not in the file yet, at most a batch.
    lines: String,
    location: String,
    condition: Arc<Condition>,
    /// A generation is never used twice.
    known: HashMap<Generation, ZoneId>,
}

impl QueryLog {
    pub(super) fn open(path: &Path, location: &str, condition: Arc<Condition>) -> Result<Self> {
        let file = output::append(path)
            .with_context(|| format!("cannot open the query log {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lines: String::new(),
            location: location.to_owned(),
            condition,
            known: HashMap::new(),
        })
    }

    /// The zone's id; none while the tables are shut.
    fn zone(&mut self, generation: Generation) -> Option<ZoneId> {
        if let Some(id) = self.known.get(&generation) {
            return Some(id.clone());
        }
        let id = self.condition.zone(generation)?;
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(generation, id.clone());
        Some(id)
    }
}

impl Sink for QueryLog {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let Some(answered) = record.answered else {
            return Ok(());
        };
        let zone = answered.zone.and_then(|generation| self.zone(generation));
        let line = Line {
            record,
            zone: zone.as_ref(),
            rcode: answered.rcode,
            location: &self.location,
        };
        // A string grows as needed.
        let _ = writeln!(self.lines, "{line}");
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let (written, outcome) = output::write_some(&mut self.file, self.lines.as_bytes());
        let cut = match written {
            0 => self.lines.starts_with('\n'),
            _ => !self.lines.as_bytes()[..written].ends_with(b"\n"),
        };
        self.lines.clear();
        if cut {
            // Half a line is there; what comes next must not continue it.
            self.lines.push('\n');
        }
        outcome
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file = output::append(&self.path)?;
        // Nothing is continued in a new file.
        self.lines.clear();
        Ok(())
    }

    fn finish(&mut self) {
        // It fails as it did before, which has been said.
        let _ = self.flush();
    }
}
