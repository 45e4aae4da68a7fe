//! The query log: a line for each answered query, whatever zone it is for.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use meridian_model::{Generation, ZoneId};
use meridian_server::Record;

use super::Sink;
use super::line::Line;
use super::line_file::LineFile;
use crate::condition::Condition;

/// Zones whose ids are remembered. When there are more, all are looked up again.
const KNOWN_MAX: usize = 10_000;

/// A file of lines.
pub(super) struct QueryLog {
    file: LineFile,
    location: String,
    zones: Zones,
}

/// The ids of zones that were asked for.
struct Zones {
    condition: Arc<Condition>,
    /// A generation is never used twice.
    known: HashMap<Generation, ZoneId>,
}

impl QueryLog {
    pub(super) fn open(path: &Path, location: &str, condition: Arc<Condition>) -> Result<Self> {
        let mut file = LineFile::new(path.to_owned(), u64::MAX);
        file.open().context("cannot open the query log")?;
        Ok(Self {
            file,
            location: location.to_owned(),
            zones: Zones {
                condition,
                known: HashMap::new(),
            },
        })
    }
}

impl Zones {
    /// The zone's id; none while the tables are shut.
    fn id(&mut self, generation: Generation) -> Option<&ZoneId> {
        if !self.known.contains_key(&generation) {
            let id = self.condition.zone(generation)?;
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(generation, id);
        }
        self.known.get(&generation)
    }
}

impl Sink for QueryLog {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let Some(answered) = record.answered else {
            return Ok(());
        };
        self.file.add(Line {
            record,
            zone: answered
                .zone
                .and_then(|generation| self.zones.id(generation)),
            rcode: answered.rcode,
            location: &self.location,
        });
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file.reopen()
    }

    fn finish(&mut self) {
        // It fails as it did before, which has been said.
        let _ = self.file.flush();
    }
}
