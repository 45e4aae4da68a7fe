//! Looks whether the files have changed, and reads them when they have.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::condition::Condition;
use crate::panics;

use super::files::{Files, Outcome, Stamp};

/// How often it is looked whether SIGHUP has come.
const LISTEN_EVERY: Duration = Duration::from_millis(250);
/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The files, and what was seen of them.
pub(super) struct Watch {
    files: Files,
    /// As they were when they were read.
    read: Vec<Option<Stamp>>,
    /// As they were at the last look.
    seen: Vec<Option<Stamp>>,
    hang_ups: u64,
}

impl Watch {
    /// Reads the files for the first time.
    pub(super) fn begin(files: Files, condition: &Condition) -> Self {
        let mut watch = Self {
            files,
            read: Vec::new(),
            seen: Vec::new(),
            hang_ups: condition.hang_ups(),
        };
        watch.load(condition);
        watch
    }

    /// Reads the files in a thread of its own, says so, and goes on for as long as somebody has the
    /// condition.
    pub(super) fn spawn(files: Files, condition: &Arc<Condition>, read: Sender<()>) -> Result<()> {
        let condition = Arc::clone(condition);
        let thread = thread::Builder::new().name("geo".to_owned());
        thread.spawn(move || {
            let watch = Self::begin(files, &condition);
            let weak = Arc::downgrade(&condition);
            drop(condition);
            // Nobody waits any more if the start has failed elsewhere.
            let _ = read.send(());
            watch.run(&weak);
        })?;
        Ok(())
    }

    fn run(mut self, condition: &Weak<Condition>) {
        let mut looked = Instant::now();
        loop {
            thread::sleep(LISTEN_EVERY);
            let Some(condition) = condition.upgrade() else {
                return;
            };
            let hang_ups = condition.hang_ups();
            if hang_ups != self.hang_ups {
                self.hang_ups = hang_ups;
                panics::bear(|| self.load(&condition));
            } else if looked.elapsed() >= LOOK_EVERY {
                looked = Instant::now();
                panics::bear(|| self.look(&condition));
            }
        }
    }

    /// Reads what has changed, once a look finds no further change: a file may be in the midst of
    /// being written.
    pub(super) fn look(&mut self, condition: &Condition) {
        let stamps = self.files.stamps();
        if stamps == self.seen && stamps != self.read {
            self.load(condition);
        }
        self.seen = stamps;
    }

    pub(super) fn load(&mut self, condition: &Condition) {
        // Before they are read: what changes meanwhile is read again.
        self.read = self.files.stamps();
        let began = Instant::now();
        match self.files.load() {
            Outcome::Made(atlas, failure) => {
                let took = began.elapsed();
                if let Some(error) = &failure {
                    tracing::error!(%error, "addresses are looked up without a file: {error}");
                }
                let size = atlas.size();
                let names = atlas.sources().iter().map(|source| source.name.as_str());
                tracing::info!(
                    took_ms = took.as_millis(),
                    bytes = size.bytes,
                    "addresses are looked up in {} ranges, by: {}",
                    size.v4 + size.v6,
                    names.collect::<Vec<_>>().join(", ")
                );
                condition.geo().is_now(*atlas, took, failure);
            }
            Outcome::Refused(error) => {
                tracing::error!(
                    %error,
                    "addresses are looked up as before until the files are mended: {error}"
                );
                condition.geo().stays(error);
            }
        }
    }
}
