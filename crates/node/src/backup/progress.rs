//! How far a backup has been read or written, as a bar on the terminal.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Form;

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);
/// Characters of a full bar.
const WIDTH: usize = 40;

/// A file that is read from front to back.
pub(super) struct Input {
    file: BufReader<File>,
    length: u64,
    read: Rc<Cell<u64>>,
    form: Form,
}

impl Input {
    pub(super) fn open(path: &Path, form: Form) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self {
            length: file.metadata()?.len(),
            file: BufReader::with_capacity(1024 * 1024, file),
            read: Rc::default(),
            form,
        })
    }

    /// What shows how far it has been read.
    pub(super) fn progress(&self, what: &'static str) -> Reading {
        Reading {
            read: Rc::clone(&self.read),
            length: self.length,
            what,
            bar: Bar::new(self.form),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

pub(super) struct Reading {
    read: Rc<Cell<u64>>,
    length: u64,
    what: &'static str,
    bar: Bar,
}

impl Reading {
    /// Draws the bar, if it was not just now. Nobody gives up here: who does interrupts.
    pub(super) fn draw(&mut self) -> bool {
        self.bar.draw(self.what, self.read.get(), self.length);
        true
    }

    pub(super) fn clear(mut self) {
        self.bar.clear();
    }
}

/// A bar on the terminal, if standard error is one.
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
        let percent = done.min(all) * 100 / all.max(1);
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
