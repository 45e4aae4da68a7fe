//! Logs of DNS traffic: a thread for each that takes records from its tap and writes them, in its
//! own time. Packet threads never wait for it; see `meridian_server::Tap`.
//!
//! What a line or a frame looks like is in `query_log` and `dnstap`.

mod dnstap;
mod line;
pub(crate) mod line_file;
pub(crate) mod output;
mod query_log;
mod zone_logs;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use meridian_server::{Messages, Record, Tap, TapSettings};

use crate::condition::Condition;
use crate::config::Config;
use crate::identity;

pub(crate) use dnstap::Output;

use dnstap::Dnstap;
use query_log::QueryLog;
use zone_logs::ZoneLogs;

/// Records written before the output is flushed and signals are looked at.
const BATCH: usize = 1024;
/// How long a thread sleeps when there was nothing to write, twice as long each time.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(40);

/// All logs that are on. Dropped, they write what they have and end.
pub(crate) struct Taps {
    taps: meridian_server::Taps,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A log, for metrics.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) name: &'static str,
    pub(crate) tap: Arc<Tap>,
    pub(crate) written: Arc<Written>,
}

/// What a log's thread did.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Records that are in the file, or at the other end of the socket.
    pub(crate) records: AtomicU64,
    /// Records of batches that failed; some of a batch may have been written before.
    pub(crate) failed: AtomicU64,
}

/// Where records go.
trait Sink: Send + 'static {
    /// Writes a record, if it is of those that belong there. A failure may cost all since the last
    /// flush.
    fn write(&mut self, record: &Record) -> io::Result<()>;

    /// Sees to it that what was written can be read. What a failure leaves unwritten is lost.
    fn flush(&mut self) -> io::Result<()>;

    /// Opens its file anew: somebody has moved the old one away.
    fn reopen(&mut self) -> io::Result<()>;

    /// Nothing more comes.
    fn finish(&mut self);

    /// How long its thread may sleep when there is nothing to write.
    fn longest_pause(&self) -> Duration {
        PAUSE_MAX
    }
}

impl Taps {
    /// Opens the logs that are configured and starts their threads.
    pub(crate) fn start(config: &Config, condition: &Arc<Condition>) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (mut logs, mut threads) = (Vec::new(), Vec::new());
        let mut begin = |name, settings, sink: Box<dyn Sink>| -> Result<Arc<Tap>> {
            let log = Log {
                name,
                tap: Arc::new(Tap::new(settings)),
                written: Arc::default(),
            };
            let writer = Writer {
                log: log.clone(),
                sink,
                condition: Arc::clone(condition),
                stop: Arc::clone(&stop),
                failing: false,
            };
            let thread = thread::Builder::new().name(name.to_owned());
            threads.push(thread.spawn(move || writer.run())?);
            let tap = Arc::clone(&log.tap);
            logs.push(log);
            Ok(tap)
        };
        let mut all = Vec::new();
        let (query_log, dnstap) = (&config.dns.query_log, &config.dns.dnstap);
        if let Some(path) = &query_log.path {
            let settings = TapSettings {
                one_in: query_log.sample,
                max_per_second: query_log.max_per_second,
                messages: Messages::Query,
            };
            let sink = QueryLog::open(path, &query_log.location, Arc::clone(condition))?;
            all.push(begin("query_log", settings, Box::new(sink))?);
        }
        if let Some(output) = dnstap.output() {
            let settings = TapSettings {
                one_in: dnstap.sample,
                max_per_second: dnstap.max_per_second,
                messages: Messages::QueryAndReply,
            };
            let sink = Dnstap::open(output, identity::server(&config.dns))?;
            all.push(begin("dnstap", settings, Box::new(sink))?);
        }
        let zones = &config.dns.zone_query_logs;
        let logged_zones = zones.enabled.then(|| {
            let settings = TapSettings {
                one_in: 1,
                max_per_second: zones.max_per_second,
                messages: Messages::Query,
            };
            let directory = zones.directory(&config.data_dir);
            let location = &query_log.location;
            let sink = ZoneLogs::new(zones, directory, location, Arc::clone(condition));
            begin("zone_query_logs", settings, Box::new(sink))
        });
        let taps = meridian_server::Taps {
            all: all.into(),
            logged_zones: logged_zones.transpose()?,
        };
        condition.logs_are(logs);
        Ok(Self {
            taps,
            stop,
            threads,
        })
    }

    /// What the server is told.
    pub(crate) fn server(&self) -> meridian_server::Taps {
        self.taps.clone()
    }
}

impl Drop for Taps {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a log of DNS traffic ended by a panic");
            }
        }
    }
}

/// The thread of one log.
struct Writer {
    log: Log,
    sink: Box<dyn Sink>,
    condition: Arc<Condition>,
    stop: Arc<AtomicBool>,
    /// The last attempt failed, and it was said.
    failing: bool,
}

impl Writer {
    fn run(mut self) {
        let mut hang_ups = self.condition.hang_ups();
        let mut pause = PAUSE_MIN;
        loop {
            let stop = self.stop.load(Ordering::Relaxed);
            let taken = self.write_some();
            let now = self.condition.hang_ups();
            if now != hang_ups {
                hang_ups = now;
                let reopened = self.sink.reopen();
                self.note(reopened);
            }
            if taken > 0 {
                pause = PAUSE_MIN;
            } else if stop {
                break;
            } else {
                thread::park_timeout(pause);
                pause = (2 * pause).min(self.sink.longest_pause());
            }
        }
        self.sink.finish();
    }

    fn write_some(&mut self) -> usize {
        let written = Arc::clone(&self.log.written);
        let (mut taken, mut failure) = (0, None);
        // Taken by the sink, but perhaps still in its buffer.
        let mut buffered = 0;
        while taken < BATCH
            && let Some(record) = self.log.tap.take()
        {
            taken += 1;
            buffered += 1;
            if let Err(error) = self.sink.write(&record) {
                failure = Some(error);
                written.failed.fetch_add(buffered, Ordering::Relaxed);
                buffered = 0;
            }
        }
        if taken > 0 {
            let flushed = self.sink.flush();
            let outcome = match flushed {
                Ok(()) => &written.records,
                Err(_) => &written.failed,
            };
            outcome.fetch_add(buffered, Ordering::Relaxed);
            self.note(failure.map_or(flushed, Err));
        }
        taken
    }

    /// Says once that writing fails, and once that it does not any more.
    fn note(&mut self, outcome: io::Result<()>) {
        let name = self.log.name;
        match outcome {
            Err(error) if !self.failing => {
                tracing::warn!(log = name, %error, "records of {name} are lost: {error}");
                self.failing = true;
            }
            Ok(()) if self.failing => {
                tracing::info!(log = name, "records of {name} are written again");
                self.failing = false;
            }
            _ => {}
        }
    }
}
