//! The folder `latency` in the data directory: maps by the numbers of their builds, the one that
//! waits to be accepted, and what maps are built from.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use meridian_atlas::LatencyMap;

use crate::whole_file;

/// Maps that are kept.
const KEPT: usize = 3;
/// What the name of a map begins with; the number of its build follows.
const MAP: &str = "map-";
const WAITING: &str = "waiting";
const AGGREGATE: &str = "aggregate";
const MATRIX: &str = "matrix.csv";
const IMPORTED: &str = "imported";

/// What tells one state of a file from another: inode, length, change.
pub(super) type Stamp = (u64, u64, i64, i64);

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// That of a data directory.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("latency"))
    }

    /// The file of a map.
    pub(crate) fn map(&self, build: u64) -> PathBuf {
        self.0.join(format!("{MAP}{build}"))
    }

    /// The file of the map that waits.
    pub(crate) fn waiting(&self) -> PathBuf {
        self.0.join(WAITING)
    }

    /// The maps that there are by the names of files, the newest first.
    pub(super) fn maps(&self) -> Vec<(u64, PathBuf)> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let number = |name: &str| name.strip_prefix(MAP)?.parse().ok();
        let mut maps: Vec<(u64, PathBuf)> = entries
            .filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.path())))
            .collect();
        maps.sort_unstable_by(|a, b| b.cmp(a));
        maps
    }

    /// The newest of them that is not refused, as a start takes it.
    pub(crate) fn newest(&self) -> Option<LatencyMap> {
        let maps = self.maps().into_iter();
        let mut read = maps.filter_map(|(build, path)| read_build(&path, build).ok());
        read.next()
    }

    /// Keeps a map, and takes away those that are too old to be kept. Files that are refused are
    /// none of those that are kept, and go once they are older than all of these.
    pub(super) fn put_map(&self, build: u64, bytes: &[u8]) -> Result<()> {
        self.put(&self.map(build), bytes)?;
        let mut good = 0;
        for (number, path) in self.maps() {
            if good == KEPT {
                let removed = fs::remove_file(&path);
                removed.with_context(|| format!("cannot remove {}", path.display()))?;
            } else if number == build || read_build(&path, number).is_ok() {
                good += 1;
            }
        }
        Ok(())
    }

    /// Keeps a map that is not to be in use yet.
    pub(super) fn put_waiting(&self, bytes: &[u8]) -> Result<()> {
        self.put(&self.waiting(), bytes)
    }

    /// Nothing waits any more.
    pub(super) fn drop_waiting(&self) -> Result<()> {
        remove(&self.waiting())
    }

    /// What samples came to, if anything is kept.
    pub(super) fn aggregate(&self) -> Result<Option<Vec<u8>>> {
        read(&self.0.join(AGGREGATE))
    }

    /// Keeps what samples came to.
    pub(super) fn put_aggregate(&self, bytes: &[u8]) -> Result<()> {
        self.put(&self.0.join(AGGREGATE), bytes)
    }

    /// Puts aside what samples came to, as it cannot be read; returns where.
    pub(super) fn put_aggregate_aside(&self) -> Result<PathBuf> {
        self.put_aside(AGGREGATE)
    }

    /// Likewise round trips between regions.
    pub(super) fn put_matrix_aside(&self) -> Result<PathBuf> {
        self.put_aside(MATRIX)
    }

    fn put_aside(&self, name: &str) -> Result<PathBuf> {
        let aside = self.0.join(format!("{name}.unreadable"));
        let moved = fs::rename(self.0.join(name), &aside);
        moved.with_context(|| format!("cannot move to {}", aside.display()))?;
        Ok(aside)
    }

    /// Round trips between regions, if any are kept.
    pub(super) fn matrix(&self) -> Result<Option<Vec<u8>>> {
        read(&self.0.join(MATRIX))
    }

    /// Keeps round trips between regions.
    pub(super) fn put_matrix(&self, bytes: &[u8]) -> Result<()> {
        self.put(&self.0.join(MATRIX), bytes)
    }

    /// Which files were taken, if that is kept.
    pub(super) fn imported(&self) -> Result<Option<Vec<u8>>> {
        read(&self.0.join(IMPORTED))
    }

    /// Keeps which files were taken.
    pub(super) fn put_imported(&self, bytes: &[u8]) -> Result<()> {
        self.put(&self.0.join(IMPORTED), bytes)
    }

    /// Likewise which files were taken.
    pub(super) fn put_imported_aside(&self) -> Result<PathBuf> {
        self.put_aside(IMPORTED)
    }

    /// No file was taken, by what is known now.
    pub(super) fn drop_imported(&self) -> Result<()> {
        let removed = remove(&self.0.join(IMPORTED));
        // What is no file cannot be removed as one.
        removed.or_else(|_| self.put_imported_aside().map(|_| ()))
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let made = DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&self.0);
        made.with_context(|| format!("cannot make {}", self.0.display()))?;
        whole_file::replace(path, bytes)
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The state of a file; none of one that is not there.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let of = fs::metadata(path).ok()?;
    Some((of.ino(), of.len(), of.ctime(), of.ctime_nsec()))
}

/// Reads a map, whoever made it.
pub(crate) fn read_map(path: &Path) -> Result<LatencyMap> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    LatencyMap::read(&bytes).with_context(|| format!("{shown} is refused"))
}

/// Reads the map of this build.
pub(super) fn read_build(path: &Path, build: u64) -> Result<LatencyMap> {
    let map = read_map(path)?;
    if map.build() != build {
        let shown = path.display();
        bail!(
            "{shown} is refused: it is build {}, not {build}",
            map.build()
        );
    }
    Ok(map)
}
