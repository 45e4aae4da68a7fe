//! Files that are replaced as a whole: whoever reads one after a crash finds the old or the new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Puts these bytes in a file's place, for the owner's eyes only. The file is there whole, and on
/// the disk, or as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    try_replace(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn try_replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let half_done = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half_done)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half_done, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
