//! Files that grow, and how a file of frames makes way for the next. The audit log is one too.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Opens a file to write behind what it holds. Readable by its owner and group: it tells who asked
/// what.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

/// Makes a new file. One that is there and not empty is kept under a name with the time: what is
/// in it has a beginning and an end of its own, and another process may be writing to it.
pub(crate) fn begin(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0) {
        fs::rename(path, free_name(path))?;
    }
    append(path)
}

/// Writes as much as is taken; says how much that is, and why no more.
pub(crate) fn write_some(file: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    // Each turn writes something, or is interrupted by a signal, or is the last.
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

fn free_name(path: &Path) -> PathBuf {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut name = OsString::from(path);
    name.push(format!(".{}.{:09}", since.as_secs(), since.subsec_nanos()));
    name.into()
}
