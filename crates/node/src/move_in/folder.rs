//! The files in which record sets wait between being read and being imported: one folder for the
//! time of a command, only for its user's eyes; a set on each line.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::{env, process};

use anyhow::{Context, Error, Result};
use serde_json::json;

use super::sorting::LeftOut;
use crate::transfer::JsonSet;

/// Lines of a document before its first set.
const HEAD_LINES: usize = 1;
/// How many folders of others may be in the way.
const ATTEMPTS: u32 = 100;

/// What the folders' names begin with.
const PREFIX: &str = "meridian-import-";
/// The file that is locked for as long as a folder is in use.
const LOCK: &str = "lock";

/// The folder; it goes when this is dropped, or with the next one if its command was killed.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Kept for its lock.
    _lock: File,
}

impl Folder {
    pub(super) fn new() -> Result<Self> {
        let parent = env::temp_dir();
        sweep(&parent);
        let mut attempt = 0;
        // Ends with ATTEMPTS at the latest.
        loop {
            let path = parent.join(format!("{PREFIX}{}-{attempt}", process::id()));
            // Fails where somebody else has put something.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let lock = File::create_new(path.join(LOCK))?;
                    lock.try_lock()?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => {
                    let text = format!("cannot make {}", path.display());
                    return Err(Error::new(error).context(text));
                }
            }
        }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes folders that nobody uses any more, as far as that is allowed. Links are not followed.
fn sweep(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        if !name.to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            continue;
        }
        let lock = File::open(entry.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Sets on lines of their own.
pub(super) struct Lines {
    out: BufWriter<File>,
    pub(super) count: u64,
}

impl Lines {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            out: BufWriter::new(file),
            count: 0,
        })
    }

    pub(super) fn push(&mut self, set: &JsonSet) -> Result<()> {
        serde_json::to_writer(&mut self.out, set)?;
        self.out.write_all(b"\n")?;
        self.count += 1;
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<u64> {
        self.out.flush()?;
        Ok(self.count)
    }
}

/// The sets of such a file.
pub(super) fn sets(path: &Path) -> Result<impl Iterator<Item = Result<JsonSet>>> {
    let lines = BufReader::new(File::open(path)?).lines();
    Ok(lines.map(|line| Ok(serde_json::from_str(&line?)?)))
}

/// What a document says of its zone.
#[derive(Debug, Default)]
pub(super) struct About<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) comment: Option<&'a str>,
    pub(super) tags: &'a [(String, String)],
}

/// Writes a document for `zone import`; a set on each line, in the order they come.
pub(super) fn write_document(
    path: &Path,
    about: &About<'_>,
    sets: impl Iterator<Item = Result<JsonSet>>,
) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let tags = about.tags.iter();
    let tags: Vec<_> = tags
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    let zone = json!({ "Id": about.id, "Config": { "Comment": about.comment } });
    writeln!(
        out,
        "{{\"Format\":\"meridian-zone\",\"Version\":1,\"HostedZone\":{zone},\"Tags\":{},\
         \"ResourceRecordSets\":[",
        json!(tags)
    )?;
    let mut between = "";
    for set in sets {
        write!(out, "{between}{}", serde_json::to_string(&set?)?)?;
        between = ",\n";
    }
    writeln!(out, "\n]}}")?;
    out.flush()?;
    Ok(())
}

/// Writes a document anew with what `each` makes of its sets. Those that it leaves out are returned.
pub(super) fn rewrite_document(
    path: &Path,
    mut each: impl FnMut(JsonSet) -> Result<JsonSet, LeftOut>,
) -> Result<Vec<LeftOut>> {
    let partial = path.with_extension("partial");
    let mut out = BufWriter::new(File::create(&partial)?);
    let mut left = Vec::new();
    let mut between = "";
    for (place, line) in (0..).zip(BufReader::new(File::open(path)?).lines()) {
        let line = line?;
        if place < HEAD_LINES {
            writeln!(out, "{line}")?;
        } else if line.starts_with('{') {
            match each(serde_json::from_str(line.trim_end_matches(','))?) {
                Ok(set) => {
                    write!(out, "{between}{}", serde_json::to_string(&set)?)?;
                    between = ",\n";
                }
                Err(one) => left.push(one),
            }
        }
    }
    writeln!(out, "\n]}}")?;
    out.flush()?;
    fs::rename(&partial, path)?;
    Ok(left)
}

/// Which sets of a document were refused, from their places.
pub(super) fn refused_sets(path: &Path, refused: &[(u64, String)]) -> Result<Vec<LeftOut>> {
    let mut refused: Vec<&(u64, String)> = refused.iter().collect();
    refused.sort_by_key(|(place, _)| *place);
    let mut refused = refused.into_iter().peekable();
    let mut found = Vec::new();
    let lines = BufReader::new(File::open(path)?).lines().skip(HEAD_LINES);
    // Places count from 1.
    for (place, line) in (1..).zip(lines) {
        let line = line?;
        while let Some((_, reason)) = refused.next_if(|(other, _)| *other <= place) {
            let set: JsonSet = serde_json::from_str(line.trim_end_matches(','))?;
            found.push(LeftOut::new(&set, reason.clone()));
        }
        if refused.peek().is_none() {
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_nobody_uses_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&path).unwrap();
            let lock = File::create_new(path.join(LOCK)).unwrap();
            (path, lock)
        };
        let (used, lock) = folder("used");
        lock.try_lock().unwrap();
        let (left, _) = folder("left");
        let strange = parent.path().join(format!("{PREFIX}strange"));
        fs::create_dir(&strange).unwrap();
        sweep(parent.path());
        assert!(used.exists() && strange.exists() && !left.exists());
    }
}
