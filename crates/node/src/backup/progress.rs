//! How far a backup has been read or written, as a bar on the terminal.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};

use crate::terminal::{Bar, Form};

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
