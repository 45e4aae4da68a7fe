//! The admin socket: commands for whoever may open `admin.sock` in the data directory.
//!
//! One connection carries one command: a line of JSON each way. Answers are `{"result": …}` or
//! `{"error": {"message": …}}`; `{"progress": …}` may come before, and in later versions lines with
//! other keys.

mod client;
mod command;
mod host;
pub(crate) mod policy;
mod progress;
mod render;
mod watch;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub(crate) use client::{Client, Conversation, ask, call, print, show};
pub(crate) use command::{
    AliasWords, Command, ExplainCommand, ImportCommand, PlannedChange, PolicyWords, Question,
    RecordAddCommand, RecordRemoveCommand,
};
pub(crate) use host::{Host, Listens, Office, Replacement, serve};
pub(crate) use progress::Progress;
pub(crate) use render::latency as render_latency;
pub(crate) use watch::watch;

fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}

/// Opens the socket, not blocking, for this user only. One that a killed server left is replaced.
pub(crate) fn listen(data_dir: &Path) -> Result<UnixListener> {
    let path = socket(data_dir);
    if answers(data_dir) {
        bail!("another server answers on {}", path.display());
    }
    remove_socket(data_dir);
    let listener = UnixListener::bind(&path)
        .with_context(|| format!("cannot make the admin socket {}", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whether a running server has this directory.
pub(crate) fn answers(data_dir: &Path) -> bool {
    UnixStream::connect(socket(data_dir)).is_ok()
}

/// Takes the socket away, if it is there.
pub(crate) fn remove_socket(data_dir: &Path) {
    let _ = fs::remove_file(socket(data_dir));
}
