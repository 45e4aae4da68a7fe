//! A file of lines that grows, and that others may move away: lines that are not in it yet, and
//! what becomes of half a line.

use std::fmt::{Display, Write as _};
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::mem;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use super::output;

/// A file, open or not. Lines gather until they are flushed.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    /// With its length.
    file: Option<(File, u64)>,
    /// As long as it may become.
    max_len: u64,
    /// Lines that are not in the file yet.
    lines: String,
    /// Half a line is there; what comes next must not continue it.
    cut: bool,
}

impl LineFile {
    /// A file that is opened when there is something to be written.
    pub(crate) fn new(path: PathBuf, max_len: u64) -> Self {
        Self {
            path,
            file: None,
            max_len,
            lines: String::new(),
            cut: false,
        }
    }

    /// Opens it to write behind what it holds.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        let file = output::append(&self.path).map_err(|error| self.at_path(&error))?;
        let len = file.metadata().map_err(|error| self.at_path(&error))?.len();
        self.file = Some((file, len));
        Ok(())
    }

    /// Makes the directory it is in. Readable by its owner and group, as files are.
    pub(crate) fn make_directory(&self) -> io::Result<()> {
        let Some(directory) = self.path.parent() else {
            return Ok(());
        };
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(directory);
        made.map_err(|error| self.at_path(&error))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Closes it: what comes next goes to whatever has its name by then.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// Goes on with whatever has its name now. Where that cannot be opened, with what it has.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.open()?;
        // Nothing is continued in a new file.
        self.lines.clear();
        self.cut = false;
        Ok(())
    }

    /// Goes on with whatever has its name when there is something to be written.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self::new(mem::take(&mut self.path), self.max_len);
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, line: impl Display) {
        if self.cut && self.lines.is_empty() {
            self.lines.push('\n');
        }
        // A string grows as needed.
        let _ = writeln!(self.lines, "{line}");
    }

    pub(crate) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Whether the lines fit, or the file is as short as one can be.
    pub(crate) fn has_room(&self) -> bool {
        let len = self.file.as_ref().map_or(0, |(_, len)| *len);
        len == 0 || len.saturating_add(self.lines.len() as u64) <= self.max_len
    }

    /// Gives up what is not in the file yet.
    pub(crate) fn forget_lines(&mut self) {
        self.lines.clear();
    }

    /// Writes the lines into the file, which is open. What a failure leaves unwritten is lost.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let outcome = self.write_lines();
        self.lines.clear();
        outcome.map_err(|error| self.at_path(&error))
    }

    fn write_lines(&mut self) -> io::Result<()> {
        let Some((file, len)) = &mut self.file else {
            return Err(io::Error::other("the file is not open"));
        };
        if *len + self.lines.len() as u64 > self.max_len {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                format!(
                    "the file may not become longer than {} bytes; move it away",
                    self.max_len
                ),
            ));
        }
        let (written, outcome) = output::write_some(file, self.lines.as_bytes());
        *len += written as u64;
        if written > 0 {
            self.cut = !self.lines.as_bytes()[..written].ends_with(b"\n");
        }
        outcome
    }

    fn at_path(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_full_file_takes_no_more_until_it_has_been_moved_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/log");
        let mut file = LineFile::new(path.clone(), 10);
        file.make_directory().unwrap();
        let write = |file: &mut LineFile, line: &str| {
            if !file.is_open() {
                file.open()?;
            }
            file.add(line);
            file.flush()
        };
        write(&mut file, "12345").unwrap();
        let full = write(&mut file, "12345").unwrap_err();
        assert_eq!(full.kind(), ErrorKind::FileTooLarge);
        assert!(full.to_string().contains("/a/b/log: "), "{full}");
        write(&mut file, "123").unwrap();
        file.close();
        write(&mut file, "1").unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "12345\n123\n");
        fs::rename(&path, path.with_extension("old")).unwrap();
        file.reopen().unwrap();
        write(&mut file, "1").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }
}
