//! `meridian backup`: the file is written by the server, beside its other work.

use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use meridian_control::{Environment, SystemEnvironment};
use meridian_log::{BackupSource, write_backup};
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::{task, time};

use super::{Answer, CLIENT_TIMEOUT, Host};
use crate::backup::{self, Unfinished};

/// How often the client is told how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(100);
/// Bytes that are written to the file at once.
const BUFFER: usize = 1024 * 1024;

/// Writes a backup, and says to the client how far it is. A client that goes away gives it up.
pub(super) async fn run(
    host: Host,
    path: PathBuf,
    with_key: bool,
    output: &mut (impl AsyncWrite + Unpin),
) -> Result<Value> {
    let (steps, mut told) = mpsc::channel(1);
    let work = task::spawn_blocking(move || {
        write(&host, &path, with_key, |step| {
            steps.blocking_send(step).is_ok()
        })
    });
    // Ends with the work, which has the other end of the channel.
    while let Some(step) = told.recv().await {
        let mut line = serde_json::to_vec(&Answer::Progress(step))?;
        line.push(b'\n');
        let written = time::timeout(CLIENT_TIMEOUT, output.write_all(&line)).await;
        if !matches!(written, Ok(Ok(()))) {
            break;
        }
    }
    drop(told);
    work.await?
}

fn write(
    host: &Host,
    path: &Path,
    with_key: bool,
    mut tell: impl FnMut(Value) -> bool,
) -> Result<Value> {
    let control = host.control()?;
    let frozen = control.freeze()?;
    let key = with_key.then(|| control.vault_key()).transpose()?;
    let now = SystemEnvironment::new().now();
    let place = backup::place(path, now, frozen.head.seq)?;
    let unfinished = Unfinished::begin(&place)?;
    let source = BackupSource {
        journal: &**host.journal()?,
        head: frozen.head,
        digest: frozen.digest,
        vault: &frozen.vault,
        key,
        time: now,
        version: env!("CARGO_PKG_VERSION"),
    };
    let all = frozen.head.seq.0;
    let mut last = None::<Instant>;
    let mut progress = |done: meridian_model::Seq| {
        if last.is_some_and(|last| last.elapsed() < TOLD_EVERY) {
            return true;
        }
        last = Some(Instant::now());
        tell(json!({ "step": "backing up", "done": done.0, "all": all }))
    };
    let out = BufWriter::with_capacity(BUFFER, &unfinished.file);
    let written = write_backup(&source, out, &mut progress)?;
    unfinished.finish()?;
    Ok(json!({
        "file": place,
        "epoch": frozen.head.epoch,
        "head": frozen.head.seq.0,
        "entries": written.entries,
        "secrets": written.secrets,
        "bytes": written.bytes,
        "vault_key": frozen.vault.key_id().to_string(),
        "with_key": with_key,
    }))
}
