//! A file taken apart: into lines, or into the elements of one array. Bounded, whatever it holds.

use std::io::{BufRead, ErrorKind, Read};

use super::format::passes_over;
use super::{Fault, ImportError, Wrong};

/// The longest row, in bytes.
pub(super) const MAX_PIECE: usize = 1024 * 1024;

/// What a file is taken apart into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Not looked at yet.
    Unknown,
    Lines,
    /// Elements of an array, of which the next begins.
    Array,
    /// Nothing follows.
    Ended,
}

/// A row.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// The line on which it begins.
    pub(super) line: u64,
    pub(super) text: &'a str,
}

/// The rows of a file.
#[derive(Debug)]
pub(super) struct Pieces<R> {
    input: R,
    may_be_array: bool,
    shape: Shape,
    /// The line that the next byte is on.
    line: u64,
    bytes: u64,
    /// What was read ahead of the first row and is part of it.
    held: Vec<u8>,
    piece: Vec<u8>,
}

impl<R: BufRead> Pieces<R> {
    pub(super) fn new(input: R, may_be_array: bool) -> Self {
        Self {
            input,
            may_be_array,
            shape: Shape::Unknown,
            line: 1,
            bytes: 0,
            held: Vec::new(),
            piece: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// There is no further row.
    pub(super) fn end_here(&mut self) {
        self.shape = Shape::Ended;
    }

    /// The next row. After an error of reading there is none.
    pub(super) fn next(&mut self) -> Option<Result<Piece<'_>, ImportError>> {
        let found = self.find();
        let line = match found {
            Ok(line) => line?,
            Err(error) => {
                if let ImportError::Read(_) = error {
                    self.shape = Shape::Ended;
                }
                return Some(Err(error));
            }
        };
        let text = match str::from_utf8(&self.piece) {
            Ok(text) => text.trim(),
            Err(_) => return Some(Err(fault(line, Wrong::NotText))),
        };
        Some(Ok(Piece { line, text }))
    }

    /// Puts the next row where rows are, and returns the line it begins on.
    fn find(&mut self) -> Result<Option<u64>, ImportError> {
        if self.shape == Shape::Unknown {
            self.begin()?;
        }
        match self.shape {
            Shape::Lines => self.find_line(),
            Shape::Array => self.find_element(),
            Shape::Unknown | Shape::Ended => Ok(None),
        }
    }

    /// Finds out what the file is taken apart into.
    fn begin(&mut self) -> Result<(), ImportError> {
        // The mark that some programs put before UTF-8; no more than a part of it is a row's.
        for byte in b"\xEF\xBB\xBF" {
            if self.peek()? != Some(*byte) {
                break;
            }
            self.take_byte()?;
            self.held.push(*byte);
        }
        if self.held.len() == 3 {
            self.held.clear();
        }
        self.shape = Shape::Lines;
        if self.may_be_array && self.held.is_empty() && self.skip_space()? == Some(b'[') {
            self.take_byte()?;
            self.shape = Shape::Array;
        }
        Ok(())
    }

    fn find_line(&mut self) -> Result<Option<u64>, ImportError> {
        // Ends with the file.
        loop {
            let line = self.line;
            self.piece.clear();
            self.piece.append(&mut self.held);
            let mut most = self.input.by_ref().take(MAX_PIECE as u64 + 1);
            let read = most.read_until(b'\n', &mut self.piece)?;
            if read == 0 && self.piece.is_empty() {
                self.shape = Shape::Ended;
                return Ok(None);
            }
            self.bytes += read as u64;
            if self.piece.len() > MAX_PIECE && self.piece.last() != Some(&b'\n') {
                self.skip_line()?;
                self.line += 1;
                return Err(fault(line, Wrong::TooLong));
            }
            self.line += 1;
            let is_nothing = str::from_utf8(&self.piece).is_ok_and(|text| passes_over(text.trim()));
            if !is_nothing {
                return Ok(Some(line));
            }
        }
    }

    fn find_element(&mut self) -> Result<Option<u64>, ImportError> {
        // Before the first one nothing stands, before others a comma, which an element ends with.
        let first = self.skip_space()?;
        let line = self.line;
        match first {
            None => {
                self.shape = Shape::Ended;
                Err(fault(line, Wrong::EndlessArray))
            }
            Some(b']') => {
                self.take_byte()?;
                self.end(line)
            }
            Some(_) => self.take_element(line),
        }
    }

    /// Takes an element and the comma behind it.
    fn take_element(&mut self, line: u64) -> Result<Option<u64>, ImportError> {
        self.piece.clear();
        let mut inside = Inside::default();
        // Ends with the file, or with what is longer than a row may be.
        loop {
            let Some(byte) = self.peek()? else {
                self.shape = Shape::Ended;
                return Err(fault(line, Wrong::EndlessArray));
            };
            if inside.is_between() && byte == b']' {
                return Ok(Some(line));
            }
            self.take_byte()?;
            if inside.is_between() && byte == b',' {
                return Ok(Some(line));
            }
            inside.see(byte);
            if self.piece.len() >= MAX_PIECE {
                // Where it ends cannot be found without reading all of it.
                self.shape = Shape::Ended;
                return Err(fault(line, Wrong::TooLong));
            }
            self.piece.push(byte);
        }
    }

    /// The array has ended; nothing may follow.
    fn end(&mut self, line: u64) -> Result<Option<u64>, ImportError> {
        let behind = self.skip_space()?;
        self.shape = Shape::Ended;
        match behind {
            None => Ok(None),
            Some(_) => Err(fault(line, Wrong::BehindArray)),
        }
    }

    /// The next byte that is no space, left where it is.
    fn skip_space(&mut self) -> Result<Option<u8>, ImportError> {
        // Ends with the file.
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.take_byte()?,
                other => return Ok(other),
            }
        }
    }

    fn skip_line(&mut self) -> Result<(), ImportError> {
        // Ends with the file.
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let len = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(len);
            self.bytes += len as u64;
            if end.is_some() || len == 0 {
                return Ok(());
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        // Ends as soon as no signal comes in between.
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take_byte(&mut self) -> Result<(), ImportError> {
        if self.peek()? == Some(b'\n') {
            self.line += 1;
        }
        self.input.consume(1);
        self.bytes += 1;
        Ok(())
    }
}

/// What the reader of an element is in the midst of.
#[derive(Debug, Default)]
struct Inside {
    /// Brackets and braces that are open.
    depth: u32,
    in_text: bool,
    escaped: bool,
}

impl Inside {
    /// Whether the element may end here.
    fn is_between(&self) -> bool {
        self.depth == 0 && !self.in_text
    }

    fn see(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_text => self.escaped = true,
            b'"' => self.in_text = !self.in_text,
            _ if self.in_text => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

fn fault(line: u64, reason: Wrong) -> ImportError {
    Fault { line, reason }.into()
}
