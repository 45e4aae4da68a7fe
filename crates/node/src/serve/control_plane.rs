//! The control plane as long as its files are open: control over them, and the feed that follows
//! the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow};
use meridian_api::Audit;
use meridian_control::{Control, SystemEnvironment};
use meridian_log::{ApplyError, Journal};
use meridian_server::Live;
use tokio::runtime::Handle;
use tokio::task;

use super::collector;
use super::last_used::LastUsedFile;
use crate::admin::{self, Office};
use crate::alarms::Alarms;
use crate::answering::Answers;
use crate::beacon::Agents;
use crate::break_glass::BreakGlassFile;
use crate::checkers::{Checkers, Observed};
use crate::condition::{Condition, Watched};
use crate::config::Config;
use crate::feed::Feed;
use crate::latency;
use crate::store::Files;
use crate::targets::Resolution;

/// How long requests in progress may take once the API and the admin socket are shut.
const REQUESTS_TIMEOUT: Duration = Duration::from_secs(2);
/// How often that is looked at.
const REQUESTS_PAUSE: Duration = Duration::from_millis(1);

/// Open files and what works on them.
pub(super) struct ControlPlane {
    files: Files,
    control: Arc<Control>,
    live: Arc<Live>,
    condition: Arc<Condition>,
    last_used: Arc<LastUsedFile>,
    break_glass: Arc<BreakGlassFile>,
    stop: Arc<AtomicBool>,
    feed: JoinHandle<()>,
    checkers: Checkers,
    alarms: Alarms,
    /// Asks for external alias targets.
    targets: Resolution,
    /// Builds latency maps, if they are built here.
    maps: Option<latency::Builder>,
}

/// Requests are still at work: the control plane goes on.
pub(super) struct Busy {
    pub(super) control_plane: ControlPlane,
    pub(super) error: Error,
}

impl ControlPlane {
    /// Starts following the journal from where `feed` is.
    pub(super) fn start(
        config: &Config,
        files: Files,
        feed: Feed,
        (live, runtime): (&Arc<Live>, &Handle),
    ) -> Result<Self> {
        let journal = Watched {
            journal: Arc::clone(&files.journal),
            condition: Arc::clone(feed.condition()),
        };
        let condition = Arc::clone(feed.condition());
        let break_glass = feed.break_glass().map(Arc::clone);
        let break_glass = break_glass.context("the feed heeds no switches")?;
        let control = Control::new(
            Arc::new(journal),
            Arc::clone(&files.tables),
            Arc::clone(&files.vault),
            Arc::clone(feed.acks()),
            Box::new(SystemEnvironment::new()),
        );
        let control = control
            .with_query_logging(config.query_logging())
            .with_answering(Box::new(Answers {
                live: Arc::clone(live),
                board: Arc::clone(condition.board()),
            }))
            .with_observations(Box::new(Observed::new(condition.board(), &config.alarms)));
        let control = Arc::new(control);
        let stop = Arc::new(AtomicBool::new(false));
        let (followed, ended) = (Arc::clone(live), Arc::clone(&stop));
        let feed = thread::Builder::new()
            .name("feed".to_owned())
            .spawn(move || feed.run(&followed, &ended))?;
        collector::start(&control)?;
        let last_used = LastUsedFile::start(&config.data_dir, &control)?;
        let checkers = Checkers::start(config, &condition)?;
        let alarms = Alarms::start(config, &condition, runtime)?;
        let targets = Resolution::start(config, &condition, live)?;
        let maps = latency::Builder::start(config, &condition)?;
        Ok(Self {
            files,
            control,
            live: Arc::clone(live),
            condition,
            last_used,
            break_glass,
            stop,
            feed,
            checkers,
            alarms,
            targets,
            maps,
        })
    }

    /// Every operation.
    pub(super) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// What admin commands work on.
    pub(super) fn host(&self, config: &Config, audit: Arc<dyn Audit>) -> admin::Host {
        admin::Host {
            office: Office::Open {
                control: Arc::clone(&self.control),
                journal: Arc::clone(&self.files.journal) as _,
            },
            tables: Arc::clone(&self.files.tables),
            live: Arc::clone(&self.live),
            audit,
            geo: Arc::clone(self.condition.geo()),
            latency: Arc::clone(self.condition.latency()),
            targets: Arc::clone(self.condition.targets()),
            workshop: self.maps.as_ref().map(|maps| Arc::clone(maps.workshop())),
            listens: config.listens(),
            break_glass: Arc::clone(&self.break_glass),
            board: Arc::clone(self.condition.board()),
            certificates: config.health.certificates(),
            webhooks: self.condition.webhooks(),
            agents: Arc::new(Agents::of(&config.data_dir)),
        }
    }

    /// Writes down what the tables hold, as far as that can be done.
    pub(super) async fn flush(&self) {
        let tables = Arc::clone(&self.files.tables);
        let flushed = task::spawn_blocking(move || tables.flush()).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "the tables were not flushed: {error}");
        }
    }

    /// Stops following the journal at the end of the process.
    pub(super) fn end(self) -> Result<()> {
        self.last_used.keep(&self.control);
        drop((self.checkers, self.alarms, self.targets, self.maps));
        stop_feed(&self.stop, &self.files, self.feed);
        match self.files.tables.flush() {
            Err(ApplyError::Storage(full)) if full.is_full() => {
                tracing::warn!(error = %full, "the tables were not flushed; they are replayed at next start");
                Ok(())
            }
            flushed => {
                flushed.context("the tables were not flushed; they are replayed at next start")
            }
        }
    }

    /// Closes the files; `Ok` says that they are closed. The API and the admin socket are shut
    /// before: what they have let in is waited for.
    pub(super) fn close(mut self) -> Result<Result<()>, Box<Busy>> {
        let give_up = Instant::now() + REQUESTS_TIMEOUT;
        // Whoever works on a file does so through control.
        loop {
            // Not by the count alone: the collector takes hold of it for each of its steps.
            match Arc::try_unwrap(self.control) {
                Ok(alone) => {
                    self.last_used.keep(&alone);
                    break;
                }
                Err(shared) => self.control = shared,
            }
            if Instant::now() > give_up {
                let error = anyhow!("requests or admin commands are still at work");
                return Err(Box::new(Busy {
                    control_plane: self,
                    error,
                }));
            }
            thread::sleep(REQUESTS_PAUSE);
        }
        // What is known is on the disk before another process reads it.
        drop((self.checkers, self.alarms, self.targets, self.maps));
        stop_feed(&self.stop, &self.files, self.feed);
        self.condition.tables_are(None);
        Ok(self.files.close())
    }
}

fn stop_feed(stop: &AtomicBool, files: &Files, feed: JoinHandle<()>) {
    stop.store(true, Ordering::Relaxed);
    files.journal.end_waits();
    if feed.join().is_err() {
        tracing::error!("the feed ended by a panic");
    }
}
