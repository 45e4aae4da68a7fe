//! Where a backup is written: under another name until it is whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use meridian_model::{Seq, Timestamp};

/// The file of a backup up to this entry, where an operator named a file or a directory.
pub(crate) fn place(path: &Path, time: Timestamp, head: Seq) -> Result<PathBuf> {
    let place = if path.is_dir() {
        let seconds = jiff::Timestamp::from_second(time.0.div_euclid(1000))?;
        let compact: String = seconds
            .to_string()
            .chars()
            .filter(|character| character.is_ascii_alphanumeric())
            .collect();
        path.join(format!("meridian-{compact}-{head}.backup"))
    } else {
        path.to_owned()
    };
    if fs::symlink_metadata(&place).is_ok() {
        bail!("{} is there already", place.display());
    }
    Ok(place)
}

/// A file that its owner alone may read, and that goes away unless it is finished.
pub(crate) struct Unfinished {
    pub(crate) file: File,
    path: PathBuf,
    place: PathBuf,
}

impl Unfinished {
    pub(crate) fn begin(place: &Path) -> Result<Self> {
        let mut path = OsString::from(place);
        path.push(format!(".unfinished-{}", std::process::id()));
        let path = PathBuf::from(path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        let place = place.to_owned();
        Ok(Self { file, path, place })
    }

    /// Gives it its name, durably.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        // A link and not a renaming, which would replace a file that came there meanwhile.
        fs::hard_link(&self.path, &self.place)?;
        let parent = self.place.parent().filter(|p| !p.as_os_str().is_empty());
        File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
