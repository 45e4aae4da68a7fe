//! The thread that takes samples and builds maps, as long as the control plane is here: of two
//! processes while one replaces the other, only one has it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::condition::Condition;
use crate::{config, panics};

use super::workshop::Workshop;

/// How often it is looked whether it is to end, and at most how long samples wait.
const LISTEN_EVERY: Duration = Duration::from_millis(200);

/// Builds maps until it is dropped.
pub(crate) struct Builder {
    workshop: Arc<Workshop>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Builder {
    /// Starts it, if this node is to build maps.
    pub(crate) fn start(
        config: &config::Config,
        condition: &Arc<Condition>,
    ) -> Result<Option<Self>> {
        let Some(every) = config.latency.build_every() else {
            return Ok(None);
        };
        let workshop = Arc::new(Workshop::open(config, condition)?);
        condition.latency().built_at(&workshop);
        let end = Arc::<AtomicBool>::default();
        let (working, ending) = (Arc::clone(&workshop), Arc::clone(&end));
        let queue = condition.latency().queue();
        let thread = thread::Builder::new().name("latency".to_owned());
        let thread = thread.spawn(move || {
            let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let mut next = Instant::now() + every;
            while !ending.load(Ordering::Relaxed) {
                // A fault in one lot or build is not to keep others from being taken and made.
                panics::bear(|| working.take_from(&queue, LISTEN_EVERY));
                if Instant::now() >= next {
                    // Why it fails is said where that is known.
                    panics::bear(|| working.build());
                    next = Instant::now() + every;
                }
            }
            working.take_from(&queue, Duration::ZERO);
            if let Err(error) = working.keep() {
                tracing::error!(%error, "latency samples are not kept: {error:#}");
            }
        })?;
        Ok(Some(Self {
            workshop,
            end,
            thread: Some(thread),
        }))
    }

    /// Where it builds.
    pub(crate) fn workshop(&self) -> &Arc<Workshop> {
        &self.workshop
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the builder of latency maps ended by a panic");
        }
    }
}
