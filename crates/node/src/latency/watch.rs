//! Looks whether there is a newer map, whoever has put it there, and takes it. One that is not what
//! was written, or older than the one in use, is refused, and what is in use stays.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::condition::Condition;
use crate::panics;

use super::Latency;
use super::files::{Folder, Stamp, read_build, stamp};

/// How often it is looked whether there is a newer map.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The folder, and what was seen in it.
pub(super) struct Watch {
    folder: Folder,
    /// Newer than what is in use, and as it was when it was refused.
    refused: Option<(PathBuf, Option<Stamp>)>,
    /// The newest, as it was at the last look.
    seen: Option<(PathBuf, Option<Stamp>)>,
}

impl Watch {
    /// Reads the newest map that can be read.
    pub(super) fn begin(folder: Folder, latency: &Latency) -> Self {
        let mut watch = Self {
            folder,
            refused: None,
            seen: None,
        };
        for (build, path) in watch.folder.maps() {
            let seen = (path, None);
            if watch.take(build, seen, latency) {
                break;
            }
        }
        watch
    }

    /// Reads the newest map in a thread of its own, says so, and goes on for as long as somebody has
    /// the condition.
    pub(super) fn spawn(
        folder: Folder,
        condition: &Arc<Condition>,
        read: Sender<()>,
    ) -> Result<()> {
        let condition = Arc::clone(condition);
        let thread = thread::Builder::new().name("latency-map".to_owned());
        thread.spawn(move || {
            let watch = Self::begin(folder, condition.latency());
            let weak = Arc::downgrade(&condition);
            drop(condition);
            // Nobody waits any more if the start has failed elsewhere.
            let _ = read.send(());
            watch.run(&weak);
        })?;
        Ok(())
    }

    fn run(mut self, condition: &Weak<Condition>) {
        loop {
            thread::sleep(LOOK_EVERY);
            let Some(condition) = condition.upgrade() else {
                return;
            };
            panics::bear(|| self.look(condition.latency()));
        }
    }

    /// Takes a newer map, once a look finds no further change: a file may be in the midst of being
    /// written.
    pub(super) fn look(&mut self, latency: &Latency) {
        let in_use = latency.map().map_or(0, |map| map.build());
        let newest = self.folder.maps().into_iter().next();
        let Some((build, path)) = newest.filter(|(build, _)| *build > in_use) else {
            if self.refused.take().is_some() {
                latency.tell(|now| now.refused = None);
            }
            self.seen = None;
            return;
        };
        let now = (path.clone(), stamp(&path));
        let is_settled = self.seen.as_ref() == Some(&now);
        let is_refused = self.refused.as_ref() == Some(&now);
        self.seen = Some(now.clone());
        if is_settled && !is_refused {
            self.take(build, now, latency);
        }
    }

    /// Takes a map, or says why not.
    fn take(&mut self, build: u64, seen: (PathBuf, Option<Stamp>), latency: &Latency) -> bool {
        let (path, _) = &seen;
        let outcome = read_build(path, build).map_err(|error| format!("{error:#}"));
        let outcome = outcome.and_then(|map| {
            let (size, made_s) = (map.size(), map.made_s());
            latency.take(map)?;
            tracing::info!(
                build,
                made_s,
                bytes = size.bytes,
                "latencies are looked up in map {build}: {} ranges, {} rows",
                size.v4 + size.v6,
                size.rows
            );
            Ok(())
        });
        match outcome {
            Ok(()) => {
                // At the start a newer one may have been refused before, and still is.
                if self.refused.take_if(|(of, _)| *of == seen.0).is_some() {
                    latency.tell(|now| now.refused = None);
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, "a latency map is not taken: {error}");
                let stamp = stamp(path);
                // At the start the newest is what is told of.
                if self.refused.is_none() || seen.1.is_some() {
                    self.refused = Some((seen.0, stamp));
                    latency.tell(|now| now.refused = Some(error));
                }
                latency.tell(|now| now.refusals += 1);
                false
            }
        }
    }
}
