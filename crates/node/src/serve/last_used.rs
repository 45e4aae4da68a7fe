//! Keeps the last uses of access keys in `last-used.json`, in the data directory: read at the
//! start, written once a minute if there was one, and at the end.
//!
//! The file is a help for people, not state that anything depends on: one that is lost or damaged
//! only means that keys look unused until they are used again.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use meridian_control::{Control, KeyUse};
use meridian_model::{AccessKeyId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::panics;
use crate::whole_file;

/// How often it is written, and so how much a crash can lose.
const INTERVAL: Duration = Duration::from_secs(60);
/// The longest file that is read: some hundred thousand keys.
const MAX_LEN: u64 = 64 * 1024 * 1024;
const FORMAT: u32 = 1;

/// The file, and who may write it at the moment.
pub(super) struct LastUsedFile {
    path: PathBuf,
    writing: Mutex<()>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    keys: Vec<StoredUse>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredUse {
    id: String,
    at_ms: i64,
    source: String,
}

impl LastUsedFile {
    /// Gives control what was kept, and starts the thread that keeps what it notes. It ends when
    /// nobody else has the control plane.
    pub(super) fn start(data_dir: &Path, control: &Arc<Control>) -> io::Result<Arc<Self>> {
        let file = Arc::new(Self {
            path: data_dir.join("last-used.json"),
            writing: Mutex::default(),
        });
        match file.read() {
            Ok(kept) => control.restore_uses(kept),
            Err(error) => {
                let path = file.path.display();
                tracing::warn!(%error, "{path} cannot be read, keys look unused: {error:#}");
            }
        }
        let (kept, control) = (Arc::clone(&file), Arc::downgrade(control));
        let builder = thread::Builder::new().name("last-used".to_owned());
        builder.spawn(move || kept.run(&control))?;
        Ok(file)
    }

    fn run(&self, control: &Weak<Control>) {
        // Ends with the control plane, of which it holds on to nothing while it rests.
        loop {
            thread::sleep(INTERVAL);
            let Some(control) = control.upgrade() else {
                return;
            };
            panics::bear(|| self.keep(&control));
        }
    }

    /// Writes down what was noted since the last time, as far as that can be done.
    pub(super) fn keep(&self, control: &Control) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = control.uses_to_keep().map_err(Into::into);
        let written = kept.and_then(|kept| kept.map_or(Ok(()), |kept| self.write(kept)));
        if let Err(error) = written {
            control.uses_were_not_kept();
            tracing::warn!(%error, "the last uses of access keys are not kept: {error:#}");
        }
    }

    fn read(&self) -> Result<Vec<(AccessKeyId, KeyUse)>> {
        let file = match fs::File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        let mut text = String::new();
        file.take(MAX_LEN).read_to_string(&mut text)?;
        let stored: Stored = serde_json::from_str(&text)?;
        ensure!(stored.format == FORMAT, "it is of format {}", stored.format);
        let known = stored.keys.into_iter().map(|stored| {
            let noted = KeyUse {
                at: Timestamp(stored.at_ms),
                source: stored.source,
            };
            Ok((AccessKeyId::new(&stored.id)?, noted))
        });
        known.collect()
    }

    /// The file is there whole or not at all.
    fn write(&self, kept: Vec<(AccessKeyId, KeyUse)>) -> Result<()> {
        let keys = kept.into_iter().map(|(id, noted)| StoredUse {
            id: id.to_string(),
            at_ms: noted.at.0,
            source: noted.source,
        });
        let stored = Stored {
            format: FORMAT,
            keys: keys.collect(),
        };
        whole_file::replace(&self.path, &serde_json::to_vec(&stored)?)
    }
}
