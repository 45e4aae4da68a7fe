//! What commands have in common that show something: results for people or for programs, and a bar
//! for what takes long. What stands in results is each command's business.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);
/// Characters of a full bar.
const WIDTH: usize = 40;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Form {
    /// What a command line asks for, with `--json` or without.
    pub(crate) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// A bar on the terminal, if standard error is one.
#[derive(Debug)]
pub(crate) struct Bar {
    shown: bool,
    drawn: Option<Instant>,
}

impl Bar {
    /// Nothing is drawn yet.
    pub(crate) fn new(form: Form) -> Self {
        Self {
            shown: matches!(form, Form::Text) && io::stderr().is_terminal(),
            drawn: None,
        }
    }

    /// Draws it, if it was not just now.
    pub(crate) fn draw(&mut self, what: &str, done: u64, all: u64) {
        let lately = |drawn: Instant| drawn.elapsed() < DRAWN_EVERY;
        if !self.shown || self.drawn.is_some_and(lately) {
            return;
        }
        self.drawn = Some(Instant::now());
        if all == 0 {
            // Nobody knows how much there will be.
            let _ = write!(io::stderr(), "\r{what} {done} bytes\x1b[K");
            return;
        }
        let percent = done.min(all) * 100 / all;
        let filled = usize::try_from(percent).unwrap_or(100) * WIDTH / 100;
        let bar = format!("{:<WIDTH$}", "#".repeat(filled));
        let _ = write!(io::stderr(), "\r{what} [{bar}] {percent:>3}%\x1b[K");
    }

    /// Takes it away, before something else is printed.
    pub(crate) fn clear(&mut self) {
        if self.shown && self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
