//! The command line's side of files of measurements: reads one row by row, streams it to the server
//! in bounded portions, and says what is wrong with rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use meridian_atlas::{Point, Regions};
use meridian_control::{Environment, SystemEnvironment};
use meridian_latency::import::{
    Format, Import, ImportError, Reading, Tables, ends_lines_with_cr, packed_with,
};
use ring::digest::{self, SHA256};
use serde_json::{Value, json};

use crate::admin::{Client, Command, Conversation};
use crate::terminal::{self, Bar};
use crate::transfer::Incomplete;
use crate::visible;

use super::imported::Digest;
use super::now_s;
use super::wire::{Portion, Row};

/// Rows of one portion.
const PORTION: usize = 1000;
/// Portions that may be on their way to the server.
const AHEAD: usize = 4;
/// After so long without anything to send the server hears that more may come: it does not wait for
/// ten seconds.
const SILENCE: Duration = Duration::from_secs(3);
/// Bad rows that are shown; all are counted.
const SHOWN: usize = 20;
/// What is read of a file at once, and looked at to find out what it is.
const BUFFER: usize = 64 * 1024;

/// A file, and what is needed to understand it.
#[derive(Debug)]
pub(crate) struct Source {
    /// `-` is standard input.
    pub(crate) file: PathBuf,
    /// As it looks, unless told.
    pub(crate) format: Option<Format>,
    pub(crate) prefixes: Option<PathBuf>,
    pub(crate) targets: Option<PathBuf>,
    pub(crate) sites: Option<PathBuf>,
}

/// What came of a file.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What the server says.
    pub(crate) result: Value,
    /// Rows that are wrong: the first, and how many.
    pub(crate) faults: Vec<String>,
    pub(crate) wrong: u64,
}

/// Streams a file to the server, which was sent this command.
pub(crate) fn stream(client: &Client, command: &Command, source: &Source) -> Result<Outcome> {
    let shown = visible::text(&source.file.display().to_string()).into_owned();
    let (mut input, len) = open(&source.file)?;
    let format = format_of(source, &mut input, &shown)?;
    let tables = tables(source)?;
    let mut conversation = Conversation::open(client, command)?;
    let ready = conversation.progress()?;
    if !ready["imported"].is_null() {
        return Ok(Outcome::finish(conversation.result()?, format, 0));
    }
    let regions = regions(&ready);
    let reading = Reading {
        format,
        now_s: now_s(),
        regions,
        tables,
        key: key(),
    };
    let batches = Batch::read_ahead(Import::new(input, reading))?;
    let mut sender = Sender {
        conversation,
        under_way: 0,
    };
    let mut bar = Bar::new(client.form());
    let (mut faults, mut wrong) = (Vec::new(), 0_u64);
    let mut has_rows = false;
    // Ends with the file.
    let passed_over = loop {
        let batch = match batches.recv_timeout(SILENCE) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => {
                sender.send(Vec::new())?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => bail!("{shown} was not read to its end"),
        };
        wrong += batch.wrong;
        has_rows |= batch.wrong > 0 || !batch.rows.is_empty();
        faults.extend(batch.faults);
        faults.truncate(SHOWN);
        if !batch.rows.is_empty() {
            sender.send(batch.rows)?;
        }
        bar.draw(&shown, batch.bytes, len);
        match batch.end {
            None => {}
            Some(Ok(passed_over)) => break passed_over,
            Some(Err(error)) => return Err(anyhow!(error).context(shown)),
        }
    };
    bar.clear();
    if !has_rows && passed_over == 0 {
        bail!(
            "{shown} has no rows: nothing was read but a first line that names columns, or comments"
        );
    }
    let outcome = Outcome::finish(sender.end()?, format, passed_over);
    Ok(outcome.with_faults(faults, wrong))
}

