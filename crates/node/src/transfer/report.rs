//! What an import says on the way: a bar on a terminal, refusals and warnings line by line up to a
//! bound.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Refusals that are printed; all are counted, and `--json` has all.
const PRINTED: usize = 100;
/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);
/// Characters of a full bar.
const WIDTH: usize = 40;

/// Messages about places in files.
#[derive(Debug)]
pub(super) struct Messages {
    kind: &'static str,
    /// Keeps all of them, and prints none.
    json: bool,
    kept: Vec<Value>,
    count: u64,
}

impl Messages {
    /// None yet. They are printed, or kept for `json`.
    pub(super) fn new(kind: &'static str, json: bool) -> Self {
        Self {
            kind,
            json,
            kept: Vec::new(),
            count: 0,
        }
    }

    /// Takes a message.
    pub(super) fn say(&mut self, place: &str, text: &str) {
        self.count += 1;
        if self.json {
            self.kept.push(json!({ "place": place, "reason": text }));
        } else if self.count <= PRINTED as u64 {
            let _ = writeln!(io::stderr(), "{place}: {}{text}", self.kind);
        }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Says how many more there were than were printed.
    pub(super) fn end(&self) {
        if !self.json && self.count > PRINTED as u64 {
            let more = self.count - PRINTED as u64;
            let _ = writeln!(io::stderr(), "… and {more} more; --json shows all");
        }
    }

    /// All of them, for `--json`.
    pub(super) fn all(&self) -> &[Value] {
        &self.kept
    }
}

/// A bar on the terminal, if standard error is one.
#[derive(Debug)]
pub(super) struct Bar {
    shown: bool,
    drawn: Option<Instant>,
}

impl Bar {
    /// Nothing drawn yet.
    pub(super) fn new(json: bool) -> Self {
        Self {
            shown: !json && io::stderr().is_terminal(),
            drawn: None,
        }
    }

    /// Draws it, if it was not just now.
    pub(super) fn draw(&mut self, what: &str, done: u64, all: u64) {
        let lately = |drawn: Instant| drawn.elapsed() < DRAWN_EVERY;
        if !self.shown || self.drawn.is_some_and(lately) {
            return;
        }
        self.drawn = Some(Instant::now());
        let percent = done.min(all) * 100 / all.max(1);
        let filled = usize::try_from(percent).unwrap_or(100) * WIDTH / 100;
        let bar = format!("{:<WIDTH$}", "#".repeat(filled));
        let _ = write!(io::stderr(), "\r{what} [{bar}] {percent:>3}% {done}\x1b[K");
    }

    /// Takes it away, before something else is printed.
    pub(super) fn clear(&mut self) {
        if self.shown && self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
