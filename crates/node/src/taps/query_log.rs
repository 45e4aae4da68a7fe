//! The query log: a line for each answered query, in the format of Route 53's public DNS query
//! logs:
//!
//!     1.0 2017-12-13T08:16:02.130Z Z123 example.com A NOERROR UDP FRA6 192.0.2.1 192.0.2.0/24
//!
//! version, time, hosted zone, name, type, response code, protocol, location, resolver, client
//! subnet. What is not known is `-`.

use std::collections::HashMap;
use std::fmt::{self, Display, Write as _};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use jiff::Timestamp;
use meridian_dns::message::codes::qtype;
use meridian_dns::message::{Query, Unreadable};
use meridian_dns::{Name, RecordType};
use meridian_model::{Generation, ZoneId};
use meridian_server::{Protocol, Record, rcode_label};

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
            zone,
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

/// One line.
struct Line<'r> {
    record: &'r Record,
    zone: Option<ZoneId>,
    rcode: u16,
    location: &'r str,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.record.query().map(Query::read);
        let (question, edns) = match &query {
            Some(Ok(query)) => (Some(query.question), query.edns.as_ref()),
            Some(Err(Unreadable::Header(header))) => (header.question, None),
            _ => (None, None),
        };
        let at = self
            .record
            .at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let at = i64::try_from(at.as_millis())
            .ok()
            .map(Timestamp::from_millisecond);
        write!(f, "1.0 {:.3} ", at.and_then(Result::ok).unwrap_or_default())?;
        match &self.zone {
            Some(zone) => write!(f, "{zone} ")?,
            None => f.write_str("- ")?,
        }
        match question {
            Some(question) => {
                write_name(f, question.name)?;
                write_type(f, question.qtype)?;
            }
            None => f.write_str("- - ")?,
        }
        match rcode_label(self.rcode) {
            Some(label) => write!(f, "{label} ")?,
            None => write!(f, "RCODE{} ", self.rcode)?,
        }
        f.write_str(protocol(self.record.protocol))?;
        write!(
            f,
            " {} {} ",
            self.location,
            self.record.client.ip().to_canonical()
        )?;
        let subnet = edns.and_then(|edns| edns.client_subnet?.prefix());
        match subnet {
            Some((address, len)) => write!(f, "{address}/{len}"),
            None => f.write_str("-"),
        }
    }
}

/// Without the final dot, as Route 53 does; the root keeps its own.
fn write_name(f: &mut fmt::Formatter<'_>, wire: &[u8]) -> fmt::Result {
    let Ok(name) = Name::from_wire(wire) else {
        return f.write_str("- ");
    };
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some(text) if !text.is_empty() => write!(f, "{text} "),
        _ => write!(f, "{text} "),
    }
}

fn write_type(f: &mut fmt::Formatter<'_>, code: u16) -> fmt::Result {
    match RecordType::from_code(code) {
        Some(known) => write!(f, "{} ", known.as_str()),
        None if code == qtype::ANY => f.write_str("ANY "),
        None => write!(f, "TYPE{code} "),
    }
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "UDP",
        Protocol::Tcp => "TCP",
        Protocol::Tls => "TLS",
        Protocol::Quic => "QUIC",
        Protocol::Https => "HTTPS",
    }
}