/// What a file will be known by, with what it was read with. Of what can be read only once that
/// cannot be said beforehand.
pub(crate) fn digest(source: &Source) -> Result<Option<Digest>> {
    let tables = [&source.prefixes, &source.targets, &source.sites];
    let tables = tables.map(Option::as_deref);
    let mut all = digest::Context::new(&SHA256);
    for path in [Some(source.file.as_path())].into_iter().chain(tables) {
        let Some(path) = path else {
            all.update(&[0]);
            continue;
        };
        if path == Path::new("-") {
            return Ok(None);
        }
        let failed = || format!("cannot read {}", path.display());
        let mut file = File::open(path).with_context(failed)?;
        if !file.metadata().with_context(failed)?.is_file() {
            return Ok(None);
        }
        all.update(&[1]);
        all.update(digest_of(&mut file).with_context(failed)?.as_ref());
    }
    Ok(Some(Digest::new(all.finish().as_ref())))
}

fn digest_of(file: &mut File) -> io::Result<digest::Digest> {
    let mut context = digest::Context::new(&SHA256);
    let mut buffer = vec![0; BUFFER];
    // Ends with the file.
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(context.finish()),
            Ok(read) => context.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What the rows of a file look like: as it was told, or by its start.
fn format_of(source: &Source, input: &mut Input, shown: &str) -> Result<Format> {
    let start = input.fill_buf();
    let start = start.with_context(|| format!("cannot read {shown}"))?;
    if start.is_empty() {
        bail!("{shown} is empty");
    }
    if let Some(program) = packed_with(start) {
        bail!("{shown} is packed with {program}: unpack it first, and import what comes out");
    }
    if ends_lines_with_cr(start) {
        bail!(
            "lines of {shown} end with CR alone, so that all of it is one line: have them end with LF, \
             as tr '\\r' '\\n' does, and import what comes out"
        );
    }
    let format = source.format.or_else(|| Format::guess(start));
    let format = format
        .with_context(|| format!("{shown} does not look like anything known: name its --format"))?;
    if format == Format::RipeAtlas && source.targets.is_none() {
        bail!(
            "results of RIPE Atlas name what was pinged by its address: say which region that is, in \
             a file of address,region, and name that with --targets"
        );
    }
    Ok(format)
}

impl Outcome {
    fn finish(mut result: Value, format: Format, passed_over: u64) -> Self {
        result["format"] = format.as_str().into();
        result["wrong_rows"] = 0.into();
        result["passed_over"] = passed_over.into();
        Self {
            result,
            faults: Vec::new(),
            wrong: 0,
        }
    }

    fn with_faults(mut self, faults: Vec<String>, wrong: u64) -> Self {
        self.result["wrong_rows"] = wrong.into();
        Self {
            faults,
            wrong,
            ..self
        }
    }

    /// Prints what is wrong, and for programs all of it; an error where anything is.
    pub(crate) fn tell(
        mut self,
        client: &Client,
        print: impl FnOnce(&Value) -> Result<()>,
    ) -> Result<()> {
        if client.json {
            self.result["faults"] = self.faults.into();
            let text = visible::json(&format!("{:#}", self.result)).into_owned();
            writeln!(terminal::out(), "{text}")?;
        } else {
            for fault in &self.faults {
                let _ = writeln!(io::stderr(), "{fault}");
            }
            let more = self.wrong.saturating_sub(self.faults.len() as u64);
            if more > 0 {
                let _ = writeln!(io::stderr(), "… and {more} more rows are wrong");
            }
            print(&self.result)?;
        }
        match self.wrong {
            0 => Ok(()),
            wrong => Err(Incomplete(format!("{wrong} rows are wrong")).into()),
        }
    }
}

/// Rows that were read together.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    /// What is wrong with others: the first few, and how many.
    faults: Vec<String>,
    wrong: u64,
    /// How far it was read.
    bytes: u64,
    /// Of the last: how many rows told of no round trip, or why there are no more.
    end: Option<Result<u64, io::Error>>,
}

