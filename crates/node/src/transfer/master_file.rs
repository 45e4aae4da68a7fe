//! Reading a master file and those it includes, with the rights of whoever runs the command.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use meridian_dns::Name;
use meridian_dns::zonefile::{Include, Item, MAX_ENTRY_BYTES, Reader};

use super::Format;
use super::records::Contents;
use super::report::Messages;
use crate::terminal::Bar;

/// How deep files may include each other.
const MAX_DEPTH: usize = 8;
/// How many files may be included in all.
const MAX_FILES: usize = 1000;

/// Reads a file into sorted records. What is refused is said.
pub(super) fn read(
    path: &Path,
    origin: Name,
    refusals: &mut Messages,
    bar: &mut Bar,
) -> Result<Contents> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let length = file.metadata()?.len();
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut files = Files {
        contents: Contents::new(Format::Bind),
        reader: Reader::new(Some(origin)),
        refusals,
        bar,
        directory: directory.canonicalize()?,
        included: 0,
        length,
        done: 0,
    };
    let number = files.contents.add_file(path.display().to_string());
    files.read(BufReader::new(file), number, 0)?;
    let mut contents = files.contents;
    contents.sort();
    Ok(contents)
}

struct Files<'a> {
    contents: Contents,
    reader: Reader,
    refusals: &'a mut Messages,
    bar: &'a mut Bar,
    /// Files outside are not included.
    directory: PathBuf,
    included: usize,
    /// Of the first file, for the bar.
    length: u64,
    done: u64,
}

impl Files<'_> {
    fn read(&mut self, mut input: impl BufRead, file: usize, depth: usize) -> Result<()> {
        let mut line = Vec::new();
        let longest = MAX_ENTRY_BYTES as u64;
        // Ends with the file.
        loop {
            line.clear();
            if input.by_ref().take(longest).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if depth == 0 {
                self.done += line.len() as u64;
                self.bar.draw("reading", self.done, self.length);
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if line.len() as u64 == longest {
                bail!(
                    "{}: a line of more than 256 KiB",
                    self.contents.shown_line(file, 0)
                );
            }
            let item = self.reader.line(&line);
            self.take(item, file, depth)?;
            while let Some(item) = self.reader.generated() {
                self.take(Some(item), file, depth)?;
            }
        }
        let item = self.reader.end();
        self.take(item, file, depth)
    }

    fn take(&mut self, item: Option<Item>, file: usize, depth: usize) -> Result<()> {
        match item {
            None => {}
            Some(Item::Record(record)) => self.contents.add_record(file, &record),
            Some(Item::Refused(refused)) => self.refuse(file, refused.line, &refused.reason),
            Some(Item::Include(include)) => match self.open(&include, depth) {
                Ok((input, shown)) => {
                    let number = self.contents.add_file(shown);
                    self.reader.enter(&include);
                    self.read(input, number, depth + 1)?;
                    self.reader.leave();
                }
                Err(error) => {
                    let reason = format!("$INCLUDE {}: {error:#}", include.file);
                    self.refuse(file, include.line, &reason);
                }
            },
        }
        Ok(())
    }

    fn refuse(&mut self, file: usize, line: u64, reason: &str) {
        self.bar.clear();
        self.refusals
            .say(&self.contents.shown_line(file, line), reason);
    }

    /// Opens a file below the directory of the first one.
    fn open(&mut self, include: &Include, depth: usize) -> Result<(BufReader<File>, String)> {
        self.included += 1;
        if depth == MAX_DEPTH || self.included > MAX_FILES {
            bail!("files are included {MAX_DEPTH} deep and {MAX_FILES} in all at most");
        }
        let path = self.directory.join(&include.file).canonicalize()?;
        let Ok(below) = path.strip_prefix(&self.directory) else {
            bail!("it is not below {}", self.directory.display());
        };
        let shown = below.display().to_string();
        Ok((BufReader::new(File::open(&path)?), shown))
    }
}
