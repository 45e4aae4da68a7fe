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
    let replaced = write_and_rename(&half_done, path, bytes);
    if replaced.is_err() {
        // On a full disk it would take the room that others need.
        let _ = fs::remove_file(&half_done);
    }
    replaced
}

fn write_and_rename(half_done: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(half_done)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(half_done, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a full disk had cut off stayed there and took the rest of the room.
    #[test]
    fn what_could_not_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map-1");
        replace(&path, b"old").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        // A file takes no folder's place.
        let taken = folder.path().join("folder");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("inside"), b"").unwrap();
        assert!(replace(&taken, b"new").is_err());
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 2, "{:?}", left.pop());
    }
}