impl Batch {
    /// Reads in a thread of its own: while a slow source is waited for, the server is to hear that
    /// somebody is there.
    fn read_ahead<R: BufRead + Send + 'static>(mut import: Import<R>) -> Result<Receiver<Self>> {
        let (batches, read) = sync_channel(AHEAD);
        let thread = thread::Builder::new().name("reading".to_owned());
        thread.spawn(move || {
            // Ends with the file, or when nobody wants the rest.
            loop {
                let batch = Self::next(&mut import);
                let is_last = batch.end.is_some();
                if batches.send(batch).is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(read)
    }

    fn next<R: BufRead>(import: &mut Import<R>) -> Self {
        let mut batch = Self::default();
        // Ends with the file at the latest.
        while batch.rows.len() < PORTION && batch.wrong < PORTION as u64 {
            match import.next() {
                Some(Ok(record)) => batch.rows.push(record.into()),
                Some(Err(ImportError::Fault(fault))) => {
                    batch.wrong += 1;
                    if batch.faults.len() < SHOWN {
                        let fault = visible::text(&fault.to_string()).into_owned();
                        batch.faults.push(fault);
                    }
                }
                Some(Err(ImportError::Read(error))) => {
                    batch.end = Some(Err(error));
                    break;
                }
                None => {
                    batch.end = Some(Ok(import.passed_over()));
                    break;
                }
            }
        }
        batch.bytes = import.bytes();
        batch
    }
}

/// The way to the server.
struct Sender {
    conversation: Conversation,
    under_way: usize,
}

impl Sender {
    fn send(&mut self, rows: Vec<Row>) -> Result<()> {
        self.conversation.send(&Portion::Records(rows))?;
        self.under_way += 1;
        if self.under_way >= AHEAD {
            self.conversation.progress()?;
            self.under_way -= 1;
        }
        Ok(())
    }

    fn end(mut self) -> Result<Value> {
        self.conversation.send(&Portion::End)?;
        self.conversation.result()
    }
}

type Input = BufReader<Box<dyn Read + Send>>;

fn open(path: &Path) -> Result<(Input, u64)> {
    if path == Path::new("-") {
        return Ok((BufReader::with_capacity(BUFFER, Box::new(io::stdin())), 0));
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let len = file.metadata().map_or(0, |of| of.len());
    Ok((BufReader::with_capacity(BUFFER, Box::new(file)), len))
}

type ReadTable<'t> = &'t mut dyn FnMut(Input) -> Result<(), ImportError>;

fn tables(source: &Source) -> Result<Tables> {
    let mut tables = Tables::default();
    let read = |path: &Option<PathBuf>, read: ReadTable<'_>| {
        let Some(path) = path else {
            return Ok(());
        };
        read(open(path)?.0).map_err(|error| anyhow!("{}: {error}", path.display()))
    };
    read(&source.prefixes, &mut |input| tables.read_prefixes(input))?;
    read(&source.targets, &mut |input| tables.read_targets(input))?;
    read(&source.sites, &mut |input| tables.read_sites(input))?;
    Ok(tables)
}

/// What the server says of where regions are, before it takes anything.
fn regions(ready: &Value) -> Regions {
    let mut regions = Regions::empty();
    for region in ready["regions"].as_array().into_iter().flatten() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it was one of half the width"
        )]
        let degrees = |name: &str| region[name].as_f64().map(|degrees| degrees as f32);
        let point = degrees("latitude").zip(degrees("longitude"));
        let point = point.and_then(|(latitude, longitude)| Point::new(latitude, longitude));
        if let (Some(name), Some(point)) = (region["name"].as_str(), point) {
            regions.add(name, point);
        }
    }
    regions
}

/// What the server says before it takes rows.
pub(crate) fn ready(regions: &Regions) -> Value {
    let shown = regions.iter().map(|(name, at)| {
        json!({ "name": name, "latitude": at.latitude(), "longitude": at.longitude() })
    });
    json!({ "regions": shown.collect::<Value>() })
}

/// Another one for each file: who is told apart in one is not found in another.
fn key() -> [u8; 16] {
    let entropy = SystemEnvironment::new().entropy();
    *entropy.first_chunk().unwrap_or(&[0; 16])
}
